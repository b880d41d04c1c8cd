"""The modalities: one row each, and the options of those that come with the program.

A new one needs a row in ``MODALITIES``, a class of options, and a file with its encoder; everything
else (its section of a configuration, its folder among the sources, extraction, reports, training)
follows from the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field, create_model, field_validator, model_validator

from recsys.config.section import Section
from recsys.config.trailers import AudioConfig, PosterConfig, VideoConfig
from recsys.data.field_names import names_labels
from recsys.errors import ConfigError

STANDARD_FIELDS = (
    "actor",
    "director",
    "writer",
    "producer",
    "cinematographer",
    "company",
    "country",
    "language",
    "subject",
    "content_rating",
)
"""Facts that most sources have; a catalogue without one of them is encoded from the others."""


def refuse_labels(fields: Iterable[str]) -> None:
    """Genres are what a model learns to predict, so nothing that names them may be encoded.

    Raises:
        ConfigError: a field is called genre, keyword or tag, in any spelling.
    """
    for name in fields:
        if names_labels(name):
            raise ConfigError(
                f"field {name!r} names genres, which are labels and never inputs",
                hint="take it out of the fields of this modality",
            )


class MetadataConfig(Section):
    """People, companies, countries, subjects, content rating, and the year of release.

    Attributes:
        fields: fact to its weight. A standard fact may be missing from a catalogue, any other must
            be there.
        min_movies: a value is kept when at least this many movies share it.
        dim: width the facts are reduced to, less when their rank is smaller.
        year_weight: length of the year's features beside that of the facts; 0 leaves the year out.
        seed: of the randomised decomposition.
    """

    fields: dict[str, float] = Field(default_factory=lambda: dict.fromkeys(STANDARD_FIELDS, 1.0))
    min_movies: int = Field(default=2, ge=1)
    dim: int = Field(default=256, ge=1)
    year_weight: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("fields")
    @classmethod
    def _no_labels(cls, fields: dict[str, float]) -> dict[str, float]:
        refuse_labels(fields)
        for name, weight in fields.items():
            if not 0 < weight < float("inf"):
                raise ValueError(f"the weight of {name!r} is {weight}, it must be above 0")
        return fields


class TextConfig(Section):
    """The words of a movie.

    Attributes:
        fields: what is encoded, joined in this order: ``title`` or the name of a textual fact.
        path: folder of a Hugging Face encoder with safetensors weights.
        hub: name of such an encoder on the hub; at most one of ``path`` and ``hub`` is given.
        backend: "auto" takes ``path`` or ``hub``, else the packaged MiniLM, else TF-IDF; "tfidf"
            needs no weights.
        max_tokens: longer texts are cut.
        batch_size: texts encoded at once.
        dim: width of TF-IDF vectors, less when their rank is smaller.
        seed: of the randomised decomposition behind TF-IDF.
    """

    fields: tuple[str, ...] = Field(default=("title",), min_length=1)
    path: Path | None = None
    hub: str | None = None
    backend: Literal["auto", "tfidf"] = "auto"
    max_tokens: int = Field(default=256, ge=3)
    batch_size: int = Field(default=64, ge=1)
    dim: int = Field(default=256, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("fields")
    @classmethod
    def _no_labels(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        refuse_labels(fields)
        return fields

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("path", "hub") if getattr(self, name) is not None]
        if len(given) + (self.backend == "tfidf") > 1:
            raise ValueError("give one of path, hub and backend='tfidf'")
        return self


@dataclass(frozen=True)
class Files:
    """What a modality is encoded from, where that is a file a movie.

    Attributes:
        folder: key under ``sources`` that says where they lie.
        suffixes: of the files that count, the preferred first.
    """

    folder: str
    suffixes: tuple[str, ...]


PICTURES = Files(
    "posters", (".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff")
)
FILMS = Files("trailers", (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".mpg", ".ogv", ".ts"))


@dataclass(frozen=True)
class Modality:
    """One kind of content that movies are encoded from.

    Attributes:
        options: what ``features.NAME`` holds.
        encoder: ``module:callable`` that makes an encoder of such options. It is imported when a
            movie has to be encoded, and makes an ``Encoder``, or a ``FileEncoder`` for ``files``.
        extra: of this package that installs the libraries it needs.
        files: what it reads; None where that is the facts of the catalogue.
    """

    options: type[Section]
    encoder: str
    extra: str
    files: Files | None = None


MODALITIES: dict[str, Modality] = {
    "text": Modality(TextConfig, "recsys.features.text:text_encoder", "text"),
    "metadata": Modality(MetadataConfig, "recsys.features.metadata:MetadataEncoder", "train"),
    "poster": Modality(PosterConfig, "recsys.features.poster:PosterEncoder", "vision", PICTURES),
    "video": Modality(VideoConfig, "recsys.features.video:VideoEncoder", "trailers", FILMS),
    "audio": Modality(AudioConfig, "recsys.features.audio:AudioEncoder", "trailers", FILMS),
}
"""Name to row, in the order in which they are encoded. Vectors from elsewhere need none."""


class ByModality(Section):
    """A section whose further keys follow from ``MODALITIES``."""

    model_config = ConfigDict(extra="allow")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @classmethod
    def further(cls) -> dict[str, Any]:
        """Key to its type and default, as ``pydantic.create_model`` takes them."""
        raise NotImplementedError

    @classmethod
    def parts(cls) -> dict[str, Any]:
        """The type of what stands under each key."""
        return super().parts() | _further(cls, tuple(MODALITIES.items())).parts()

    @model_validator(mode="before")
    @classmethod
    def _check_further(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        own = {key: value for key, value in given.items() if key in cls.model_fields}
        rest = {key: value for key, value in given.items() if key not in own}
        checked = _further(cls, tuple(MODALITIES.items())).model_validate(rest)
        return own | dict(checked)


@cache
def _further(kind: type[ByModality], _: tuple[tuple[str, Modality], ...]) -> type[Section]:
    """A section of the further keys alone, for the rows that there are."""
    return create_model(kind.__name__, __base__=Section, **kind.further())


class FeaturesConfig(ByModality):
    """How the modalities of a run are encoded: the options of each; ``None`` leaves one out.

    Those that read files are encoded where ``sources`` names a folder of them.
    """

    @classmethod
    def further(cls) -> dict[str, Any]:
        """Options of every modality, or None."""
        return {
            name: (row.options | None, Field(default_factory=row.options))
            for name, row in MODALITIES.items()
        }

"""Which modalities are encoded, and how."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from recsys.config.poster import PosterConfig
from recsys.config.section import Section
from recsys.config.trailers import AudioConfig, VideoConfig
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


class FeaturesConfig(Section):
    """How the modalities of a run are encoded; ``None`` leaves one out.

    Posters and trailers are encoded where ``sources`` names a folder of them.
    """

    text: TextConfig | None = Field(default_factory=TextConfig)
    metadata: MetadataConfig | None = Field(default_factory=MetadataConfig)
    poster: PosterConfig | None = Field(default_factory=PosterConfig)
    video: VideoConfig | None = Field(default_factory=VideoConfig)
    audio: AudioConfig | None = Field(default_factory=AudioConfig)

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
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    create_model,
    model_validator,
)

from recsys.config.section import Section
from recsys.data.items_spec import names_labels
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


def _checked(fields: Any) -> Any:
    refuse_labels(fields)
    return fields


_Inputs = AfterValidator(_checked)


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

    fields: Annotated[dict[str, PositiveFloat], _Inputs] = Field(
        default_factory=lambda: dict.fromkeys(STANDARD_FIELDS, 1.0)
    )
    min_movies: int = Field(default=2, ge=1)
    dim: int = Field(default=256, ge=1)
    year_weight: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**32)


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

    fields: Annotated[tuple[str, ...], _Inputs] = Field(default=("title",), min_length=1)
    path: Path | None = None
    hub: str | None = None
    backend: Literal["auto", "tfidf"] = "auto"
    max_tokens: int = Field(default=256, ge=3)
    batch_size: int = Field(default=64, ge=1)
    dim: int = Field(default=256, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("path", "hub") if getattr(self, name) is not None]
        if len(given) + (self.backend == "tfidf") > 1:
            raise ValueError("give one of path, hub and backend='tfidf'")
        return self


DOWNLOADED = "DEFAULT"
"""Name of the weights that torchvision recommends for a model."""


_Side = Annotated[int, Field(ge=32, le=1024)]
_Level = Annotated[float, Field(ge=0, le=255)]
_Scale = Annotated[float, Field(gt=0, le=255)]


class BackboneConfig(Section):
    """One of torchvision's classification networks, up to its last linear layer.

    Attributes:
        model: torchvision's name: ``mobilenet_v2``, ``resnet50``, ``efficientnet_b0``, ...
        weights: path of a ``.safetensors`` state of that model, or the name of weights that
            torchvision publishes for it, which are downloaded once.
        size: height and width in pixels that every picture is stretched to; a network may ask for
            multiples of 32, or for the one size it was trained on.
        pixel_mean: subtracted from red, green and blue (0 to 255); ImageNet's unless given.
        pixel_std: what the differences are divided by. Networks trained on -1 to 1 have both at
            127.5.
    """

    model: str = Field(default="mobilenet_v2", min_length=1)
    weights: str = Field(default=DOWNLOADED, min_length=1)
    size: tuple[_Side, _Side] = (224, 224)
    pixel_mean: tuple[_Level, _Level, _Level] = (123.675, 116.28, 103.53)
    pixel_std: tuple[_Scale, _Scale, _Scale] = (58.395, 57.12, 57.375)


class PosterConfig(Section):
    """The poster of a movie.

    Attributes:
        kind: "descriptors" needs no weights: colours. "backbone" is an image network.
        backbone: the network; needed by kind "backbone".
        max_pixels: pictures with more are refused before memory is taken for one. The limit cannot
            be above Pillow's own.
    """

    kind: Literal["descriptors", "backbone"] = "descriptors"
    backbone: BackboneConfig | None = None
    max_pixels: int = Field(default=67_108_864, ge=1, le=89_478_485)

    @model_validator(mode="after")
    def _weights_are_named(self) -> Self:
        if self.kind == "backbone" and self.backbone is None:
            raise ValueError("kind 'backbone' needs a backbone")
        return self


class DecodingConfig(Section):
    """What is sane to decode of one file.

    Attributes:
        max_seconds: what comes later in a file is not decoded.
        max_pixels: larger pictures are refused before memory is taken for one; the default is
            4096 x 2304. A decoder may hold some twenty pictures of 1.5 bytes a pixel.
        max_channels: of sound.
        min_share: of the length that a file declares, ``max_seconds`` at most, and of the packets
            that were read. A file that breaks off is still encoded when this much can be decoded.
    """

    max_seconds: float = Field(default=600.0, gt=0)
    max_pixels: int = Field(default=4096 * 2304, ge=1)
    max_channels: int = Field(default=64, ge=1)
    min_share: float = Field(default=0.5, ge=0, le=1)


class VideoConfig(DecodingConfig):
    """The pictures of a trailer.

    Attributes:
        kind: "descriptors" needs no weights: colour, brightness, saturation, contrast, edges,
            motion, shots. "backbone" is an image network over sampled frames.
        backbone: the network; needed by every kind but "descriptors".
        fps: pictures a second that are looked at.
        n_frames: frames that the network sees, spread evenly over the trailer.
        n_shot_frames: frames that it sees besides, each the first of a shot, spread evenly over
            the shots.
        pooling: what becomes of the vectors of the frames.
        cut_threshold: share of the pixels that must change colour at once to make a new shot.
    """

    kind: Literal["descriptors", "backbone", "both"] = "descriptors"
    backbone: BackboneConfig | None = None
    fps: float = Field(default=10.0, gt=0, le=60)
    n_frames: int = Field(default=16, ge=1, le=64)
    n_shot_frames: int = Field(default=16, ge=0, le=64)
    pooling: Literal["mean", "mean_std"] = "mean_std"
    cut_threshold: float = Field(default=0.25, gt=0, le=1)

    @model_validator(mode="after")
    def _weights_are_named(self) -> Self:
        if self.kind != "descriptors" and self.backbone is None:
            raise ValueError(f"kind {self.kind!r} needs a backbone")
        return self


class AudioConfig(DecodingConfig):
    """The sound of a trailer.

    Attributes:
        kind: log-mel and MFCC statistics, loudness; with ``pretrained`` it stays in fingerprints.
        sample_rate: of the descriptors, in Hz; everything is mixed down to one channel.
        n_mels: bands of the mel spectrogram.
        n_mfcc: cepstral coefficients.
    """

    kind: Literal["descriptors"] = "descriptors"
    pretrained: None = None
    sample_rate: int = Field(default=22_050, ge=8_000, le=48_000)
    n_mels: int = Field(default=64, ge=8, le=128)
    n_mfcc: int = Field(default=20, ge=1, le=128)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc {self.n_mfcc} is above n_mels {self.n_mels}")
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
    def key_types(cls) -> dict[str, Any]:
        """The type of what stands under each key."""
        return super().key_types() | _further(cls, tuple(MODALITIES.items())).key_types()

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

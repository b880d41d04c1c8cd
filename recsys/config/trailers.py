"""How files become vectors: posters, and the pictures and the sound of trailers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from recsys.config.section import Section

DOWNLOADED = "DEFAULT"
"""Name of the weights that torchvision recommends for a model."""


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
    size: tuple[int, int] = (224, 224)
    pixel_mean: tuple[float, float, float] = (123.675, 116.28, 103.53)
    pixel_std: tuple[float, float, float] = (58.395, 57.12, 57.375)

    @model_validator(mode="after")
    def _usable_numbers(self) -> Self:
        if not all(32 <= side <= 1024 for side in self.size):
            raise ValueError(f"size {self.size}: both sides lie between 32 and 1024 pixels")
        if not all(0 <= mean <= 255 for mean in self.pixel_mean):
            raise ValueError(f"pixel_mean {self.pixel_mean} is not between 0 and 255")
        if not all(0 < std <= 255 for std in self.pixel_std):
            raise ValueError(f"pixel_std {self.pixel_std} is not above 0, up to 255")
        return self


class PosterConfig(Section):
    """The poster of a movie.

    Attributes:
        kind: "descriptors" needs no weights: colours, layout, edges. "backbone" is an image
            network.
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


class PretrainedAudioConfig(Section):
    """An encoder of sound for transformers, such as AST or CLAP.

    Attributes:
        path: folder of the encoder, with safetensors weights.
        hub: its name on the Hugging Face hub; exactly one of ``path`` and ``hub`` is given.
        windows: pieces of the sound track that it hears, spread evenly.
        window_seconds: length of a piece.
    """

    path: Path | None = None
    hub: str | None = None
    windows: int = Field(default=6, ge=1, le=64)
    window_seconds: float = Field(default=10.0, ge=1, le=60)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError("give one of path and hub")
        return self


class AudioConfig(DecodingConfig):
    """The sound of a trailer.

    Attributes:
        kind: "descriptors" needs no weights: log-mel and MFCC statistics, spectrum, loudness,
            rhythm. "pretrained" is an encoder over pieces of the track.
        pretrained: the encoder; needed by every kind but "descriptors".
        sample_rate: of the descriptors, in Hz; everything is mixed down to one channel.
        n_mels: bands of the mel spectrogram.
        n_mfcc: cepstral coefficients.
    """

    kind: Literal["descriptors", "pretrained", "both"] = "descriptors"
    pretrained: PretrainedAudioConfig | None = None
    sample_rate: int = Field(default=22_050, ge=8_000, le=48_000)
    n_mels: int = Field(default=64, ge=8, le=128)
    n_mfcc: int = Field(default=20, ge=1, le=128)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.kind != "descriptors" and self.pretrained is None:
            raise ValueError(f"kind {self.kind!r} needs a pretrained encoder")
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc {self.n_mfcc} is above n_mels {self.n_mels}")
        return self

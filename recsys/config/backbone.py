"""A pretrained image network, as posters and the frames of trailers use it."""

from __future__ import annotations

from typing import Self

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

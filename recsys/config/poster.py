"""How posters become vectors."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from recsys.config.backbone import BackboneConfig
from recsys.config.section import Section


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

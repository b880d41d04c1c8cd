"""What the pictures of a trailer look like, without any weights.

Legend: H height, W width of a picture in pixels, F descriptors of one picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generic_gradient_magnitude, sobel

from recsys.features.histogram import histogram

HUES, SATURATIONS, LEVELS = 12, 4, 8
"""Bins of the three histograms."""

FRAME_NAMES = (
    *(f"hue {i}" for i in range(HUES)),
    *(f"saturation {i}" for i in range(SATURATIONS)),
    *(f"level {i}" for i in range(LEVELS)),
    *("brightness", "saturation", "contrast", "edges"),
)
"""The F descriptors of one picture."""


@dataclass(frozen=True)
class Picture:
    """A small picture, and what is computed from it more than once.

    Attributes:
        rgb: (H, W, 3) bytes.
    """

    rgb: NDArray[np.uint8]

    @cached_property
    def luma(self) -> NDArray[np.float32]:
        """(H, W) brightness from 0 to 1, ITU-R BT.601."""
        from PIL import Image

        grey = np.asarray(Image.fromarray(self.rgb).convert("L"), dtype=np.float32)
        return grey / np.float32(255)

    @cached_property
    def hsv(self) -> NDArray[np.uint8]:
        """(H, W, 3) hue, saturation and value."""
        from PIL import Image

        return np.asarray(Image.fromarray(self.rgb).convert("HSV"), dtype=np.uint8)


def describe(picture: Picture) -> NDArray[np.float64]:
    """(F,) descriptors of one picture, each between 0 and 1, named by ``FRAME_NAMES``.

    In the histogram of hues a pixel weighs its saturation times its value: grey has no hue.
    """
    hue, saturation, value = (picture.hsv[..., i] for i in range(3))
    weight = saturation.astype(np.float64) * value / 255**2
    centred = hue + np.uint8(128 // HUES)  # wraps around: red and green lie within a bin
    level = (picture.luma * 255).astype(np.uint8)
    edges = generic_gradient_magnitude(picture.luma, sobel)  # 4 is the most along one axis
    return np.concatenate(
        [
            histogram(centred[..., None], (HUES,), weight),
            histogram(saturation[..., None], (SATURATIONS,)),
            histogram(level[..., None], (LEVELS,)),
            [picture.luma.mean(), saturation.mean() / 255, picture.luma.std(), edges.mean() / 4],
        ]
    ).astype(np.float64)


def motion(before: Picture, picture: Picture) -> float:
    """Mean change of brightness, from 0 to 1."""
    return float(np.abs(picture.luma - before.luma).mean())

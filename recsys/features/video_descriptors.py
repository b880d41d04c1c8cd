"""What the pictures of a trailer look like, without any weights, and where a shot ends.

Legend: H height, W width of a picture in pixels, C channels, F descriptors of one picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generic_gradient_magnitude, sobel

from recsys.features.running import Moments


def histogram(
    pixels: NDArray[np.uint8], bins: tuple[int, ...], weight: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Share of the pixels in each box of the joint histogram of their channels, flat.

    Args:
        pixels: (..., C).
        bins: of equal width that each of the C channels is cut into.
        weight: (...) what every pixel counts; 1 unless given.
    """
    level = pixels.reshape(-1, len(bins)).astype(np.intp) * np.array(bins) // 256
    box = np.ravel_multi_index(tuple(level.T), bins)
    weights = None if weight is None else weight.ravel()
    counts = np.bincount(box, weights, minlength=int(np.prod(bins)))
    return np.asarray(counts / len(box), dtype=np.float64)


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


BINS = 8
"""Bins a colour channel."""

MAX_CORRELATION = 0.57
"""Pictures that are more alike are one shot: a fade changes all colours, but not what is seen."""

MIN_SECONDS = 0.4
"""A shot is at least as long, so that a flash is not two cuts."""

_BOXES = (BINS, BINS, BINS)
_DARK = 24 / 255  # black bars are the same in every shot


class ShotDetector:
    """Cuts, from the colour histograms of consecutive pictures.

    At a cut, many pixels would have to change their bin (half the L1 distance of the histograms;
    Boreczky and Rowe, "Comparison of Video Shot Boundary Detection Techniques", SPIE 2664, 1996),
    and the brightness of the two pictures does not correlate. Dissolves are not found.

    Args:
        threshold: least share of the pixels for a cut.
    """

    def __init__(self, threshold: float) -> None:
        self.cuts = 0
        self.lengths = Moments(1)
        self._threshold = threshold
        self._started = 0.0
        self._before: Picture | None = None
        self._histogram: NDArray[np.float64] = np.zeros(BINS**3)

    def add(self, time: float, picture: Picture) -> bool:
        """Whether a picture is the first of a new shot; time is in seconds."""
        before, self._before = self._before, picture
        colours, self._histogram = self._histogram, histogram(picture.rgb, _BOXES)
        if before is None or time - self._started < MIN_SECONDS:
            return False
        changed = float(np.abs(self._histogram - colours).sum() / 2)
        if changed < self._threshold or alike(before.luma, picture.luma) > MAX_CORRELATION:
            return False
        self.cuts += 1
        self.finish(time)
        self._started = time
        return True

    def finish(self, time: float) -> None:
        """The running shot ends, with the film or by a cut."""
        self.lengths.add(np.array([[time - self._started]]))


def alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Correlation of two (H, W) pictures where either is not black; 0 where one is flat."""
    seen = np.maximum(one, other) > _DARK
    if not seen.any():
        return 0.0
    left, right = one[seen] - one[seen].mean(), other[seen] - other[seen].mean()
    scale = float(left.std() * right.std())
    return float((left * right).mean()) / scale if scale > 1e-5 else 0.0

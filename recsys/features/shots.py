"""Where one shot of a film ends and the next begins.

Legend: H height, W width of a picture in pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.features.histogram import histogram
from recsys.features.running import Moments
from recsys.features.video_descriptors import Picture

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

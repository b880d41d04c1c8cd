"""Histograms of what the pixels of a picture are like.

Legend: C channels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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

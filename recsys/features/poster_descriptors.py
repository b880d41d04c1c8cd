"""What a poster looks like, without any weights.

Legend: H height and W width in pixels, C cells of a grid, D dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recsys.features.histogram import histogram

if TYPE_CHECKING:
    from PIL.Image import Image

REVISION = "1"
"""It changes whenever the values do."""

SIZE = (96, 64)
"""H and W that a poster is stretched to."""

PREPROCESSING = f"RGB, stretched to {SIZE[0]} x {SIZE[1]} (bilinear)"

POOLING = (
    "square roots of a joint histogram of hue, saturation and value (12 x 4 x 4); mean and "
    "deviation of L*a*b* in a grid of 6 x 4; brightness, contrast, saturation, colourfulness, edges"
)

PAPER = (
    "Swain and Ballard, Color Indexing, IJCV 1991; Manjunath et al., Color and Texture "
    "Descriptors, 2001; Hasler and Suesstrunk, Measuring Colourfulness, 2003"
)

_BINS = (12, 4, 4)
_GRID = (6, 4)
_EDGE = 0.1
_WHITE = np.array([0.950456, 1.0, 1.089058])
_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)

DIM = int(np.prod(_BINS)) + 6 * int(np.prod(_GRID)) + 9
"""D."""


def describe(picture: Image) -> NDArray[np.float32]:
    """(D,) descriptors of a picture in RGB, each of the order of one."""
    from PIL import Image

    small = picture.resize((SIZE[1], SIZE[0]), Image.Resampling.BILINEAR)
    hsv = np.asarray(small.convert("HSV"), dtype=np.uint8)
    rgb = np.asarray(small, dtype=np.float64) / 255
    # The Euclidean distance of square roots of shares is Hellinger's.
    colours: NDArray[np.float64] = np.sqrt(histogram(hsv, _BINS))
    parts = (colours, _layout(lab(rgb)), _statistics(rgb, hsv[..., 1] / 255))
    return np.concatenate(parts).astype(np.float32)


def _layout(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean and deviation of each channel in each of the C cells."""
    cells = _cells(colours)
    moments = np.concatenate([cells.mean(axis=1), cells.std(axis=1)]) / 50
    return np.asarray(moments.ravel(), dtype=np.float64)


def _cells(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C, pixels of a cell, channels)."""
    (height, width), channels = SIZE, pixels.shape[2]
    rows, columns = _GRID
    blocks = pixels.reshape(rows, height // rows, columns, width // columns, channels)
    return blocks.swapaxes(1, 2).reshape(rows * columns, -1, channels)


def _statistics(rgb: NDArray[np.float64], saturation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness, contrast, saturation and its deviation, colourfulness, edges of four kinds."""
    luma = rgb @ np.array([0.299, 0.587, 0.114])
    levels = [luma.mean(), luma.std(), saturation.mean(), saturation.std(), _colourfulness(rgb)]
    down, across = np.gradient(luma)
    strength = np.hypot(down, across)
    shares = [(np.abs(g) > _EDGE).mean() for g in (down, across)]
    return np.array([*levels, strength.mean(), (strength > _EDGE).mean(), *shares])


def _colourfulness(rgb: NDArray[np.float64]) -> float:
    """Hasler and Suesstrunk, 2003, equation 11."""
    red, green, blue = np.moveaxis(rgb, 2, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread = np.hypot(*opponents.std(axis=(1, 2)))
    return float(spread + 0.3 * np.hypot(*opponents.mean(axis=(1, 2))))


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W, 3) CIE L*a*b* of sRGB between 0 and 1, white point D65."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = linear @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(f, 2, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=2)

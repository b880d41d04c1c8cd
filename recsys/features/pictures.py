"""Picture files of any origin as upright RGB.

Legend: H height and W width in pixels.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.errors import MissingExtra
from recsys.features.media import MediaError, Status

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What is decoded, whatever a file is called; other formats may start programs of their own."""


def read_picture(path: Path, *, max_pixels: int, size: tuple[int, int]) -> Picture:
    """The picture of a file: the first frame of an animation, upright, on white.

    Args:
        path: the file; its content decides the format.
        max_pixels: larger ones are refused before they are decoded.
        size: H and W that the picture will be shrunk to. Where the decoder can shrink, it delivers
            no more than is needed for twice that.

    Raises:
        MediaError: it is no picture, is broken, or is too large.
        MissingExtra: Pillow is not installed.
    """
    formats = _known_formats()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bombs, which max_pixels judges, and of corrupt EXIF
        try:
            return _decode(path, formats, max_pixels, size)
        except MediaError:
            raise
        except Exception as error:  # decoders raise whatever broken bytes make them stumble over
            raise _explained(path, error) from error


def _known_formats() -> list[str]:
    """Those that this build of Pillow was made with."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("Pillow", "vision") from None
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _decode(path: Path, formats: list[str], max_pixels: int, size: tuple[int, int]) -> Picture:
    from PIL import Image

    with Image.open(path, formats=formats) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            what = f"{path}: {width} x {height} pixels, more than {max_pixels}"
            raise MediaError(Status.TOO_LARGE, what)
        picture.draft("RGB", (2 * size[1], 2 * size[0]))
        return _upright_rgb(picture)


def _upright_rgb(picture: Picture) -> Picture:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):  # 16 bits a pixel, which a plain conversion would clip
        grey = np.asarray(upright).clip(0, 2**16 - 1) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if upright.has_transparency_data:
        on_white = Image.new("RGBA", upright.size, "white")
        on_white.alpha_composite(upright.convert("RGBA"))
        return on_white.convert("RGB")
    return upright.convert("RGB")


def _explained(path: Path, error: Exception) -> MediaError:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, Image.DecompressionBombError):
        return MediaError(Status.TOO_LARGE, f"{path}: {error}")
    if isinstance(error, UnidentifiedImageError):
        return MediaError(Status.UNREADABLE, f"{path}: no picture of a known format")
    if isinstance(error, MemoryError):
        return MediaError(Status.FAILED, f"{path}: not enough memory to decode it")
    cut = "truncated" in str(error).casefold() or isinstance(error, EOFError)
    status = Status.TRUNCATED if cut else Status.UNREADABLE
    return MediaError(status, f"{path}: {error or type(error).__name__}")

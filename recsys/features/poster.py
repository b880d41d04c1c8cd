"""Posters as one modality.

Legend: H height and W width in pixels, D dimensions.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recsys.config.modalities import PosterConfig
from recsys.data.catalogue import EncoderCard
from recsys.errors import MissingExtra
from recsys.features.backbone import Backbone
from recsys.features.media import FileStatus, MediaError
from recsys.features.video_descriptors import histogram

if TYPE_CHECKING:
    from PIL.Image import Image


FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What is decoded, whatever a file is called; other formats may start programs of their own."""


def read_picture(path: Path, *, max_pixels: int, size: tuple[int, int]) -> Image:
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
        warnings.simplefilter("ignore")  # of bombs, which max_pixels is for, and of corrupt EXIF
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


def _decode(path: Path, formats: list[str], max_pixels: int, size: tuple[int, int]) -> Image:
    from PIL import Image

    with Image.open(path, formats=formats) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            what = f"{path}: {width} x {height} pixels, more than {max_pixels}"
            raise MediaError(FileStatus.TOO_LARGE, what)
        picture.draft("RGB", (2 * size[1], 2 * size[0]))
        return _upright_rgb(picture)


def _upright_rgb(picture: Image) -> Image:
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
        return MediaError(FileStatus.TOO_LARGE, f"{path}: {error}")
    if isinstance(error, UnidentifiedImageError):
        return MediaError(FileStatus.UNREADABLE, f"{path}: no picture of a known format")
    if isinstance(error, MemoryError):
        return MediaError(FileStatus.FAILED, f"{path}: not enough memory to decode it")
    cut = "truncated" in str(error).casefold() or isinstance(error, EOFError)
    status = FileStatus.TRUNCATED if cut else FileStatus.UNREADABLE
    return MediaError(status, f"{path}: {error or type(error).__name__}")


REVISION = "2"
"""It changes whenever the values do."""

SIZE = (96, 64)
"""H and W that a poster is stretched to."""

_BINS = (12, 4, 4)

_DESCRIPTORS = EncoderCard(
    name="poster descriptors",
    revision=REVISION,
    dim=math.prod(_BINS),
    preprocessing=f"RGB, stretched to {SIZE[0]} x {SIZE[1]} (bilinear)",
    pooling="square roots of a joint histogram of hue, saturation and value (12 x 4 x 4)",
    licence="needs no weights",
    paper="Swain and Ballard, Color Indexing, IJCV 1991",
)


class PosterEncoder:
    """An image network, or descriptors that need no weights.

    Nothing is loaded before it is needed, so an encoder can be made anew in every process.
    """

    name = "poster"

    def __init__(self, config: PosterConfig) -> None:
        self.config = config

    @cached_property
    def card(self) -> EncoderCard:
        """How vectors are made.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MissingExtra: they must be downloaded, and torchvision is not installed.
            OfflineError: they must be downloaded, and the network is out of reach.
        """
        limit = (
            f"pictures of at most {self.config.max_pixels} pixels, decoded at twice the size or "
            "more, alpha on white; "
        )
        made = _DESCRIPTORS if self._network is None else self._network.card
        preprocessing, pooling = limit + made.preprocessing, made.pooling + "; L2-normalised"
        return replace(made, preprocessing=preprocessing, pooling=pooling)

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) the vector of one poster.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MediaError: the file is no picture, is broken, or is too large.
            MissingExtra: a library that the configuration needs is not installed.
        """
        network = self._network
        size = SIZE if network is None else network.config.size
        picture = read_picture(path, max_pixels=self.config.max_pixels, size=size)
        if network is None:
            return describe(picture)
        return _unit(network.frames([picture])[0])

    @cached_property
    def _network(self) -> Backbone | None:
        wanted = self.config.backbone if self.config.kind == "backbone" else None
        return None if wanted is None else Backbone(wanted)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    return vector / np.float32(length) if length else vector


def describe(picture: Image) -> NDArray[np.float32]:
    """(D,) square roots of the shares of colours, whose Euclidean distance is Hellinger's."""
    from PIL import Image

    small = picture.resize((SIZE[1], SIZE[0]), Image.Resampling.BILINEAR)
    hsv = np.asarray(small.convert("HSV"), dtype=np.uint8)
    return np.sqrt(histogram(hsv, _BINS)).astype(np.float32)

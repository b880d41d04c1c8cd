"""Posters, good ones and three hundred broken ones, made by Pillow.

Legend: H height and W width in pixels.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def pixels(seed: int, size: tuple[int, int] = (90, 60)) -> NDArray[np.uint8]:
    """(H, W, 3) a picture of its own for every seed: a gradient, a disc and noise."""
    generator = np.random.default_rng(seed)
    down, across = np.indices(size)
    ends = generator.uniform(0, 255, (2, 3))
    share = (down / size[0])[..., None]
    colours = ends[0] * (1 - share) + ends[1] * share
    centre = generator.uniform(0.2, 0.8, 2) * size
    disc = np.hypot(down - centre[0], across - centre[1]) < size[1] / 4
    colours[disc] = generator.uniform(0, 255, 3)
    noisy = colours + generator.normal(0, 12, colours.shape)
    return np.asarray(noisy.clip(0, 255), dtype=np.uint8)


def encoded(seed: int, kind: str = "JPEG", size: tuple[int, int] = (90, 60)) -> bytes:
    """The bytes of a file."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels(seed, size)).save(stream, kind)
    return stream.getvalue()


def bomb(side: int) -> bytes:
    """A small PNG that says it is large, and is."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def break_posters(folder: Path, *, readable_by_all: bool) -> dict[str, str]:
    """Write 300 broken posters.

    Args:
        folder: where they go.
        readable_by_all: permissions mean nothing to this user.

    Returns:
        Stem of each file to what is wrong with it.
    """
    kinds: dict[str, str] = {}
    sources = _broken()
    if not readable_by_all:
        sources = {**sources, "no permission": _forbidden}
    makers = [(name, maker) for name, maker in sources.items() for _ in range(_SHARES[name])]
    makers += [("cut", _cut)] * (300 - len(makers))
    for number, (name, maker) in enumerate(makers):
        path = folder / f"broken{number}.jpg"
        maker(path, number)
        kinds[path.stem] = name
    return kinds


Maker = Callable[[Path, int], object]

_SHARES = {
    "zero bytes": 20,
    "text": 20,
    "random": 40,
    "header only": 24,
    "bomb": 6,
    "folder": 10,
    "loop": 10,
    "dangling": 10,
    "a film": 10,
    "no permission": 10,
}


def _broken() -> Mapping[str, Maker]:
    return {
        "zero bytes": lambda path, _: path.write_bytes(b""),
        "text": lambda path, n: path.write_text(f"<html>404 {n}</html>", encoding="utf-8"),
        "random": lambda path, n: path.write_bytes(np.random.default_rng(n).bytes(50 + 40 * n)),
        "header only": lambda path, n: path.write_bytes(_start(n)[: 4 + n % 30]),
        "bomb": lambda path, n: path.write_bytes(bomb(10_000 + 1_000 * (n % 6))),
        "folder": lambda path, _: path.mkdir(),
        "loop": lambda path, _: path.symlink_to(path),
        "dangling": lambda path, _: path.symlink_to(path.with_name("nothing")),
        "a film": lambda path, n: path.write_bytes(b"\0\0\0\x20ftypisom" + bytes(99 + n)),
    }


def _start(number: int) -> bytes:
    return encoded(number, FORMATS[number % len(FORMATS)])


def _cut(path: Path, number: int) -> None:
    """Between 2 and 97 per cent of a picture."""
    whole = _start(number)
    path.write_bytes(whole[: max(1, len(whole) * (2 + number % 96) // 100)])


def _forbidden(path: Path, number: int) -> None:
    path.write_bytes(_start(number))
    path.chmod(0)


def good_posters(folder: Path, n: int) -> Iterator[Path]:
    """Write whole posters of all formats, whatever their names say."""
    for number in range(n):
        path = folder / f"good{number}.jpg"
        path.write_bytes(encoded(10_000 + number, FORMATS[number % len(FORMATS)]))
        yield path

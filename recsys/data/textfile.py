"""The bytes of a text file, and the text they are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from recsys.errors import DataError

Encoding = Literal["utf-8", "latin-1", "cp1252"]


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that must hold something.

    Raises:
        DataError: it is missing, unreadable or empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="check the path and its permissions"
        ) from error
    if not data or data.isspace():
        raise DataError(f"{path} is empty", hint="fetch or export the file again")
    return data


def decode(path: Path, data: bytes, encoding: Encoding) -> bytes:
    r"""The text as UTF-8, every line ended by ``\n``, without a byte order mark.

    Raises:
        DataError: the bytes are not text in that encoding; names the offset and the line.
    """
    # No encoding of ours uses zero bytes, UTF-16 does.
    offset = data.find(b"\x00")
    try:
        text = data if data.isascii() else data.decode(encoding).encode()
    except UnicodeDecodeError as error:
        offset = error.start
    if offset >= 0:
        line = data.count(b"\n", 0, offset) + 1
        raise DataError(
            f"{path}: byte 0x{data[offset]:02x} at offset {offset} (line {line}) is not "
            f"{encoding} text",
            hint=f"save the file as {encoding}",
        )
    text = text.removeprefix("\ufeff".encode())
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text if text.endswith(b"\n") else text + b"\n"

"""Opening a media file of unknown origin with FFmpeg, through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import av
from av.container import InputContainer

from recsys.config.modalities import DecodingConfig
from recsys.features.media import FileStatus, MediaError

DECODER_ERRORS = (av.FFmpegError, ValueError, LookupError, ArithmeticError, MemoryError, OSError)
"""What PyAV raises on a file it cannot use."""

CONTAINERS = (
    *("mov", "mp4", "matroska", "webm", "avi", "flv", "mpeg", "mpegts", "asf", "rm", "mxf", "nut"),
    *("ogg", "wav", "w64", "mp3", "flac", "aac", "aiff", "caf", "ac3", "eac3"),
)
"""Formats that hold moving pictures or sound themselves: playlists could name other files."""


_LENIENT: dict[str, Any] = {"metadata_errors": "replace"}
"""What PyAV 19 does unasked, and no longer has an argument for."""


@contextmanager
def media_errors(path: Path) -> Iterator[None]:
    """What the decoder raises inside becomes a MediaError."""
    try:
        yield
    except DECODER_ERRORS as error:
        raise MediaError(FileStatus.FAILED, f"{path}: {_reason(error)}") from error


@contextmanager
def opened(path: Path, config: DecodingConfig) -> Iterator[InputContainer]:
    """A file, whatever its name says that it is.

    Raises:
        MediaError: it is missing, empty or no media file. What the caller raises passes, but that
            a cut MP4 file is TRUNCATED, whatever was missed in it first.
    """
    with _file(path) as file:
        try:
            with _container(file, path, config) as container:
                yield container
        except MediaError as error:
            if error.status in {FileStatus.UNREADABLE, FileStatus.NO_STREAM} and _is_cut_mp4(path):
                raise MediaError(FileStatus.TRUNCATED, f"{error.what}: it breaks off") from error
            raise


def _container(file: IO[bytes], path: Path, config: DecodingConfig) -> InputContainer:
    options = {"format_whitelist": ",".join(CONTAINERS), "max_pixels": str(config.max_pixels)}
    try:
        return _open(file, options)
    except DECODER_ERRORS as error:
        raise MediaError(
            FileStatus.UNREADABLE, f"{path} is not a video or sound file: {_reason(error)}"
        ) from error


def _open(file: IO[bytes], options: dict[str, str]) -> InputContainer:
    try:
        return av.open(file, mode="r", options=options)
    except UnicodeDecodeError:  # PyAV 18 stumbles over a title in another encoding
        file.seek(0)
        container: InputContainer = av.open(file, mode="r", options=options, **_LENIENT)
        return container


@contextmanager
def _file(path: Path) -> Iterator[IO[bytes]]:
    if not path.is_file():
        status = FileStatus.UNREADABLE if path.exists() else FileStatus.MISSING
        raise MediaError(status, f"{path} is not a file")
    try:
        file = path.open("rb")
    except OSError as error:
        raise MediaError(FileStatus.UNREADABLE, f"{path} cannot be opened: {error}") from error
    with file:
        if not path.stat().st_size:
            raise MediaError(FileStatus.EMPTY, f"{path} is empty")
        yield file


def _is_cut_mp4(path: Path) -> bool:
    """An MP4 file is a chain of boxes, each of which states its length: does one overrun it?"""
    start, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while start + 8 <= size:
            file.seek(start)
            header = file.read(16)
            length, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if length == 1:  # a 64-bit length follows
                length = int.from_bytes(header[8:16], "big")
            if length < 8 or (start == 0 and kind != b"ftyp"):
                return False
            start += length
    return start not in {0, size}


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__

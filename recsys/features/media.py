"""What an encoder of files promises, and what can be wrong with a file.

Legend: D dimensions of one modality.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import EncoderCard
from recsys.errors import DataError


class Status(StrEnum):
    """What became of one movie's file."""

    OK = "ok"
    MISSING = "missing"  # there is no file for the movie
    EMPTY = "empty"  # it has no bytes
    UNREADABLE = "unreadable"  # it is not what its name says, or is corrupt from the start
    TRUNCATED = "truncated"  # it breaks off before enough was read
    NO_STREAM = "no stream"  # a trailer without sound, or without pictures
    TOO_LARGE = "too large"  # more pixels, channels or seconds than is sane to decode
    FAILED = "failed"  # anything else, a process that died included


class MediaError(DataError):
    """A file that cannot be encoded; the others are not affected.

    Args:
        status: why, in one word.
        what: why, in a sentence that names the file.
    """

    def __init__(self, status: Status, what: str) -> None:
        self.status = status
        super().__init__(what)

    def __reduce__(self) -> tuple[type[MediaError], tuple[Status, str]]:
        """Errors cross process borders."""
        return type(self), (self.status, self.what)


class FileEncoder(Protocol):
    """Turns one file into one vector; it is built anew in every worker process.

    The vector depends on the bytes of the file and on the card, and on nothing else.
    """

    name: str

    @property
    def card(self) -> EncoderCard:
        """How vectors are made; ``dim`` is D."""
        ...

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) a finite vector.

        Raises:
            MediaError: the file cannot be encoded.
        """
        ...

"""What every encoder promises, of movies and of files, and what can be wrong with a file.

Legend: I items, N inputs, D dimensions of one modality.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.errors import DataError


class Encoder(Protocol):
    """Turns the movies of a catalogue into one modality."""

    name: str

    @property
    def card(self) -> EncoderCard:
        """How vectors are made. Where the data decides the width, ``dim`` is the most it can be."""
        ...

    def encode(self, catalogue: Catalogue) -> ModalityTable:
        """Vectors of all movies, absent where a movie has nothing to encode."""
        ...


@dataclass(frozen=True)
class EncoderInput:
    """What one movie gives to an encoder.

    Attributes:
        content: a text, or the path of a file.
        digest: hash of the content itself (of the bytes, where it is a file).
    """

    content: str
    digest: str


class ItemEncoder(ABC):
    """An encoder whose vector of a movie depends on that movie alone, so that it can be cached.

    Every setting that changes a vector must show in the card: a vector is filed under its encoder's
    card and the digest of its input, nothing else.
    """

    name: str

    @property
    @abstractmethod
    def card(self) -> EncoderCard:
        """How vectors are made."""

    @abstractmethod
    def inputs(self, catalogue: Catalogue) -> list[EncoderInput | None]:
        """What there is to encode for each of the I movies, None where there is nothing."""

    @abstractmethod
    def encode_inputs(self, inputs: Sequence[EncoderInput]) -> NDArray[np.float32]:
        """(N, D) vectors, one an input."""

    def encode(self, catalogue: Catalogue) -> ModalityTable:
        """Vectors of all movies, without a cache."""
        inputs = self.inputs(catalogue)
        distinct = {m.digest: m for m in inputs if m is not None}
        vectors = self.encode_inputs(list(distinct.values())) if distinct else ()
        return self.table(catalogue, inputs, dict(zip(distinct, vectors, strict=True)))

    def table(
        self,
        catalogue: Catalogue,
        inputs: Sequence[EncoderInput | None],
        vectors: Mapping[str, NDArray[np.float32]],
    ) -> ModalityTable:
        """The modality of a catalogue, from the vector of every digest among its inputs."""
        rows = np.zeros((len(catalogue), self.card.dim), dtype=np.float32)
        for row, given in enumerate(inputs):
            if given is not None:
                rows[row] = vectors[given.digest]
        present = np.array([given is not None for given in inputs], dtype=bool)
        return ModalityTable(self.name, rows, present, self.card, catalogue.items.fingerprint)


class FileStatus(StrEnum):
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

    def __init__(self, status: FileStatus, what: str) -> None:
        self.status = status
        super().__init__(what)

    def __reduce__(self) -> tuple[type[MediaError], tuple[FileStatus, str]]:
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

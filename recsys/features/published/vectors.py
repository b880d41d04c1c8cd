"""Vectors under the ids of their source, before anything is known about a catalogue.

Legend: N rows, D columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.errors import DataError


@dataclass(frozen=True)
class IdVectors:
    """The rows of one table, good and bad.

    Attributes:
        origin: the file, for messages.
        ids: N ids as the source has them, repeats and "" included.
        vectors: (N, D) float32, not necessarily finite; NaN in rows of another width than D.
        widths: (N,) how many values each row had.
        places: (N,) number of the line or row in the file, from 1.
        unit: "line" or "row".

    Raises:
        DataError: there are no rows or no columns, or lengths disagree.
    """

    origin: str
    ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    widths: NDArray[np.int64]
    places: NDArray[np.int64]
    unit: str = "row"

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or not self.vectors.size:
            raise DataError(
                f"{self.origin}: an array of shape {self.vectors.shape} holds no vectors",
                hint="a table of vectors has shape (rows, dimensions)",
            )
        lengths = {len(self.ids), len(self.vectors), len(self.widths), len(self.places)}
        if len(lengths) > 1:
            raise DataError(
                f"{self.origin}: {len(self.vectors)} vectors for {len(self.ids)} ids",
                hint="the ids must be those of the rows, one each and in their order; a .csv of "
                "ids has a header line, a .txt has none",
            )

    @classmethod
    def of_matrix(cls, origin: str, ids: tuple[str, ...], matrix: NDArray[np.generic]) -> IdVectors:
        """All rows of a matrix of numbers."""
        if matrix.dtype.kind not in "fiu":
            raise DataError(f"{origin} holds {matrix.dtype}, not numbers")
        vectors = to_float32(matrix)
        widths = np.full(len(vectors), vectors.shape[1] if vectors.ndim == 2 else 0, dtype=np.int64)
        places = np.arange(1, len(vectors) + 1) if vectors.ndim else np.empty(0, dtype=np.int64)
        return cls(origin, ids, vectors, widths, places)

    @property
    def dim(self) -> int:
        """D."""
        return int(self.vectors.shape[1])

    def select(self, rows: NDArray[np.bool_]) -> IdVectors:
        """The chosen rows."""
        kept = np.flatnonzero(rows)
        ids = tuple(self.ids[row] for row in kept)
        arrays = (self.vectors[kept], self.widths[kept], self.places[kept])
        return IdVectors(self.origin, ids, *arrays, self.unit)

    def named(self, row: int) -> str:
        """``line 12, id '343'``."""
        return f"{self.unit} {self.places[row]}, id {self.ids[row]!r}"


def to_float32(matrix: NDArray[np.generic]) -> NDArray[np.float32]:
    """The same values; those too large for the type become infinite, and are reported as that."""
    with np.errstate(over="ignore"):
        return np.asarray(matrix).astype(np.float32)


def side_by_side(parts: Sequence[IdVectors]) -> IdVectors:
    """Several tables as one wide one, over the ids that all of them have.

    Raises:
        DataError: an id occurs twice, so that it is not said which rows belong together.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    positions = [{id_: row for row, id_ in enumerate(part.ids)} for part in parts]
    for part, position in zip(parts, positions, strict=True):
        if len(position) < len(part.ids):
            raise DataError(f"{part.origin}: {len(part.ids) - len(position)} ids are repeated")
    ids = tuple(id_ for id_ in first.ids if all(id_ in position for position in positions))
    rows = [[position[id_] for id_ in ids] for position in positions]
    pairs = list(zip(parts, rows, strict=True))
    return IdVectors(
        f"{first.origin} and {len(parts) - 1} beside it",
        ids,
        np.hstack([part.vectors[at] for part, at in pairs]),
        np.sum([part.widths[at] for part, at in pairs], axis=0),
        first.places[rows[0]],
        first.unit,
    )


def constant_rows(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) which rows repeat one value other than 0; none where D is 1."""
    if vectors.shape[1] < 2:
        return np.zeros(len(vectors), dtype=bool)
    first = vectors[:, :1]
    return np.asarray((vectors == first).all(axis=1) & (first[:, 0] != 0))


def constant_columns(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(D,) which columns have one value in all rows; none where there are fewer than two."""
    if len(vectors) < 2:
        return np.zeros(vectors.shape[1], dtype=bool)
    return np.asarray((vectors == vectors[:1]).all(axis=0))


def with_medians(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows with the median of a column's finite values where one is not finite.

    A column without any finite value becomes 0.
    """
    bad = ~np.isfinite(vectors)
    if not bad.any():
        return vectors
    filled = vectors.copy()
    for column in np.flatnonzero(bad.any(axis=0)):
        good = vectors[~bad[:, column], column]
        filled[bad[:, column], column] = np.median(good) if len(good) else 0
    return filled

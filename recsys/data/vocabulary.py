"""External ids and row numbers, and nothing in between.

Words: an *id* is external and always a string; a *row* is an int32 position in a ``Vocabulary``;
row -1 means "no item".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recsys.data.files import fingerprint
from recsys.errors import DataError, UnknownIdError, nearest

Unknown = Literal["error", "drop", "minus_one"]
"""What becomes of an id that is not in a vocabulary: you say so at the call."""


def as_id(value: object, *, kind: str = "id") -> str:
    """The id that a value means: a string, an integer, or a float without decimals.

    Raises:
        DataError: it is empty, missing, a truth value, or of another type.
    """
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    raise DataError(
        f"{value!r} is no {kind} id", hint="an id is a string or an integer, and is not empty"
    )


class Vocabulary:
    """An immutable bijection between ids and rows ``0 … n-1``.

    Args:
        ids: the ids, in row order.
        kind: what they name, for messages ("user", "movie").

    Raises:
        DataError: an id is empty or occurs twice.
    """

    def __init__(self, ids: Iterable[str], *, kind: str = "id") -> None:
        self.kind = kind
        self._ids = tuple(str(i) for i in ids)
        self._row = {id_: row for row, id_ in enumerate(self._ids)}
        if len(self._row) != len(self._ids):
            twice = [f"row {r}: {i!r}" for r, i in enumerate(self._ids) if self._row[i] != r]
            raise DataError(f"{len(twice)} {kind} ids occur more than once", rows=twice)
        if "" in self._row:
            raise DataError(f"an empty {kind} id at row {self._row['']}")

    @classmethod
    def from_values(cls, values: Iterable[str], *, kind: str = "id") -> Vocabulary:
        """The distinct values, sorted as numbers where all are numbers, else as text."""
        distinct = {str(value) for value in values}
        numeric = all(value.isascii() and value.isdigit() for value in distinct)
        key = (lambda v: (int(v), v)) if numeric else (lambda v: (0, v))
        return cls(sorted(distinct, key=key), kind=kind)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids in row order."""
        return self._ids

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the ids and their order."""
        return fingerprint(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._ids == other._ids

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} {self.kind} ids, {self.fingerprint[:12]})"

    def id(self, row: int) -> str:
        """The id at a row.

        Raises:
            IndexError: the row is outside ``0 … n-1``; negative rows do not count from the end.
        """
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} is outside 0…{len(self) - 1} of {self!r}")
        return self._ids[row]

    def row(self, id_: str | int) -> int:
        """The row of one id; an integer means the id of its digits.

        Raises:
            UnknownIdError: the id is not here; the error names the nearest ones.
            DataError: it is empty, missing, or not a string or an integer.
        """
        name = as_id(id_, kind=self.kind)
        try:
            return self._row[name]
        except KeyError:
            raise UnknownIdError(self.kind, name, nearest(name, self._ids)) from None

    def rows(self, ids: Sequence[str], *, unknown: Unknown) -> NDArray[np.int32]:
        """The rows of many ids.

        Args:
            ids: external ids, repeats allowed.
            unknown: raise, leave out, or give -1.

        Raises:
            DataError: ids are unknown and ``unknown`` is "error".
        """
        found = np.fromiter((self._row.get(i, -1) for i in ids), np.int32, count=len(ids))
        missing = found < 0
        if unknown == "error" and missing.any():
            rows = [f"position {p}: {ids[p]!r}" for p in np.flatnonzero(missing)[:5]]
            raise DataError(
                f"{int(missing.sum())} of {len(ids)} {self.kind} ids are unknown",
                rows=rows,
                count=int(missing.sum()),
                hint="pass unknown='drop' or 'minus_one' if that is expected",
            )
        return found[~missing] if unknown == "drop" else found

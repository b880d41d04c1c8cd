"""What is wrong with the rows of a source, and what is done about it.

Legend: N rows of the source, R rows that are still good, D dimensions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recsys.config.imports import ImportPolicy
from recsys.errors import DataError
from recsys.features.published.vectors import (
    IdVectors,
    constant_columns,
    constant_rows,
    with_medians,
)

SHOWN = 5
_STAY = frozenset({"keep", "median"})


class Fault(StrEnum):
    """What can be wrong with rows and columns."""

    UNKNOWN_ID = "unknown id"
    WRONG_DIM = "wrong number of values"
    NAN = "NaN"
    INFINITE = "infinite"
    ZERO_ROW = "all-zero row"
    CONSTANT_ROW = "constant row"
    EQUAL_ROWS = "repeated id, same vector"
    CONFLICTING_ROWS = "repeated id, other vector"
    CONSTANT_COLUMN = "constant column"


_OPTIONS = {
    Fault.UNKNOWN_ID: "on_unknown_id",
    Fault.WRONG_DIM: "on_wrong_dim",
    Fault.NAN: "on_nonfinite",
    Fault.INFINITE: "on_nonfinite",
    Fault.ZERO_ROW: "on_zero_row",
    Fault.CONSTANT_ROW: "on_constant_row",
    Fault.CONFLICTING_ROWS: "on_duplicate",
    Fault.CONSTANT_COLUMN: "on_constant_column",
}


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one source.

    Attributes:
        fault: which.
        count: rows, or columns, that have it.
        examples: the first five.
        choice: what was done: an option of ``ImportPolicy``, or "first" for equal rows.
        removed: rows that were left out for it.
    """

    fault: Fault
    count: int
    examples: tuple[str, ...]
    choice: str
    removed: int


class Audit:
    """Removes the rows that are not right, one kind of fault after the other.

    A kind is looked for among the rows that the kinds before it have left, so that a row is counted
    once. Rows to be refused are removed as well, until all kinds are known: ``refuse`` names them.

    Args:
        found: the rows of the source.
        policy: what to do with each kind.

    Attributes:
        findings: the faults that were there.
        rows: (R,) rows of the source that are good.
        vectors: (R, D) their vectors, finite.
    """

    def __init__(self, found: IdVectors, policy: ImportPolicy) -> None:
        self.findings: list[Finding] = []
        self.rows = np.arange(len(found.ids))
        self.vectors = found.vectors
        self._found = found
        self._policy = policy

    def run(self, known: Collection[str]) -> None:
        """Look for every kind of fault.

        Args:
            known: the ids that name a movie.
        """
        self._settle(Fault.UNKNOWN_ID, np.array([i not in known for i in self._found.ids]))
        self._settle(Fault.WRONG_DIM, self._found.widths[self.rows] != self._found.dim)
        self._settle(Fault.NAN, np.isnan(self.vectors).any(axis=1))
        self._settle(Fault.INFINITE, np.isinf(self.vectors).any(axis=1))
        self.vectors = with_medians(self.vectors)
        self._settle(Fault.ZERO_ROW, ~self.vectors.any(axis=1))
        self._settle(Fault.CONSTANT_ROW, constant_rows(self.vectors))
        self._settle_repeats()
        self._note_constant_columns()

    @property
    def ids(self) -> list[str]:
        """The ids of the good rows."""
        return [self._found.ids[row] for row in self.rows]

    def refuse(self) -> None:
        """Refuse the source if a fault is to be refused, or nothing is left.

        Raises:
            DataError: it is.
        """
        refused = [finding for finding in self.findings if finding.choice == "error"]
        if refused:
            first, options = refused[0], sorted({_OPTIONS[finding.fault] for finding in refused})
            raise DataError(
                f"{self._found.origin}: {_summary(refused)} among {len(self._found.ids)} rows",
                rows=first.examples,
                count=first.count,
                hint=f"correct the file, or choose another {', '.join(options)} in the policy",
            )
        if not len(self.rows):
            raise DataError(
                f"{self._found.origin}: none of its {len(self._found.ids)} rows can be used: "
                f"{_summary(self.findings)}",
                rows=[example for finding in self.findings for example in finding.examples],
                hint="do the ids name what key says: movies of the data set, or films?",
            )

    def _settle(self, fault: Fault, bad: NDArray[np.bool_]) -> None:
        choice = getattr(self._policy, _OPTIONS[fault])
        # A row without one finite value says nothing: medians would invent a movie's vector.
        empty = ~np.isfinite(self.vectors).any(axis=1)
        removed = bad & ((choice not in _STAY) | empty)
        self._note(fault, np.flatnonzero(bad), choice, removed=removed)

    def _note(
        self, fault: Fault, bad: NDArray[np.int64], choice: str, removed: NDArray[np.bool_]
    ) -> None:
        if not len(bad):
            return
        examples = tuple(self._named(position, fault) for position in bad[:SHOWN])
        self.findings.append(Finding(fault, len(bad), examples, choice, int(removed.sum())))
        if removed.any():
            self.rows, self.vectors = self.rows[~removed], self.vectors[~removed]

    def _named(self, position: int, fault: Fault) -> str:
        named = self._found.named(self.rows[position])
        if fault is Fault.WRONG_DIM:
            return f"{named}: {self._found.widths[self.rows[position]]} values"
        if fault in {Fault.NAN, Fault.INFINITE}:
            columns = np.flatnonzero(~np.isfinite(self.vectors[position]))
            return f"{named}, number {columns[0] + 1}: {self.vectors[position, columns[0]]}"
        return named

    def _settle_repeats(self) -> None:
        """First the rows that say the same again, then those that say something else."""
        if len(set(self.ids)) == len(self.rows):
            return
        rows = pd.DataFrame({"id": self.ids, "vector": [row.tobytes() for row in self.vectors]})
        again = rows.duplicated().to_numpy()
        self._note(Fault.EQUAL_ROWS, np.flatnonzero(again), "first", removed=again)
        ids, choice = pd.Series(self.ids), self._policy.on_duplicate
        bad = ids.duplicated(keep=False).to_numpy()
        removed = ids.duplicated().to_numpy() if choice == "first" else bad
        self._note(Fault.CONFLICTING_ROWS, np.flatnonzero(bad), choice, removed=removed)

    def _note_constant_columns(self) -> None:
        constant = np.flatnonzero(constant_columns(self.vectors))
        if len(constant):
            shown = tuple(f"column {c + 1}: {self.vectors[0, c]:g}" for c in constant[:SHOWN])
            choice = self._policy.on_constant_column
            finding = Finding(Fault.CONSTANT_COLUMN, len(constant), shown, choice, 0)
            self.findings.append(finding)


def _summary(findings: Sequence[Finding]) -> str:
    return ", ".join(f"{finding.fault}: {finding.count}" for finding in findings)

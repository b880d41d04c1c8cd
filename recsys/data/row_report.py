"""The account of a ratings file: how many rows could be used, and what was wrong with the rest."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.data.files import atomic_write
from recsys.errors import ConfigError, DataError


class Reason(StrEnum):
    """Why a row cannot be used; a row with several faults is given the first of these."""

    FIELD_COUNT = "wrong number of fields"
    EMPTY_ID = "empty user or movie id"
    RATING_NOT_FINITE = "rating is NaN or infinite"
    RATING_NOT_A_NUMBER = "rating is not a number"
    RATING_OFF_SCALE = "rating is off the scale"
    TIME_NOT_A_NUMBER = "time is not a number"
    TIME_OUT_OF_RANGE = "time is negative or after the year 9999"
    DUPLICATE = "user and movie already rated above"


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be used.

    Attributes:
        line: its number, counted from 1.
        reason: what is wrong.
        text: the row as it stands in the file.
    """

    line: int
    reason: Reason
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}: {self.text[:120]!r}"


@dataclass(frozen=True)
class RowReport:
    """What became of the rows of one file. Blank lines are not rows.

    Raises:
        DataError: the counts do not add up.
    """

    source: Path
    total: int
    good: int
    bad: tuple[BadRow, ...] = ()

    def __post_init__(self) -> None:
        if self.total != self.good + len(self.bad):
            raise DataError(
                f"{self.source}: {self.good} good and {len(self.bad)} bad rows do not make "
                f"{self.total}"
            )

    @property
    def counts(self) -> dict[str, int]:
        """Bad rows by reason, only those that occur."""
        found = Counter(row.reason for row in self.bad)
        return {str(reason): found[reason] for reason in Reason if found[reason]}

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        rows = [{"line": r.line, "reason": str(r.reason), "text": r.text} for r in self.bad]
        return {
            "source": str(self.source),
            "total": self.total,
            "good": self.good,
            "bad": len(self.bad),
            "counts": self.counts,
            "rows": rows,
        }

    def write(self, path: Path) -> None:
        """Write the report: all of it as ``.json``, the bad rows alone as ``.csv``.

        Raises:
            ConfigError: the file name ends in something else.
        """
        document = self.to_dict()
        if path.suffix == ".json":
            text = json.dumps(document, ensure_ascii=False, indent=2)
        elif path.suffix == ".csv":
            rows = pd.DataFrame(document["rows"], columns=["line", "reason", "text"])
            text = rows.to_csv(index=False)
        else:
            raise ConfigError(
                f"a report is not written as {path.name!r}", hint="end the name in .csv or .json"
            )
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

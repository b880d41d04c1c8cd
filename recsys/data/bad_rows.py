"""Which rows of a ratings table can be used, and the account of what is wrong with the others.

Legend: N rows with the right number of fields.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.data.files import atomic_write
from recsys.data.interactions import RatingScale, repeated_pairs
from recsys.data.rawtable import RawTable
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


OnBadRow = Literal["error", "quarantine"]
"""Refuse a file with bad rows, or keep the good ones and report the bad ones."""

LAST_TIME = 253_402_300_799
"""The last second of the year 9999: a larger time was not given in seconds."""


_REASONS = tuple(Reason)
_GOOD = -1
_Value = TypeVar("_Value", bound=np.generic)
_NOT_FINITE = {"nan", "inf", "infinity"}


def validate(
    raw: RawTable, scale: RatingScale, on_bad_row: OnBadRow
) -> tuple[pd.DataFrame, RowReport]:
    """Separate the rows that can be used from those that cannot.

    Args:
        raw: columns ``user``, ``item``, ``rating`` and, where the source has it, ``time``.
        scale: ratings outside it are bad.
        on_bad_row: raise, or keep the good rows.

    Returns:
        The good rows in their order (ids as categories, rating float64, time int64 seconds), and
        the report.

    Raises:
        DataError: there are bad rows and ``on_bad_row`` is "error".
    """
    columns = _Columns.of(raw.table)
    reason = columns.reasons(scale)
    bad = _bad_rows(raw, reason)
    good = reason == _GOOD
    report = RowReport(raw.path, len(raw), int(good.sum()), bad)
    if bad and on_bad_row == "error":
        _refuse(report, scale)
    return columns.frame(good), report


def _refuse(report: RowReport, scale: RatingScale) -> None:
    off_scale = str(Reason.RATING_OFF_SCALE) in report.counts
    kinds = ", ".join(f"{reason}: {count}" for reason, count in report.counts.items())
    raise DataError(
        f"{report.source}: {len(report.bad)} of {report.total} rows cannot be used ({kinds})",
        rows=[str(row) for row in report.bad[:5]],
        count=len(report.bad),
        hint="correct them, or keep the good rows with on_bad_row='quarantine' "
        "(--on-bad-row quarantine)"
        + f"; a scale other than {scale.low:g} to {scale.high:g} is said by scale=(low, high) in "
        "Python and in recipe.yaml" * off_scale,
    )


def _bad_rows(raw: RawTable, reason: NDArray[np.int8]) -> tuple[BadRow, ...]:
    wrong = np.flatnonzero(reason != _GOOD)
    field_count = np.full(len(raw.malformed), _code(Reason.FIELD_COUNT))
    line = np.concatenate([raw.malformed, raw.line[wrong]])
    kind = np.concatenate([field_count, reason[wrong]])
    order = np.argsort(line, kind="stable")
    texts = raw.texts(line[order])
    rows = zip(line[order].tolist(), kind[order].tolist(), texts, strict=True)
    return tuple(BadRow(number, _REASONS[code], text) for number, code, text in rows)


@dataclass(frozen=True)
class _Columns:
    """The columns of N rows, read as what they should be; NaN where they cannot."""

    user: pd.Categorical
    item: pd.Categorical
    rating: NDArray[np.float64]
    rating_text: pd.Categorical
    time: NDArray[np.float64] | None

    @classmethod
    def of(cls, table: pa.Table) -> _Columns:
        rating = _categories(table["rating"])
        return cls(
            user=_categories(table["user"]),
            item=_categories(table["item"]),
            rating=_at(rating, _numbers(rating.categories)),
            rating_text=rating,
            time=_times(table["time"]) if "time" in table.column_names else None,
        )

    def reasons(self, scale: RatingScale) -> NDArray[np.int8]:
        """(N,) position of the first fault among ``_REASONS``, ``_GOOD`` for none."""
        faults = self._faults(scale)
        codes = [np.int8(_code(reason)) for reason in faults]
        reason = np.select(list(faults.values()), codes, default=np.int8(_GOOD))
        good = np.flatnonzero(reason == _GOOD)
        pairs = self.user.codes[good], self.item.codes[good]
        again = repeated_pairs(*pairs, n_items=len(self.item.categories))
        reason[good[again]] = _code(Reason.DUPLICATE)
        return reason

    def _faults(self, scale: RatingScale) -> dict[Reason, NDArray[np.bool_]]:
        infinite = _spells_not_finite(self.rating_text)
        faults = {
            Reason.EMPTY_ID: _is_blank(self.user) | _is_blank(self.item),
            Reason.RATING_NOT_FINITE: infinite,
            Reason.RATING_NOT_A_NUMBER: np.isnan(self.rating),
            Reason.RATING_OFF_SCALE: ~scale.contains(self.rating),
        }
        if self.time is not None:
            faults[Reason.TIME_NOT_A_NUMBER] = np.isnan(self.time)
            faults[Reason.TIME_OUT_OF_RANGE] = (self.time < 0) | (self.time > LAST_TIME)
        return faults

    def frame(self, rows: NDArray[np.bool_]) -> pd.DataFrame:
        """The chosen rows."""
        columns = {"user": self.user[rows], "item": self.item[rows], "rating": self.rating[rows]}
        frame = pd.DataFrame(columns)
        if self.time is not None:
            frame["time"] = np.floor(self.time[rows]).astype(np.int64)
        return frame


def _categories(column: pa.ChunkedArray) -> pd.Categorical:
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    categories = pd.Index(encoded.dictionary.to_pylist(), dtype=object)
    codes = encoded.indices.fill_null(-1).to_numpy()
    return pd.Categorical.from_codes(codes, categories=categories)


def _at(texts: pd.Categorical, values: NDArray[_Value]) -> NDArray[_Value]:
    """One value a row from one a category; the last stands for a missing text, whose code is -1."""
    return values[np.asarray(texts.codes)]


def _numbers(texts: pd.Index) -> NDArray[np.float64]:
    values = pd.to_numeric(texts.to_numpy(dtype=object), errors="coerce")
    return np.append(np.asarray(values, dtype=np.float64), np.nan)


def _times(column: pa.ChunkedArray) -> NDArray[np.float64]:
    # Nearly every time is distinct, so the usual case, whole seconds, is left to the fast parser.
    digits = pc.min(pc.and_(pc.ascii_is_decimal(column), pc.less(pc.binary_length(column), 16)))
    if digits.as_py() and not column.null_count:
        return np.asarray(pc.cast(column, pa.int64()).to_numpy(), dtype=np.float64)
    texts = _categories(column)
    return _at(texts, _numbers(texts.categories))


def _is_blank(ids: pd.Categorical) -> NDArray[np.bool_]:
    blank = [not text.strip() for text in ids.categories]
    return _at(ids, np.array([*blank, True]))


def _spells_not_finite(texts: pd.Categorical) -> NDArray[np.bool_]:
    words = [text.strip().lstrip("+-").casefold() in _NOT_FINITE for text in texts.categories]
    return _at(texts, np.array([*words, False]))


def _code(reason: Reason) -> int:
    return _REASONS.index(reason)

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

from recsys.data.files import atomic_write_text
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

    def refusal(self, scale: RatingScale) -> DataError:
        """The error of a file with bad rows that are not to be set aside."""
        off_scale = str(Reason.RATING_OFF_SCALE) in self.counts
        kinds = ", ".join(f"{reason}: {count}" for reason, count in self.counts.items())
        return DataError(
            f"{self.source}: {len(self.bad)} of {self.total} rows cannot be used ({kinds})",
            rows=[str(row) for row in self.bad[:5]],
            count=len(self.bad),
            hint="correct them, or keep the good rows with on_bad_row='quarantine' "
            "(--on-bad-row quarantine)"
            + f"; a scale other than {scale.low:g} to {scale.high:g} is said by scale=(low, high) "
            "in Python and in recipe.yaml" * off_scale,
        )

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
        atomic_write_text(path, text)


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
    frame, faults = _parsed(raw.table, scale)
    codes = [np.int8(_REASONS.index(reason)) for reason in faults]
    reason = np.select(list(faults.values()), codes, default=np.int8(_GOOD))
    good = np.flatnonzero(reason == _GOOD)
    user, item = (frame[name].cat.codes.to_numpy()[good] for name in ("user", "item"))
    again = repeated_pairs(user, item, n_items=len(frame["item"].cat.categories))
    reason[good[again]] = _REASONS.index(Reason.DUPLICATE)
    bad = _bad_rows(raw, reason)
    kept = frame[reason == _GOOD]
    report = RowReport(raw.path, len(raw), len(kept), bad)
    if bad and on_bad_row == "error":
        raise report.refusal(scale)
    return kept.astype({"time": np.int64}) if "time" in kept else kept, report


def _bad_rows(raw: RawTable, reason: NDArray[np.int8]) -> tuple[BadRow, ...]:
    wrong = np.flatnonzero(reason != _GOOD)
    field_count = np.full(len(raw.malformed), _REASONS.index(Reason.FIELD_COUNT))
    line = np.concatenate([raw.malformed, raw.line[wrong]])
    kind = np.concatenate([field_count, reason[wrong]])
    order = np.argsort(line, kind="stable")
    texts = raw.texts(line[order])
    rows = zip(line[order].tolist(), kind[order].tolist(), texts, strict=True)
    return tuple(BadRow(number, _REASONS[code], text) for number, code, text in rows)


def _parsed(
    table: pa.Table, scale: RatingScale
) -> tuple[pd.DataFrame, dict[Reason, NDArray[np.bool_]]]:
    """N rows, NaN where a number cannot be read, and (N,) which have a fault, the first first."""
    user, item, text = (_categories(table[name]) for name in ("user", "item", "rating"))
    rating = _at(text, _numbers(text.categories))
    frame = pd.DataFrame({"user": user, "item": item, "rating": rating})
    faults = {
        Reason.EMPTY_ID: _is_blank(user) | _is_blank(item),
        Reason.RATING_NOT_FINITE: _spells_not_finite(text),
        Reason.RATING_NOT_A_NUMBER: np.isnan(rating),
        Reason.RATING_OFF_SCALE: ~scale.contains(rating),
    }
    if "time" in table.column_names:
        time = _times(table["time"])
        frame["time"] = np.floor(time)
        faults[Reason.TIME_NOT_A_NUMBER] = np.isnan(time)
        faults[Reason.TIME_OUT_OF_RANGE] = (time < 0) | (time > LAST_TIME)
    return frame, faults


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

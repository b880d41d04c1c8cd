"""Vectors in CSV: a header line, then an id and its numbers on each line.

Columns are read by position. An empty field, ``nan`` and ``inf`` are numbers that are not finite.

Legend: N rows, D columns of numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from recsys.data.rawtable import Encoding
from recsys.errors import DataError
from recsys.features.published.vectors import IdVectors

_BLOCK = 1 << 24
"""Bytes parsed at once; a line must fit, and those of 8,192 columns take 200 kB."""


@dataclass(frozen=True)
class CsvSource:
    """Where the text comes from.

    Attributes:
        label: for messages.
        open: gives the bytes, from the start, each time it is called.
        encoding: of the text.
    """

    label: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    encoding: Encoding = "utf-8"

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """The fields of each line and its number, from 1.

        Raises:
            DataError: a field is longer than any number or name.
        """
        codec = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        with self.open() as raw:
            reader = csv.reader(io.TextIOWrapper(raw, codec, errors="replace", newline=""))
            try:
                for fields in reader:
                    yield reader.line_num, fields
            except csv.Error as error:
                raise DataError(f"{self.label}, line {reader.line_num}: {error}") from error


@dataclass
class _Ragged:
    """Lines whose number of fields is not that of the header."""

    lines: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def add(self, row: pa_csv.InvalidRow) -> str:
        self.lines.append(row.number)
        self.ids.append(row.text.partition(",")[0].strip().strip('"'))
        self.widths.append(row.actual_columns - 1)
        return "skip"


def read_csv_vectors(source: CsvSource) -> IdVectors:
    """All rows of a CSV table.

    Raises:
        DataError: there is no header or no row, or a field is not a number: the error names the
            line and the column.
    """
    header = _header(source)
    ragged = _Ragged()
    try:
        with source.open() as raw:
            table = _parse(raw, source, len(header), ragged)
    except pa.ArrowInvalid as error:
        _explain(source, header, error)
    if not table.num_rows:
        rows = zip(ragged.lines, ragged.widths, strict=True)
        raise DataError(
            f"{source.label}: no line has the {len(header)} fields of the header",
            rows=[f"line {line}: {width + 1} fields" for line, width in rows],
            hint="the header names the id and every number",
        )
    return _assemble(source, table, ragged)


def _header(source: CsvSource) -> list[str]:
    first = next(source.lines(), (0, []))[1]
    if len(first) < 2:
        raise DataError(
            f"{source.label}: its first line has {len(first)} fields, an id and numbers are needed",
            hint="fields are separated by commas",
        )
    # A header may well number its columns, as pandas does.
    numbered = [[str(start + n) for n in range(len(first) - 1)] for start in (0, 1)]
    if first[1:] not in numbered and all(map(_is_number, first[1:])):
        raise DataError(
            f"{source.label} has no header: its first line holds numbers",
            hint="put a line with the names of the columns first",
        )
    return first


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse(raw: IO[bytes], source: CsvSource, columns: int, ragged: _Ragged) -> pa.Table:
    names = [f"f{n}" for n in range(columns)]
    types = {name: pa.float32() for name in names[1:]} | {names[0]: pa.string()}
    return pa_csv.read_csv(
        raw,
        # The number of a malformed line is only told to a single thread.
        pa_csv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK,
            skip_rows=1,
            column_names=names,
            encoding=source.encoding,
        ),
        pa_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=ragged.add),
        pa_csv.ConvertOptions(column_types=types),
    )


def _assemble(source: CsvSource, table: pa.Table, ragged: _Ragged) -> IdVectors:
    dim = table.num_columns - 1
    total = table.num_rows + len(ragged.lines)
    lines = np.setdiff1d(np.arange(2, total + 2), ragged.lines)
    ids = [text.strip() for text in table[0].to_pylist()]
    vectors = np.empty((total, dim), dtype=np.float32)
    for column in range(dim):
        vectors[: len(ids), column] = table[column + 1].to_numpy()
    vectors[len(ids) :] = np.nan
    widths = np.concatenate([np.full(len(ids), dim), np.array(ragged.widths, dtype=np.int64)])
    places = np.concatenate([lines, np.array(ragged.lines, dtype=np.int64)])
    found = IdVectors(source.label, (*ids, *ragged.ids), vectors, widths, places, "line")
    return found.select(~_blank(found))


def _blank(found: IdVectors) -> NDArray[np.bool_]:
    """(N,) empty lines, such as the last of many files."""
    unnamed = np.array([id_ == "" for id_ in found.ids])
    return np.asarray(unnamed & np.isnan(found.vectors).all(axis=1))


def _explain(source: CsvSource, header: list[str], error: pa.ArrowInvalid) -> NoReturn:
    """The fields that are not numbers, found the slow way."""
    bad = (
        f"line {line}, column {column + 1} ({header[column]!r}): {fields[column]!r}"
        for line, fields in islice(source.lines(), 1, None)
        for column in range(1, min(len(fields), len(header)))
        if fields[column].strip() and not _is_number(fields[column])
    )
    first = list(islice(bad, 5))
    count = len(first) + sum(1 for _ in bad)
    if not first:
        raise DataError(f"{source.label} cannot be read: {error}") from error
    raise DataError(
        f"{source.label}: {count} fields are not numbers",
        rows=first,
        count=count,
        hint="the first column is the id, every other one a number",
    ) from error

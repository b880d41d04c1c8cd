"""Vectors in CSV: a header line, then an id and its numbers on each line.

Columns are read by position. An empty field, ``nan`` and ``inf`` are numbers that are not finite.

Legend: N rows, D columns of numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from recsys.data.rawtable import Encoding
from recsys.errors import DataError
from recsys.features.published.vectors import IdVectors, to_float32


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
            DataError: it is not text in the encoding, or a field is longer than any number or name.
        """
        codec = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        with self.open() as raw:
            reader = csv.reader(io.TextIOWrapper(raw, codec, newline=""))
            try:
                for fields in reader:
                    yield reader.line_num, fields
            except (csv.Error, UnicodeDecodeError) as error:
                raise DataError(f"{self.label}, line {reader.line_num}: {error}") from error


def read_csv_vectors(source: CsvSource) -> IdVectors:
    """All rows of a CSV table but blank ones, such as the last of many files.

    Raises:
        DataError: there is no header or no row, or a field is not a number: the error names the
            line and the column.
    """
    lines = source.lines()
    header = next(lines, (1, []))[1]
    _require_header(source, header)
    dim, bad = len(header) - 1, list[str]()
    ids, places, widths, vectors = (
        list[str](),
        list[int](),
        list[int](),
        list[NDArray[np.float32]](),
    )
    for line, (id_, *fields) in ((n, row) for n, row in lines if any(map(str.strip, row))):
        ids.append(id_.strip())
        places.append(line)
        widths.append(len(fields))
        try:
            numbers = [*map(float, fields)] if len(fields) == dim else [np.nan] * dim
        except ValueError:
            parsed = [_number(field) for field in fields]
            pairs = enumerate(zip(header[1:], fields, parsed, strict=True), start=2)
            bad += [
                f"line {line}, column {column} ({name!r}): {field!r}"
                for column, (name, field, number) in pairs
                if number is None
            ]
            numbers = [number or 0.0 for number in parsed]
        vectors.append(to_float32(np.array(numbers, dtype=np.float64)))
    _require_numbers(source, bad)
    if dim not in widths:
        raise DataError(
            f"{source.label}: no line has the {dim + 1} fields of the header",
            rows=[f"line {n}: {width + 1} fields" for n, width in zip(places, widths, strict=True)],
            hint="the header names the id and every number",
        )
    arrays = np.stack(vectors), np.array(widths), np.array(places)
    return IdVectors(source.label, tuple(ids), *arrays, "line")


def _require_header(source: CsvSource, header: Sequence[str]) -> None:
    if len(header) < 2:
        raise DataError(
            f"{source.label}: its first line has {len(header)} fields, not an id and numbers",
            hint="fields are separated by commas",
        )
    # A header may well number its columns, as pandas does.
    numbered = [[str(start + n) for n in range(len(header) - 1)] for start in (0, 1)]
    names = header[1:]
    if names not in numbered and all(n.strip() and _number(n) is not None for n in names):
        raise DataError(
            f"{source.label} has no header: its first line holds numbers",
            hint="put a line with the names of the columns first",
        )


def _require_numbers(source: CsvSource, bad: Sequence[str]) -> None:
    if bad:
        raise DataError(
            f"{source.label}: {len(bad)} fields are not numbers",
            rows=bad[:5],
            count=len(bad),
            hint="the first column is the id, every other one a number",
        )


def _number(text: str) -> float | None:
    try:
        return float(text) if text.strip() else np.nan
    except ValueError:
        return None

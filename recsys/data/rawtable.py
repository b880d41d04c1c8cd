"""A table as it stands in its file, text or Parquet: text, and the line each row came from.

One line is one row, so that a bad row can be named by its line and cannot swallow its neighbours.

Legend: N rows with the right number of fields, M rows without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.errors import DataError, did_you_mean

Encoding = Literal["utf-8", "latin-1", "cp1252"]


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that must hold something.

    Raises:
        DataError: it is missing, unreadable or empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="check the path and its permissions"
        ) from error
    if not data or data.isspace():
        raise DataError(f"{path} is empty", hint="fetch or export the file again")
    return data


def decode(path: Path, data: bytes, encoding: Encoding) -> bytes:
    r"""The text as UTF-8, every line ended by ``\n``, without a byte order mark.

    Raises:
        DataError: the bytes are not text in that encoding; names the offset and the line.
    """
    # No encoding of ours uses zero bytes, UTF-16 does.
    offset = data.find(b"\x00")
    try:
        text = data if data.isascii() else data.decode(encoding).encode()
    except UnicodeDecodeError as error:
        offset = error.start
    if offset >= 0:
        line = data.count(b"\n", 0, offset) + 1
        raise DataError(
            f"{path}: byte 0x{data[offset]:02x} at offset {offset} (line {line}) is not "
            f"{encoding} text",
            hint=f"save the file as {encoding}",
        )
    text = text.removeprefix("\ufeff".encode())
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text if text.endswith(b"\n") else text + b"\n"


UNIT_SEPARATOR = "\x1f"
"""Stands in for delimiters that are longer than one character or protected by quotes."""

Lines = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out.

    Attributes:
        delimiter: what separates fields; one character or more.
        encoding: of the bytes.
        columns: names in order; () when the first line names them.
        quoted: whether double quotes protect delimiters.
    """

    delimiter: str
    encoding: Encoding = "utf-8"
    columns: tuple[str, ...] = ()
    quoted: bool = False


@dataclass(frozen=True)
class RawTable:
    """Rows of text and where they stand. Blank lines are not rows.

    Attributes:
        path: the file.
        table: N rows of text columns.
        line: (N,) number of the line (of the row, in Parquet), counted from 1.
        malformed: (M,) lines whose number of fields is wrong.
        texts: gives the text of lines.
    """

    path: Path
    table: pa.Table
    line: Lines
    malformed: Lines
    texts: Callable[[Lines], list[str]]

    def __len__(self) -> int:
        return len(self.line) + len(self.malformed)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names."""
        return tuple(self.table.column_names)

    def select(self, columns: dict[str, str]) -> RawTable:
        """The columns that are the values of ``columns``, renamed to its keys.

        Raises:
            DataError: a column is not in the file; the error names the nearest one that is.
        """
        require_columns(self.path, self.columns, list(columns.values()))
        at = [self.columns.index(name) for name in columns.values()]
        table = self.table.select(at).rename_columns(list(columns))
        return replace(self, table=table)

    def strict(self) -> dict[str, list[str]]:
        """Every column as a list, of a file in which each line must be right.

        Raises:
            DataError: a line has the wrong number of fields.
        """
        if len(self.malformed):
            first = self.malformed[:5]
            shown = zip(first.tolist(), self.texts(first), strict=True)
            raise DataError(
                f"{self.path}: {len(self.malformed)} lines do not have {len(self.columns)} fields",
                rows=[f"line {line}: {text[:120]!r}" for line, text in shown],
                count=len(self.malformed),
                hint="correct these lines: only rows of ratings can be set aside",
            )
        return {name: self.table[name].to_pylist() for name in self.columns}


def require_columns(path: Path, have: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse a file that lacks a column.

    Raises:
        DataError: naming the column, those that are there, and the nearest of them.
    """
    for name in wanted:
        if name not in have:
            raise DataError(
                f"{path}: there is no column {name!r}; its columns are {', '.join(have)}",
                hint=did_you_mean(name, have, "name the columns of this file"),
            )


def read_delimited(path: Path, layout: Layout) -> RawTable:
    """The rows of a text file, none of them interpreted.

    Raises:
        DataError: the file is missing, empty, or not text in the encoding.
    """
    text = decode(path, read_bytes(path), layout.encoding)
    header = io.BytesIO(text).readline().decode().rstrip("\n")
    names = layout.columns or tuple(name.strip() for name in split_fields(header, layout))
    skip = 0 if layout.columns else 1
    body, delimiter = _with_plain_delimiter(text, layout)
    table, malformed = _split(path, body, delimiter, len(names), skip)
    raw = RawTable(
        path,
        table.rename_columns(list(names)),
        _lines_besides(malformed, skip, table.num_rows),
        malformed,
        lambda lines: _texts(text, lines),
    )
    raw = _without_blank_lines(raw)
    if not len(raw):
        raise DataError(f"{path} is empty: it has a header and no rows")
    return raw


def _lines_besides(malformed: Lines, skip: int, rows: int) -> Lines:
    lines = np.arange(skip + 1, skip + 1 + rows + len(malformed), dtype=np.int64)
    return np.setdiff1d(lines, malformed, assume_unique=True)


def _without_blank_lines(raw: RawTable) -> RawTable:
    # The parser makes a row of empty fields of an empty line, and a malformed row of one of spaces.
    empty = pc.equal(raw.table.column(0), "").to_numpy()
    suspects = np.union1d(raw.malformed, raw.line[empty])
    blank = [
        line
        for line, text in zip(suspects.tolist(), raw.texts(suspects), strict=True)
        if not text.strip(" ")
    ]
    if not blank:
        return raw
    keep = ~np.isin(raw.line, blank)
    malformed = np.setdiff1d(raw.malformed, blank)
    return replace(
        raw, table=raw.table.filter(pa.array(keep)), line=raw.line[keep], malformed=malformed
    )


def split_fields(line: str, layout: Layout) -> list[str]:
    """The fields of one line."""
    if not (layout.quoted and '"' in line):
        return line.split(layout.delimiter)
    try:
        return next(csv.reader([line], delimiter=layout.delimiter))
    except csv.Error:
        return [line]


def _with_plain_delimiter(text: bytes, layout: Layout) -> tuple[bytes, str]:
    if layout.quoted and b'"' in text:
        lines = (split_fields(line, layout) for line in text.decode().split("\n"))
        return "\n".join(UNIT_SEPARATOR.join(line) for line in lines).encode(), UNIT_SEPARATOR
    if len(layout.delimiter) > 1:
        return text.replace(layout.delimiter.encode(), UNIT_SEPARATOR.encode()), UNIT_SEPARATOR
    return text, layout.delimiter


def _split(
    path: Path, body: bytes, delimiter: str, width: int, skip: int
) -> tuple[pa.Table, Lines]:
    malformed: list[int] = []

    def note(row: pa_csv.InvalidRow) -> str:
        malformed.append(row.number)
        return "skip"

    # Positions stand in for the names, which a file may repeat. Rows are numbered only when they
    # are read by one thread.
    names = [str(position) for position in range(width)]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(body),
            pa_csv.ReadOptions(column_names=names, skip_rows=skip, use_threads=False),
            pa_csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} cannot be split into fields: {error}") from error
    return table, np.array(malformed, dtype=np.int64)


def _texts(text: bytes, wanted: Lines) -> list[str]:
    if not len(wanted):
        return []
    found = dict.fromkeys(wanted.tolist(), "")
    for number, line in enumerate(io.BytesIO(text), start=1):
        if number in found:
            found[number] = line.decode().rstrip("\n")
    return list(found.values())


def parquet_columns(path: Path) -> tuple[str, ...]:
    """The column names of a Parquet file.

    Raises:
        DataError: it is not one.
    """
    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not a Parquet file: {error}") from error


def parquet_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The columns of a Parquet file, all unless told.

    Raises:
        DataError: it is not a Parquet file, has no rows, or lacks a column.
    """
    require_columns(path, parquet_columns(path), columns or ())
    table = pq.read_table(path, columns=None if columns is None else list(columns))
    if not table.num_rows:
        raise DataError(f"{path} is empty: it has columns and no rows")
    return table


def read_parquet(path: Path) -> RawTable:
    """The rows of a Parquet file; ``line`` counts rows from 1.

    Raises:
        DataError: it is not a Parquet file, has no rows, or a column holds lists or bytes.
    """
    table = parquet_table(path)
    text = [as_text(path, name, table[name]) for name in table.column_names]
    return text_rows(path, pa.table(text, names=table.column_names))


def text_rows(path: Path, table: pa.Table) -> RawTable:
    """The rows of a table of text, numbered from 1."""

    def texts(rows: Lines) -> list[str]:
        taken = table.take(pa.array(rows - 1)).to_pylist()
        return [", ".join(f"{name}={value}" for name, value in row.items()) for row in taken]

    rows = np.arange(1, table.num_rows + 1, dtype=np.int64)
    return RawTable(path, table, rows, np.empty(0, dtype=np.int64), texts)


def as_text(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text: whole floats without decimals, timestamps as seconds.

    Raises:
        DataError: it holds lists or bytes.
    """
    if pa.types.is_timestamp(column.type):
        column = pc.floor_temporal(column, unit="second").cast(pa.timestamp("s")).cast(pa.int64())
    if pa.types.is_floating(column.type) and _is_integral(column):
        column = column.cast(pa.int64())  # ids beside a missing one: 12.0 is the id "12"
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{path}: column {name!r} holds {column.type}, not plain values") from error


def _is_integral(column: pa.ChunkedArray) -> bool:
    exact = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
    return bool(pc.all(exact).as_py())

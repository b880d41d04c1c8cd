"""The cells of a table of movies, as text; a broken row is reported, the others are kept.

Legend: N rows that can be used.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from recsys.data.parquet import parquet_columns
from recsys.data.rawtable import require_columns
from recsys.data.textfile import Encoding, decode, read_bytes
from recsys.errors import DataError


@dataclass(frozen=True)
class ItemRows:
    """Rows about movies, column by column.

    Attributes:
        source: where they come from, for messages.
        columns: name to N cells; "" where a cell is empty.
        malformed: what is wrong with each row that cannot be used.

    Raises:
        DataError: columns differ in length.
    """

    source: str
    columns: Mapping[str, Sequence[str]]
    malformed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({len(cells) for cells in self.columns.values()}) > 1:
            raise DataError(f"{self.source}: its columns differ in length")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def read_items_file(path: Path, wanted: Sequence[str], encoding: Encoding = "utf-8") -> ItemRows:
    """The wanted columns of a ``.csv``, ``.tsv`` or ``.parquet`` file.

    Raises:
        DataError: the file cannot be read, is empty, or lacks a column; the error names the nearest
            one that is there.
    """
    distinct = list(dict.fromkeys(wanted))
    if path.suffix == ".parquet":
        return _read_parquet(path, distinct)
    return _read_csv(path, distinct, encoding)


def _read_parquet(path: Path, wanted: list[str]) -> ItemRows:
    require_columns(path, parquet_columns(path), wanted)
    table = pq.read_table(path, columns=wanted)
    if not table.num_rows:
        raise DataError(f"{path} is empty: it has columns and no rows")
    columns = {name: [_cell(value) for value in table[name].to_pylist()] for name in wanted}
    return ItemRows(str(path), columns)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a column of ids that lacks one of them is a column of floats
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _read_csv(path: Path, wanted: list[str], encoding: Encoding) -> ItemRows:
    text = decode(path, read_bytes(path), encoding).decode()
    delimiter = "\t" if path.suffix == ".tsv" else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader)]
        require_columns(path, header, wanted)
        _require_once(path, header, wanted)
        rows, malformed = _rows(reader, len(header))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error
    if not rows:
        raise DataError(f"{path} has no row of {len(header)} fields", rows=malformed)
    at = {name: header.index(name) for name in wanted}
    columns = {name: [row[position] for row in rows] for name, position in at.items()}
    return ItemRows(str(path), columns, tuple(malformed))


def _require_once(path: Path, header: list[str], wanted: list[str]) -> None:
    for name in wanted:
        if header.count(name) > 1:
            raise DataError(f"{path}: {header.count(name)} columns are called {name!r}")


def _rows(reader: Any, width: int) -> tuple[list[list[str]], list[str]]:
    rows: list[list[str]] = []
    malformed: list[str] = []
    for row in reader:
        if len(row) == width:
            rows.append(row)
        elif row:
            shown = ",".join(row)[:80]
            malformed.append(f"line {reader.line_num}: {len(row)} fields, not {width}: {shown!r}")
    return rows, malformed

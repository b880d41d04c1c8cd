"""The ids of rows that do not name themselves, from a file beside them.

Legend: N rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.parquet import read_parquet
from recsys.data.textfile import decode, read_bytes
from recsys.errors import DataError


def read_ids(path: Path) -> tuple[str, ...]:
    """The N ids in the order of the rows they name.

    ``.txt`` holds one id a line. ``.csv`` (commas or tabs, with a header) and ``.parquet`` hold ids
    in their only column, or ids and row numbers from 0 in two, which is MMRec's id map. ``.json``
    is a list of ids, or an object from ids to row numbers.

    Raises:
        DataError: the file is of another kind, or its row numbers are not 0 … N-1.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path}: ids are read from {', '.join(_READERS)}, not from {path.suffix!r}",
            hint="write one id a line into a .txt",
        )
    return reader(path)


def _text(path: Path) -> str:
    return decode(path, read_bytes(path), "utf-8").decode()


def _lines(path: Path) -> tuple[str, ...]:
    return tuple(line.strip() for line in _text(path).rstrip().split("\n"))


def _csv(path: Path) -> tuple[str, ...]:
    text = _text(path)
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        header, *rows = csv.reader(io.StringIO(text.rstrip() or "\n"), delimiter=delimiter)
    except csv.Error as error:
        raise DataError(f"{path} cannot be split into fields: {error}") from error
    wrong = [f"line {n}: {row}" for n, row in enumerate(rows, start=2) if len(row) != len(header)]
    if wrong or len(header) > 2:
        raise DataError(
            f"{path}: ids come in one column, or in two with their row numbers; the header has "
            f"{len(header)}",
            rows=wrong,
        )
    return _columns(path, list(zip(*rows, strict=True)))


def _json(path: Path) -> tuple[str, ...]:
    try:
        document = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON: {error}") from error
    if isinstance(document, Mapping):
        return _ordered(path, list(document), list(document.values()))
    if not isinstance(document, list) or not all(isinstance(i, str | int) for i in document):
        raise DataError(
            f"{path}: a list of ids, or an object from ids to row numbers, is needed",
        )
    return tuple(str(id_) for id_ in document)


def _parquet(path: Path) -> tuple[str, ...]:
    table = read_parquet(path).table
    if table.num_columns > 2:
        raise DataError(f"{path}: ids come in one column, or in two with their row numbers")
    return _columns(path, [ids_of(column) for column in table.columns])


def ids_of(column: pa.ChunkedArray) -> tuple[str, ...]:
    """A column as ids: 12.0 is the id "12", a missing one is ""."""
    if pa.types.is_floating(column.type) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = column.cast(pa.int64())
    return tuple(text.strip() for text in column.cast(pa.string()).fill_null("").to_pylist())


def _columns(path: Path, columns: Sequence[Sequence[str]]) -> tuple[str, ...]:
    if not columns:
        raise DataError(f"{path} holds no ids")
    if len(columns) == 1:
        return tuple(columns[0])
    return _ordered(path, columns[0], columns[1])


def _ordered(path: Path, ids: Sequence[str], numbers: Sequence[object]) -> tuple[str, ...]:
    of_row = {str(number): id_ for id_, number in zip(ids, numbers, strict=True)}
    missing = [f"row {row}" for row in range(len(ids)) if str(row) not in of_row]
    if missing:
        raise DataError(
            f"{path}: its row numbers are not 0 to {len(ids) - 1}, each once",
            rows=[f"{row} has no id" for row in missing],
        )
    return tuple(of_row[str(row)] for row in range(len(ids)))


_READERS: Mapping[str, Callable[[Path], tuple[str, ...]]] = {
    ".txt": _lines,
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
}

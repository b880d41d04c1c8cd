"""Parquet tables as text, so that they pass through the same checks as text files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.data.rawtable import Lines, RawTable
from recsys.errors import DataError


def parquet_columns(path: Path) -> tuple[str, ...]:
    """The column names of a Parquet file.

    Raises:
        DataError: it is not one.
    """
    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not a Parquet file: {error}") from error


def read_parquet(path: Path, columns: list[str] | None = None) -> RawTable:
    """The rows of a Parquet file; ``line`` counts rows from 1.

    Raises:
        DataError: it is not a Parquet file, has no rows, or a column holds lists or bytes.
    """
    parquet_columns(path)
    table = pq.read_table(path, columns=columns)
    if not table.num_rows:
        raise DataError(f"{path} is empty: it has columns and no rows")
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

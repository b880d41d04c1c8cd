"""Anybody's vectors, from a file of theirs: Parquet, CSV, RecBole's, or NumPy with a file of ids.

Nothing is unpickled. Legend: N rows, D dimensions.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.config.imports import FileImport
from recsys.config.section import expand
from recsys.data.catalogue import EncoderCard
from recsys.data.files import file_sha256
from recsys.data.rawtable import decode, parquet_columns, read_bytes, read_parquet, require_columns
from recsys.data.readers.atomic import read_atomic
from recsys.errors import ConfigError, DataError
from recsys.features.published.csv_vectors import CsvSource, read_csv_vectors
from recsys.features.published.vectors import IdVectors, to_float32


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
    ids, *numbers = reader(path) or [()]
    if not numbers:
        return tuple(ids)
    if len(numbers) > 1:
        raise DataError(f"{path}: ids come in one column, or in two with their row numbers")
    of_row = {str(number): id_ for id_, number in zip(ids, numbers[0], strict=True)}
    missing = [row for row in range(len(ids)) if str(row) not in of_row]
    if missing:
        raise DataError(
            f"{path}: its row numbers are not 0 to {len(ids) - 1}, each once",
            rows=[f"row {row} has no id" for row in missing],
        )
    return tuple(of_row[str(row)] for row in range(len(ids)))


Columns = Sequence[Sequence[Any]]
"""The ids, and row numbers where there are any."""


def _text(path: Path) -> str:
    return decode(path, read_bytes(path), "utf-8").decode()


def _lines(path: Path) -> Columns:
    return [[line.strip() for line in _text(path).rstrip().split("\n")]]


def _csv(path: Path) -> Columns:
    text = _text(path)
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        header, *rows = csv.reader(io.StringIO(text.rstrip() or "\n"), delimiter=delimiter)
    except csv.Error as error:
        raise DataError(f"{path} cannot be split into fields: {error}") from error
    wrong = [f"line {n}: {row}" for n, row in enumerate(rows, start=2) if len(row) != len(header)]
    if wrong or not rows:
        raise DataError(
            f"{path}: {len(wrong)} of {len(rows)} lines are not as wide as the header", rows=wrong
        )
    return list(zip(*rows, strict=True))


def _json(path: Path) -> Columns:
    try:
        document = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON: {error}") from error
    if isinstance(document, Mapping):
        return [list(document), list(document.values())]
    if not isinstance(document, list) or not all(isinstance(i, str | int) for i in document):
        raise DataError(f"{path}: a list of ids, or an object from ids to row numbers, is needed")
    return [[str(id_) for id_ in document]]


def _parquet(path: Path) -> Columns:
    return [ids_of(column) for column in read_parquet(path).table.columns]


def ids_of(column: pa.ChunkedArray) -> tuple[str, ...]:
    """A column as ids: 12.0 is the id "12", a missing one is ""."""
    if pa.types.is_floating(column.type) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = column.cast(pa.int64())
    return tuple(text.strip() for text in column.cast(pa.string()).fill_null("").to_pylist())


_READERS: Mapping[str, Callable[[Path], Columns]] = {
    ".txt": _lines,
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
}


CARD_KEY = b"recsys.encoder_card"
"""Where a Parquet file that was written here keeps the card, among its schema's metadata."""


def read_file(config: FileImport) -> tuple[IdVectors, EncoderCard]:
    """The rows of a file and how they were made.

    Raises:
        ConfigError: an option does not go with the kind of file.
        DataError: the file cannot be used as it is.
    """
    path = expand(config.path)
    kind = path.suffix.lower()
    _require_fitting(config, kind)
    if kind == ".npy":
        found = _read_npy(path, config)
    elif kind == ".parquet":
        found = read_parquet_vectors(path, config.id_column)
    elif _is_atomic(kind):
        found = _read_atomic(path)
    else:
        read_bytes_or_refuse(path)
        found = read_csv_vectors(CsvSource(str(path), lambda: path.open("rb")))
    return found, _card(path, kind, config, found.dim)


def _require_fitting(config: FileImport, kind: str) -> None:
    if kind not in {".parquet", ".csv", ".npy"} and not _is_atomic(kind):
        raise ConfigError(
            f"{config.path}: vectors are read from .parquet, .csv, .npy and RecBole's .…emb, not "
            f"from {kind!r}",
            hint="for an array in memory: numpy.save, and the ids one a line in a .txt",
        )
    for option, needs in (("ids", ".npy"), ("mask", ".npy"), ("id_column", ".parquet")):
        if getattr(config, option) is not None and kind != needs:
            raise ConfigError(f"{config.path}: {option} goes with a {needs} file")
    if kind == ".npy" and config.ids is None:
        raise ConfigError(f"{config.path} holds no ids", hint="give a file of ids: --ids FILE")


def _is_atomic(kind: str) -> bool:
    """RecBole leaves the suffix of such files to their author; those of this package end so."""
    return len(kind) > len(".emb") and kind.endswith("emb")


def _read_atomic(path: Path) -> IdVectors:
    columns = list(read_atomic(path).values())
    if len(columns) != 2 or not columns[0] or not isinstance(columns[1][0], tuple):
        raise DataError(f"{path}: an id:token and an emb:float_seq are needed, and no more")
    return _from_lists(path, tuple(columns[0]), pa.chunked_array([columns[1]]))


def read_bytes_or_refuse(path: Path) -> None:
    """Refuse a file that is missing or empty, without reading all of it.

    Raises:
        DataError: it is.
    """
    if not path.is_file() or not path.stat().st_size:
        read_bytes(path)


def _read_npy(path: Path, config: FileImport) -> IdVectors:
    matrix = _load_npy(path)
    ids = read_ids(expand(config.ids)) if config.ids is not None else ()
    found = IdVectors.of_matrix(str(path), ids, matrix)
    if config.mask is None:
        return found
    mask = _load_npy(expand(config.mask))
    if mask.dtype != np.bool_ or mask.shape != (len(ids),):
        raise DataError(
            f"{config.mask}: {mask.dtype} of shape {mask.shape}, a mask of {len(ids)} rows is bool "
            f"of shape ({len(ids)},)"
        )
    return found.select(np.asarray(mask, dtype=bool))


def _load_npy(path: Path) -> NDArray[np.generic]:
    read_bytes_or_refuse(path)
    try:
        loaded: NDArray[np.generic] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(
            f"{path} is not an array that can be read: {error}",
            hint="write it with numpy.save from an array of numbers: pickles are not opened",
        ) from error
    return loaded


def read_parquet_vectors(path: Path, id_column: str | None = None) -> IdVectors:
    """Rows of a Parquet file: ids, and one column of lists or else columns of numbers.

    A row whose list is missing stands for no vector and is left out.

    Args:
        path: the file.
        id_column: the first column unless given.

    Raises:
        DataError: the columns are not those.
    """
    read_bytes_or_refuse(path)
    names = parquet_columns(path)
    if id_column is not None:
        require_columns(path, names, [id_column])
    table = pq.read_table(path)
    ids = ids_of(table[id_column or names[0]])
    others = table.drop_columns([id_column or names[0]])
    lists = [name for name in others.column_names if _is_list(others[name].type)]
    if len(lists) == 1:
        return _from_lists(path, ids, others[lists[0]])
    _require_numbers(path, others)
    columns = [column.cast(pa.float64()).to_numpy() for column in others.columns]
    matrix = np.column_stack(columns) if columns else np.empty((len(ids), 0))
    return IdVectors.of_matrix(str(path), ids, matrix)


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _require_numbers(path: Path, table: pa.Table) -> None:
    bad = [
        f"column {field.name!r}: {field.type}"
        for field in table.schema
        if not (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    ]
    if bad:
        raise DataError(
            f"{path}: {len(bad)} columns are not numbers",
            rows=bad,
            hint="keep the id, and either one column of lists or columns of numbers",
        )


def _from_lists(path: Path, ids: tuple[str, ...], column: pa.ChunkedArray) -> IdVectors:
    given = column.is_valid().to_numpy()
    places = np.flatnonzero(given) + 1
    column = column.filter(column.is_valid())
    try:
        flat = to_float32(pc.list_flatten(column).cast(pa.float64()).to_numpy())
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: its lists do not hold numbers: {error}") from error
    widths = np.asarray(pc.list_value_length(column).to_numpy(), dtype=np.int64)
    dim = int(np.bincount(widths).argmax()) if len(widths) else 0
    vectors = np.full((len(widths), dim), np.nan, dtype=np.float32)
    vectors[widths == dim] = flat[np.repeat(widths == dim, widths)].reshape(-1, dim)
    kept = tuple(ids[place - 1] for place in places)
    return IdVectors(str(path), kept, vectors, widths, places)


def _card(path: Path, kind: str, config: FileImport, dim: int) -> EncoderCard:
    carried = _carried_card(path, dim) if kind == ".parquet" else None
    if carried is not None:
        return carried
    known = config.card.model_dump()
    known["name"] = known["name"] or path.name
    return EncoderCard(**known, revision=file_sha256(path), dim=dim)


def _carried_card(path: Path, dim: int) -> EncoderCard | None:
    text = (pq.read_schema(path).metadata or {}).get(CARD_KEY)
    if text is None:
        return None
    try:
        known = json.loads(text)
        return EncoderCard(**{f.name: known[f.name] for f in fields(EncoderCard)} | {"dim": dim})
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: the encoder card it carries cannot be read: {error}") from error

"""Movies and users as Parquet, in memory: bytes are verified before they are parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.vocabulary import Vocabulary


def users_to_bytes(users: Vocabulary) -> bytes:
    """One column, ``id``, in row order."""
    return _write(pa.table({"id": pa.array(users.ids, pa.string())}))


def users_from_bytes(data: bytes) -> Vocabulary:
    """The users that ``users_to_bytes`` wrote."""
    return Vocabulary(_read(data)["id"].to_pylist(), kind="user")


def movies_to_bytes(catalogue: Catalogue) -> bytes:
    """Columns ``id``, ``title``, ``year`` (or null), ``genres`` and ``film``, in row order."""
    years = [None if year == UNKNOWN_YEAR else int(year) for year in catalogue.years]
    genres = [catalogue.genres_of(row) for row in range(len(catalogue))]
    columns = {
        "id": pa.array(catalogue.items.ids, pa.string()),
        "title": pa.array(catalogue.titles, pa.string()),
        "year": pa.array(years, pa.int32()),
        "genres": pa.array(genres, pa.list_(pa.string())),
        "film": pa.array(catalogue.film_ids or [""] * len(catalogue), pa.string()),
    }
    return _write(pa.table(columns))


def movies_from_bytes(data: bytes, genre_names: Sequence[str]) -> Catalogue:
    """The movies that ``movies_to_bytes`` wrote, their genres in the order given."""
    table = _read(data)
    column = {name: position for position, name in enumerate(genre_names)}
    genres = np.zeros((table.num_rows, len(column)), dtype=bool)
    for row, names in enumerate(table["genres"].to_pylist()):
        genres[row, [column[name] for name in names]] = True
    years = [UNKNOWN_YEAR if year is None else year for year in table["year"].to_pylist()]
    return Catalogue(
        items=Vocabulary(table["id"].to_pylist(), kind="movie"),
        titles=tuple(table["title"].to_pylist()),
        years=np.array(years, dtype=np.int32),
        genre_names=tuple(genre_names),
        genres=genres,
        film_ids=tuple(table["film"].to_pylist()),
    )


def _write(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def _read(data: bytes) -> Any:
    return pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)

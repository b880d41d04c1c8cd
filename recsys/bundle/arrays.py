"""Arrays, histories, movies and users as bytes in memory, verified before they are parsed.

A CSR array travels as four arrays, ``name#data``, ``#indices``, ``#indptr`` and ``#shape``.

Legend: U users, I movies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors.numpy import load, save

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.interactions import Interactions, RatingScale
from recsys.data.vocabulary import Vocabulary

_DATA, _INDICES, _INDPTR, _SHAPE = "#data", "#indices", "#indptr", "#shape"


def flattened(arrays: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Dense arrays alone, in the order of their names."""
    found: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if sp.issparse(array):
            found[name + _DATA], found[name + _INDICES] = array.data, array.indices
            found[name + _INDPTR], found[name + _SHAPE] = array.indptr, np.array(array.shape)
        else:
            found[name] = np.asarray(array)
    return {name: found[name] for name in sorted(found)}


def arrays_to_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Dense and CSR arrays by name; those that are not contiguous are copied."""
    dense = {name: np.asarray(array, order="C") for name, array in flattened(arrays).items()}
    data: bytes = save(dense)
    return data


def arrays_from_bytes(data: bytes) -> dict[str, Any]:
    """What ``arrays_to_bytes`` wrote."""
    dense = load(data)
    found: dict[str, Any] = {n: a for n, a in dense.items() if "#" not in n}
    for name in dense:
        if name.endswith(_DATA):
            stem = name.removesuffix(_DATA)
            entries = dense[name], dense[stem + _INDICES], dense[stem + _INDPTR]
            found[stem] = sp.csr_array(entries, shape=tuple(dense[stem + _SHAPE].tolist()))
    return found


def histories_to_bytes(histories: Interactions, seen: sp.csr_array) -> bytes:
    """Training ratings with their times, where known, and what counts as seen: CSR matrices."""
    matrix, times, scale = histories.matrix(), histories.times(), histories.scale
    arrays = {
        "rating": matrix.data,
        "scale": np.array([scale.low, scale.high]),
        "history/item": matrix.indices.astype(np.int32),
        "history/start": matrix.indptr.astype(np.int64),
        "seen/item": seen.indices.astype(np.int32),
        "seen/start": seen.indptr.astype(np.int64),
    }
    if times is not None:
        arrays["history/time"] = times.data
    return arrays_to_bytes(arrays)


def histories_from_bytes(
    data: bytes, users: Vocabulary, items: Vocabulary
) -> tuple[Interactions, sp.csr_array]:
    """What ``histories_to_bytes`` wrote; ratings are in the order of users, then movies."""
    arrays = load(data)
    counts = np.diff(arrays["history/start"])
    low, high = arrays["scale"].tolist()
    histories = Interactions(
        users=users,
        items=items,
        user=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        item=arrays["history/item"],
        rating=arrays["rating"],
        time=arrays.get("history/time"),
        scale=RatingScale(low, high),
    )
    columns, start = arrays["seen/item"], arrays["seen/start"]
    marks = np.ones(len(columns), dtype=bool)
    return histories, sp.csr_array((marks, columns, start), shape=histories.shape)


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

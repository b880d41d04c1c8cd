"""Arrays of a fitted model, and histories, as safetensors in memory.

A CSR array travels as four arrays, ``name#data``, ``#indices``, ``#indptr`` and ``#shape``.

Legend: U users, I movies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors.numpy import load, save

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

"""Scores from anywhere, a block of users at a time.

Legend: U users, I items, B users of one block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.errors import ConfigError, DataError
from recsys.queries.query import Query, Scorer

Scores = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]


Source = Scorer | Scores | Iterable[Scores]
"""A model, a (U, I) array of scores, or blocks of consecutive rows of one."""


class Shape(NamedTuple):
    """What every source has to fit: U, I, and the largest B."""

    n_users: int
    n_items: int
    block: int


def score_blocks(
    source: Source, users: Rows, shape: Shape, query: Query | None = None
) -> Iterator[tuple[Rows, Scores]]:
    """Rows of some users with their (B, I) scores, in the order of ``users``.

    A model is asked about these users only; arrays are given for all U and the others passed over.

    Args:
        source: where the scores come from; its arrays may be shared with what is yielded.
        users: ascending rows.
        shape: U, I and the largest B.
        query: the U users, for a model; ignored otherwise.

    Raises:
        ConfigError: the source is a model and there is no query.
        DataError: rows or columns do not fit, or a score is NaN.
    """
    if isinstance(source, Scorer):
        found = _from_model(source, users, shape, query)
    else:
        arrays = [source] if isinstance(source, np.ndarray) else source
        found = _from_arrays(arrays, users, shape)
    for rows, scores in found:
        bad = np.isnan(scores).any(axis=1)
        if bad.any():
            raise DataError(
                f"scores hold NaN, first at user row {rows[bad][0]}",
                rows=[f"user row {row}" for row in rows[bad]],
                hint="an item that cannot be scored is -inf",
            )
        yield rows, scores


def _from_model(
    model: Scorer, users: Rows, shape: Shape, query: Query | None
) -> Iterator[tuple[Rows, Scores]]:
    if query is None:
        raise ConfigError("a model is evaluated with the query of its users; there is none")
    if len(query) != shape.n_users:
        raise DataError(f"the query holds {len(query)} users, the truth {shape.n_users}")
    for rows in _chunks(users, shape.block):
        scores = model.score(query.select(rows))
        if scores.shape != (len(rows), shape.n_items):
            raise DataError(
                f"scores of {len(rows)} users from user row {rows[0]} on have shape "
                f"{scores.shape}, the truth has {shape.n_items} items"
            )
        yield rows, scores


def _from_arrays(
    arrays: Iterable[Scores], users: Rows, shape: Shape
) -> Iterator[tuple[Rows, Scores]]:
    start = 0
    for array in map(np.asarray, arrays):
        fits = array.ndim == 2 and array.shape[1] == shape.n_items
        if not fits or start + len(array) > shape.n_users:
            raise DataError(
                f"the block that starts at user row {start} has shape {array.shape}, "
                f"the truth has {shape.n_users} users and {shape.n_items} items"
            )
        here = users[(users >= start) & (users < start + len(array))]
        for rows in _chunks(here, shape.block):
            yield rows, array[rows - start]
        start += len(array)
    if start != shape.n_users:
        raise DataError(f"the blocks hold {start} users, the truth has {shape.n_users}")


def _chunks(rows: Rows, size: int) -> Iterator[Rows]:
    edges = [*range(0, len(rows), size), len(rows)]
    return (rows[start:stop] for start, stop in pairwise(edges))

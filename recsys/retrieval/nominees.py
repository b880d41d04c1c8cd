"""Settling the order of items that a float32 search nominated.

Legend: Q queries, I items, D dimensions, k list length, W nominees of a query.

A native library sums in float32, and in another order for a batch than for one query, so movies
with equal vectors may differ in the last bits. It is therefore asked for a few more than k. The
nominees are scored again in float64 and sorted by score, then row. Where the score of the last one
is within rounding error of the k-th, something that was not nominated might belong in the list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.queries.topk import TopK


def decide(
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    nominees: NDArray[np.int64],
    k: int,
) -> TopK:
    """The k best of (Q, W) nominated rows, by float64 score and then by row; -1 is nobody."""
    theirs = vectors[nominees].astype(np.float64)
    scores = np.einsum("qd,qwd->qw", queries.astype(np.float64), theirs).astype(np.float32)
    scores[nominees < 0] = -np.inf
    order = np.lexsort((nominees, -scores), axis=1)[:, :k]
    each = np.arange(len(order))[:, None]
    items = np.full((len(order), k), -1, dtype=np.int32)
    best = np.full((len(order), k), -np.inf, dtype=np.float32)
    items[:, : order.shape[1]] = nominees[each, order]
    best[:, : order.shape[1]] = scores[each, order]
    return TopK(items, best)


def undecided(
    scores: NDArray[np.float32],
    nominees: NDArray[np.int64],
    k: int,
    magnitude: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """(Q,) whether an item that was not nominated might belong among the k best.

    Args:
        scores: (Q, W) float32 scores in descending order, W > k.
        nominees: (Q, W) their rows; -1 says that nothing more was eligible.
        k: length of the lists.
        magnitude: (Q,) D · ‖q‖ · max‖v‖. A float32 sum of D products is within that times the
            machine epsilon of the true one, whatever the order of summation.
    """
    error = magnitude * np.finfo(np.float32).eps
    gap = scores[:, k - 1].astype(np.float64) - scores[:, -1]
    return np.asarray((gap <= 2 * error) & (nominees[:, -1] >= 0))

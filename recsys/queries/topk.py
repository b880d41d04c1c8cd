"""The k best of a row of scores.

Legend: Q queries, I items, k list length. "Not scoreable" is -inf, "no item" is row -1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.queries.query import Floats


@dataclass(frozen=True)
class TopK:
    """Ranked lists: scores descend, ties go to the lower row, -1 pads.

    Attributes:
        items: (Q, k) int32 rows.
        scores: (Q, k) float32; -inf where there is no item.
    """

    items: NDArray[np.int32]
    scores: Floats

    def __len__(self) -> int:
        return len(self.items)


def inner_products(users: Floats, items: Floats) -> Floats:
    """(Q, I) scores of (Q, D) users and (I, D) items, summed in float64 and rounded once.

    The score of a pair then does not depend on who else is asked about, nor on the library that
    sums: a batch, one user and an index agree to the last digit.
    """
    exact = users.astype(np.float64) @ items.astype(np.float64).T
    return np.asarray(exact, dtype=np.float32)


def top_k(scores: NDArray[np.floating[Any]], k: int) -> TopK:
    """The ``k`` best items of every row of (Q, I) scores.

    Items scored -inf are never returned; a row with fewer than ``k`` others is padded.

    Raises:
        ValueError: a score is NaN, or ``k`` is below 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}, at least 1 is needed")
    scores = np.asarray(scores, dtype=np.float32)
    if np.isnan(scores).any():
        raise ValueError("scores hold NaN")
    width = min(k, scores.shape[1])
    # Partition alone breaks ties at the boundary arbitrarily, so everything tied with the k-th
    # score is sorted with it; a stable sort then keeps the lower row first.
    items = np.full((len(scores), k), -1, dtype=np.int32)
    best = np.full((len(scores), k), -np.inf, dtype=np.float32)
    if width == 0:
        return TopK(items, best)
    last = scores.shape[1] - width
    boundary = np.partition(scores, last, axis=1)[:, last]
    for q, row in enumerate(scores):
        candidates = np.flatnonzero((row >= boundary[q]) & (row > -np.inf))
        order = candidates[np.argsort(-row[candidates], kind="stable")][:width]
        items[q, : len(order)] = order
        best[q, : len(order)] = row[order]
    return TopK(items, best)


def joined(blocks: list[TopK]) -> TopK:
    """The lists of all blocks of queries, in their order."""
    items, scores = zip(*((block.items, block.scores) for block in blocks), strict=True)
    return TopK(np.concatenate(items), np.concatenate(scores))

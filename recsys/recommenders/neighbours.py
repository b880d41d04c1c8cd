"""Nearest neighbours, one block of rows at a time.

Legend: I items, k neighbours, B rows of a block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.queries.topk import top_k

BLOCK_BYTES = 32 * 2**20


def keep_best(
    similarity: Callable[[int, int], NDArray[np.floating[Any]]], n_items: int, k: int
) -> sp.csr_array:
    """The ``k`` most similar others of every item; similarities of 0 or less are not kept.

    Args:
        similarity: gives the (B, I) similarities of the items ``start … stop-1`` to all. It is
            called with blocks small enough for one dense array of 64-bit numbers to stay within
            ``BLOCK_BYTES``, and the array it gives is altered.
        n_items: I.
        k: neighbours of an item.

    Returns:
        (I, I) float32, row i holding the neighbours of item i.
    """
    step = max(1, BLOCK_BYTES // (8 * max(1, n_items)))
    blocks = [
        _best_of_block(similarity(start, min(start + step, n_items)), start, k)
        for start in range(0, n_items, step)
    ]
    return sp.csr_array(sp.vstack(blocks, format="csr"))


def _best_of_block(similar: NDArray[np.floating[Any]], start: int, k: int) -> sp.csr_array:
    own = np.arange(len(similar))
    similar[own, start + own] = 0
    best = top_k(np.where(similar > 0, similar, -np.inf), min(k, similar.shape[1]))
    found = best.items >= 0
    rows = np.repeat(own, found.sum(axis=1))
    return sp.csr_array((best.scores[found], (rows, best.items[found])), shape=similar.shape)

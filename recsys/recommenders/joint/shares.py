"""Shares among what is present, for NumPy arrays and torch tensors alike.

A row of shares sums to one over its present entries and is exactly 0 elsewhere, so it is all 0
where nothing is present; neither values nor gradients are ever infinite or undefined.

Legend: M entries that may be present, such as the modalities of a movie.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

Array = Any
"""A NumPy array or a torch tensor."""


def masked_softmax(logits: Array, present: Array) -> Array:
    """Softmax over the last axis, among present entries alone; 0 where nothing is present.

    Args:
        logits: (…, M), finite.
        present: 1 or 0, of a shape that broadcasts to that of ``logits``.
    """
    xp = array_namespace(logits, present)
    has, below = _below_largest(logits, present, xp)
    exponential = xp.where(has, xp.exp(below), xp.zeros_like(below))
    return exponential / _or_one(xp.sum(exponential, axis=-1, keepdims=True), xp)


def masked_sparsemax(logits: Array, present: Array) -> Array:
    """Sparsemax over the last axis, among present entries alone; 0 where nothing is present.

    ``p_m = max(z_m − τ, 0)`` with τ such that Σ p = 1: the point of the simplex nearest to z, found
    by sorting (Martins & Astudillo, ICML 2016, algorithm 1). Entries far enough below the others
    are exactly 0, and get no gradient.

    Args:
        logits: (…, M), finite.
        present: 1 or 0, of a shape that broadcasts to that of ``logits``.
    """
    xp = array_namespace(logits, present)
    has, below = _below_largest(logits, present, xp)
    zero = xp.zeros_like(below)
    near = has & (below > -1)
    ranked = xp.sort(xp.where(near, below, zero - 2), axis=-1, descending=True)
    rank = xp.cumulative_sum(xp.ones_like(ranked), axis=-1)
    open_ = 1 + rank * ranked > xp.cumulative_sum(ranked, axis=-1)
    lowest = xp.min(xp.where(open_, ranked, zero), axis=-1, keepdims=True)
    support = near & (below >= lowest)
    size = _or_one(xp.sum(xp.where(support, zero + 1, zero), axis=-1, keepdims=True), xp)
    total = xp.sum(xp.where(support, below, zero), axis=-1, keepdims=True)
    above = below - (total - 1) / size
    return xp.where(support & (above > 0), above, zero)


def equal_shares(present: Array) -> Array:
    """1/|P| for each of the P present entries of the last axis; 0 elsewhere."""
    xp = array_namespace(present)
    return present / _or_one(xp.sum(present, axis=-1, keepdims=True), xp)


def _below_largest(logits: Array, present: Array, xp: Any) -> tuple[Array, Array]:
    """What is present, and the logits of it less the largest of them; 0 elsewhere."""
    has = xp.broadcast_to(present > 0, logits.shape)
    lowest = xp.min(logits, axis=-1, keepdims=True)
    largest = xp.max(xp.where(has, logits, lowest), axis=-1, keepdims=True)
    return has, xp.where(has, logits - largest, xp.zeros_like(logits))


def _or_one(total: Array, xp: Any) -> Array:
    return xp.where(total > 0, total, xp.ones_like(total))

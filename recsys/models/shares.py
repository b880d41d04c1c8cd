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


def masked_entmax(logits: Array, present: Array) -> Array:
    """1.5-entmax over the last axis, among present entries alone; 0 where nothing is present.

    ``p_m = max(z_m/2 − τ, 0)²`` with τ such that Σ p = 1, exactly: Peters, Niculae and Martins (ACL
    2019), found by sorting. For a support S of k halves z/2 of mean μ,
    ``τ = μ − √((1 − Σ_S (z/2 − μ)²) / k)``; the root is of 1/k² at least, so the
    gradient is finite.

    Args:
        logits: (…, M), finite.
        present: 1 or 0, of a shape that broadcasts to that of ``logits``.
    """
    xp = array_namespace(logits, present)
    has, below = _below_largest(logits / 2, present, xp)
    zero = xp.zeros_like(below)
    near = has & (below > -2)
    support = near & (below >= _lowest_in_support(xp.where(near, below, zero - 2), xp))
    size = _or_one(xp.sum(xp.where(support, zero + 1, zero), axis=-1, keepdims=True), xp)
    mean = xp.sum(xp.where(support, below, zero), axis=-1, keepdims=True) / size
    apart = xp.where(support, below - mean, zero)
    threshold = mean - xp.sqrt((1 - xp.sum(apart * apart, axis=-1, keepdims=True)) / size)
    above = xp.where(support & (below > threshold), below - threshold, zero)
    return above * above


def equal_shares(present: Array) -> Array:
    """1/|P| for each of the P present entries of the last axis; 0 elsewhere."""
    xp = array_namespace(present)
    return present / _or_one(xp.sum(present, axis=-1, keepdims=True), xp)


def _lowest_in_support(values: Array, xp: Any) -> Array:
    """Smallest of the values that gets a probability, where the largest is 0 and none below −2."""
    ranked = xp.sort(values, axis=-1, descending=True)
    size = xp.cumulative_sum(xp.ones_like(ranked), axis=-1)
    mean = xp.cumulative_sum(ranked, axis=-1) / size
    spread = xp.cumulative_sum(ranked * ranked, axis=-1) - size * mean * mean
    rest = (1 - spread) / size
    threshold = mean - xp.sqrt(xp.where(rest > 0, rest, xp.zeros_like(rest)))
    inside = xp.where(threshold < ranked, ranked, xp.zeros_like(ranked))
    return xp.min(inside, axis=-1, keepdims=True)


def _below_largest(logits: Array, present: Array, xp: Any) -> tuple[Array, Array]:
    """What is present, and the logits of it less the largest of them; 0 elsewhere."""
    has = xp.broadcast_to(present > 0, logits.shape)
    lowest = xp.min(logits, axis=-1, keepdims=True)
    largest = xp.max(xp.where(has, logits, lowest), axis=-1, keepdims=True)
    return has, xp.where(has, logits - largest, xp.zeros_like(logits))


def _or_one(total: Array, xp: Any) -> Array:
    return xp.where(total > 0, total, xp.ones_like(total))

"""From the codes of a movie's modalities to one vector, for NumPy arrays and torch tensors alike.

Every kind adds ``a = Σ_{m absent} a_m / M``, what lacking a modality says (concatenation puts a_m
in the place of m instead), to a mean over what is there, P being the set of present modalities, w a
movie's weights and ũ_m = u_m where m is present, a_m where it is absent:

- sum: ``h = Σ_{m∈P} u_m / |P| + a``; w is 1/|P|.
- concat: ``h = [ũ_1; …; ũ_M]``; w is 1/|P|.
- gated: ``h = Σ_{m∈P} w_m u_m + a`` with ``w = softmax_P(W [ũ_1; …; ũ_M] + b)``: the gated
  multimodal unit of Arevalo et al. (2017) with a softmax for its sigmoids, so that gates are
  shares.
- sparse: the same with sparsemax (Martins & Astudillo, ICML 2016): small gates are exactly 0.

Weights of all zeros make every gate equal, and gated and sparse the same as sum.

Legend: I movies, M modalities, F dimensions of a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

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


class Fused(NamedTuple):
    """One vector a movie.

    Attributes:
        vectors: (I, ``fused_dim``).
        weights: (I, M) how much each modality counts. A row sums to one over the modalities that
            are present and is exactly 0 elsewhere, so it is all 0 where nothing is present.
    """

    vectors: Array
    weights: Array


def fusion_shapes(kind: str, n_modalities: int, dim: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights that a kind learns, without those for lacking a modality."""
    if not n_modalities or kind not in ("gated", "sparse"):
        return {}
    return {"gate/weight": (n_modalities, n_modalities * dim), "gate/bias": (n_modalities,)}


def fused_dim(kind: str, n_modalities: int, dim: int) -> int:
    """Width of the fused vectors; that of one code where there is no modality."""
    return max(n_modalities, 1) * dim if kind == "concat" else dim


def fuse(
    kind: str, codes: Array, present: Array, absent: Array, weights: Mapping[str, Array]
) -> Fused:
    """Fuse the modalities that each movie has; what stands in absent slots is never looked at.

    Args:
        kind: see the top of the module.
        codes: (I, M, F) u_m.
        present: (I, M) 1 where the movie has the modality, 0 elsewhere.
        absent: (M, F) a_m.
        weights: the arrays that ``fusion_shapes`` names.
    """
    xp = array_namespace(codes, present)
    n_movies, n_modalities, dim = codes.shape
    if not n_modalities:
        return Fused(xp.sum(codes, axis=1), present)
    has = (present > 0)[:, :, None]
    side_by_side = xp.reshape(xp.where(has, codes, absent), (n_movies, n_modalities * dim))
    if kind == "concat":
        return Fused(side_by_side, equal_shares(present))
    if kind == "sum":
        shares = equal_shares(present)
    else:
        logits = side_by_side @ weights["gate/weight"].T + weights["gate/bias"]
        # As precise as ``present``: shares of half precision would not sum to one.
        logits = xp.astype(logits, present.dtype, copy=False)
        shares = (masked_sparsemax if kind == "sparse" else masked_softmax)(logits, present)
    there = xp.where(has, codes, xp.zeros_like(codes))
    lack = (1 - present) @ absent / n_modalities
    return Fused(xp.sum(shares[:, :, None] * there, axis=1) + lack, shares)

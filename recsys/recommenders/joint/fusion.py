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

from collections.abc import Callable, Mapping
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


class _Inputs(NamedTuple):
    """What is to be fused.

    Attributes:
        codes: (I, M, F), 0 in place of absent ones.
        filled: (I, M, F), a_m in place of absent ones.
        present: (I, M), 1 or 0.
        lack: (I, F) Σ_{m absent} a_m / M.
    """

    codes: Array
    filled: Array
    present: Array
    lack: Array


def fusion_shapes(kind: str, n_modalities: int, dim: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights that a kind learns, without those for lacking a modality."""
    if not n_modalities:
        return {}
    if kind in ("gated", "sparse"):
        gate = (n_modalities, n_modalities * dim)
        return {"gate/weight": gate, "gate/bias": (n_modalities,)}
    return {}


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
    n_modalities = codes.shape[1]
    if not n_modalities:
        return Fused(xp.sum(codes, axis=1), present)
    has = (present > 0)[:, :, None]
    inputs = _Inputs(
        codes=xp.where(has, codes, xp.zeros_like(codes)),
        filled=xp.where(has, codes, absent),
        present=present,
        lack=(1 - present) @ absent / n_modalities,
    )
    return _KINDS[kind](inputs, weights)


def _weighted(inputs: _Inputs, shares: Array) -> Fused:
    xp = array_namespace(shares)
    return Fused(xp.sum(shares[:, :, None] * inputs.codes, axis=1) + inputs.lack, shares)


def _sum(inputs: _Inputs, _weights: Mapping[str, Array]) -> Fused:
    return _weighted(inputs, equal_shares(inputs.present))


def _concat(inputs: _Inputs, _weights: Mapping[str, Array]) -> Fused:
    return Fused(_side_by_side(inputs.filled), equal_shares(inputs.present))


def _gated(inputs: _Inputs, weights: Mapping[str, Array]) -> Fused:
    return _weighted(inputs, masked_softmax(_gate_logits(inputs, weights), inputs.present))


def _sparse(inputs: _Inputs, weights: Mapping[str, Array]) -> Fused:
    return _weighted(inputs, masked_sparsemax(_gate_logits(inputs, weights), inputs.present))


def _gate_logits(inputs: _Inputs, weights: Mapping[str, Array]) -> Array:
    """(I, M), as precise as ``present``: shares of half precision would not sum to one."""
    xp = array_namespace(inputs.filled)
    logits = _side_by_side(inputs.filled) @ weights["gate/weight"].T + weights["gate/bias"]
    return xp.astype(logits, inputs.present.dtype, copy=False)


def _side_by_side(codes: Array) -> Array:
    n_movies, n_modalities, dim = codes.shape
    return array_namespace(codes).reshape(codes, (n_movies, n_modalities * dim))


_KINDS: dict[str, Callable[[_Inputs, Mapping[str, Array]], Fused]] = {
    "sum": _sum,
    "concat": _concat,
    "gated": _gated,
    "sparse": _sparse,
}

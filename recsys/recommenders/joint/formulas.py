"""The arithmetic of a user, written once for NumPy, SciPy sparse rows and torch tensors alike.

Only operators that all three share are used, so what is trained is what is served.

Legend: Q users, I items, D, R and A dimensions, E stored entries. ``ratings`` (Q, I) holds the
stars, ``rated`` (Q, I) is 1 where there is a rating, ``weights`` (Q, I) says how far each movie
counts as liked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from array_api_compat import array_namespace
from numpy.typing import NDArray

Array = Any
"""A NumPy array, a SciPy sparse array or a torch tensor."""

_NOTHING = 1e-12
_LEAST_LOGIT = -30.0  # a weight e^-30 of another's is lost in a mean, and is still above zero


def liked_mean(weights: Array, vectors: Array) -> Array:
    """(Q, D) weighted mean of the in-embeddings of liked movies; zero for a user who liked none.

    ``u = Σ_j w_j a_j / Σ_j w_j``
    """
    return (weights @ vectors) / weights.sum(axis=1).clip(min=_NOTHING)[:, None]


def attended(weights: Array, keys: Array) -> Array:
    """(Q, I) weights of the user mean after attention over the liked movies.

    ``w_uj · exp(ℓ_uj − max_i ℓ_ui)`` with ``ℓ_uj = k_j · k̄_u / √A`` and ``k̄_u`` the mean key of
    what the user liked: the scaled dot product of Vaswani et al. (NeurIPS 2017, eq. 1), the query
    being the history itself. The result is unnormalised like what came in, so a user stays a
    weighted mean, and the shares of a score stay exact. What was above zero stays above zero.

    Args:
        weights: (Q, I); a sparse array is only ever looked at where it stores an entry.
        keys: (I, A); with A = 0, or all keys 0, nothing changes.
    """
    if not keys.shape[1]:
        return weights
    towards = liked_mean(weights, keys) / keys.shape[1] ** 0.5
    if sp.issparse(weights):
        return _attended_entries(weights, keys, towards)
    xp = array_namespace(weights)
    liked, logits = weights > 0, towards @ keys.T
    top = xp.max(xp.where(liked, logits, -xp.inf), axis=1, keepdims=True)
    # Whatever is not liked may lie above the top, where exp could overflow.
    below = xp.where(liked, logits - top, xp.zeros_like(logits))
    return weights * xp.exp(below.clip(min=_LEAST_LOGIT))


def _attended_entries(weights: sp.csr_array, keys: Array, towards: Array) -> sp.csr_array:
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    logits = np.einsum("ea,ea->e", towards[rows], keys[weights.indices])
    below = logits - row_maxima(logits, weights.indptr)
    data = (weights.data * np.exp(below.clip(min=_LEAST_LOGIT))).astype(weights.dtype)
    entries = (data, weights.indices, weights.indptr)
    return sp.csr_array(entries, shape=weights.shape, copy=True)


def row_maxima(values: NDArray[Any], starts: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """(E,) the largest value among the entries of the same row.

    Args:
        values: (E,) of the entries of a CSR array.
        starts: (Q+1,) its ``indptr``.
    """
    counts = np.diff(starts)
    there = counts > 0  # reduceat would give an empty row the first value of the next
    return np.repeat(np.maximum.reduceat(values, starts[:-1][there]), counts[there])


@dataclass(frozen=True)
class RatingShrinkage:
    """How many average ratings the prior is worth, for a user's bias and for their vector."""

    bias: float
    vector: float


class RatedHistory(NamedTuple):
    """What a user's ratings say about their taste.

    Attributes:
        bias: (Q,) how far above the expectation of the movies they rate.
        vector: (Q, R) shrunk mean of the rating embeddings, weighted by residual.
        noise: (Q,) shrunk mean squared residual, stars².
    """

    bias: Array
    vector: Array
    noise: Array


def rated_history(
    ratings: Array, rated: Array, movie_mean: Array, embeddings: Array, shrinkage: RatingShrinkage
) -> RatedHistory:
    """Bias, residual-weighted vector and noise of each user, from their ratings alone.

    With e_uj = r_uj − m_j − b_u, m_j the mean of movie j, n_u ratings and prior strengths λ:
    ``b_u = Σ_j (r_uj − m_j) / (n_u + λ_b)`` and ``q_u = Σ_j e_uj g_j / (n_u + λ_q)``: the
    user half of Koren's asymmetric SVD (KDD 2008, eq. 12). Sums are expanded into products, so that
    a sparse history is never made dense.

    Args:
        ratings: (Q, I).
        rated: (Q, I).
        movie_mean: (I,) m_j, in stars.
        embeddings: (I, R) g_j.
        shrinkage: the λ.
    """
    count = rated.sum(axis=1)
    total = ratings.sum(axis=1) - rated @ movie_mean
    bias = total / (count + shrinkage.bias)
    pull = ratings @ embeddings - rated @ (movie_mean[:, None] * embeddings)
    vector = (pull - bias[:, None] * (rated @ embeddings)) / (count + shrinkage.vector)[:, None]
    squares = (ratings * ratings).sum(axis=1) - 2 * (ratings @ movie_mean)
    squares = squares + rated @ (movie_mean * movie_mean) - 2 * bias * total + count * bias * bias
    noise = (squares.clip(min=0) + shrinkage.bias) / (count + shrinkage.bias)
    return RatedHistory(bias, vector, noise)

"""The arithmetic of a user, written once for NumPy, SciPy sparse rows and torch tensors alike.

Only operators that all three share are used, so what is trained is what is served.

Legend: Q users, I items, D and R dimensions. ``ratings`` (Q, I) holds the stars, ``rated`` (Q, I)
is 1 where there is a rating, ``weights`` (Q, I) says how far each movie counts as liked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

Array = Any
"""A NumPy array, a SciPy sparse array or a torch tensor."""

_NOTHING = 1e-12


def liked_mean(weights: Array, vectors: Array) -> Array:
    """(Q, D) weighted mean of the in-embeddings of liked movies; zero for a user who liked none.

    ``u = Σ_j w_j a_j / Σ_j w_j``
    """
    return (weights @ vectors) / weights.sum(axis=1).clip(min=_NOTHING)[:, None]


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

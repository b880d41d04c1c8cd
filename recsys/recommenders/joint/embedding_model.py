"""The trained model as plain arrays: everything that is served, and all that is evaluated.

Training (``recsys.recommenders.joint.network``) produces it; NumPy alone runs it.

Legend: Q users, I movies, D ranking and R rating dimensions, G genres, M modalities, N pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.config.experiment import UserConfig
from recsys.data.interactions import RatingScale
from recsys.errors import DataError
from recsys.queries.query import (
    AudiencePrediction,
    Floats,
    Query,
    RatingPrediction,
    Rows,
    rated_mask,
)
from recsys.queries.rating_levels import RatingLevels
from recsys.queries.topk import inner_products
from recsys.recommenders.base import Contributions, UserView
from recsys.recommenders.joint.formulas import (
    RatedHistory,
    RatingShrinkage,
    liked_mean,
    liked_weights,
    rated_history,
)


@dataclass(frozen=True)
class MovieVectors:
    """One row a movie; every array is float32.

    Attributes:
        liked: (I, D) in-embedding a_j: what liking the movie says of a user.
        ranked: (I, D+1) out-embedding o_i and, last, the movie's bias β_i.
        weight: (I,) how much one like of the movie weighs in the user mean.
        rating_in: (I, R) g_j: what a rating of the movie says of a user.
        rating_out: (I, R) t_i.
        rating_mean: (I,) m_i, stars an average user gives.
        log_variance: (I,) v_i, log of stars².
        genre_logits: (I, G) of the content alone.
        audience_mean: (I,) mean stars the movie's audience gives, from the content alone.
        audience_log_variance: (I,) how sure that is, log of stars².
        modality_weights: (I, M) how far each modality counts in the fused content.
    """

    liked: Floats
    ranked: Floats
    weight: Floats
    rating_in: Floats
    rating_out: Floats
    rating_mean: Floats
    log_variance: Floats
    genre_logits: Floats
    audience_mean: Floats
    audience_log_variance: Floats
    modality_weights: Floats

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise DataError(f"movie arrays differ in length: {lengths}")

    @classmethod
    def of(cls, read: Mapping[str, Floats], weight: Floats, modality_weights: Floats) -> Self:
        """From what the heads read; the bias becomes the last dimension of ``ranked``."""
        own = {name: array for name, array in read.items() if name != "rank_bias"}
        own["ranked"] = np.hstack([read["ranked"], read["rank_bias"][:, None]])
        return cls(weight=weight, modality_weights=modality_weights, **own)

    def __len__(self) -> int:
        return len(self.liked)

    def arrays(self) -> dict[str, Floats]:
        """Name to array, for storage."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def append(self, more: MovieVectors) -> MovieVectors:
        """These movies followed by others."""
        joined = {n: np.concatenate([a, more.arrays()[n]]) for n, a in self.arrays().items()}
        return MovieVectors(**joined)


class RatingConstants(NamedTuple):
    """The numbers of the rating and audience heads that belong to no movie."""

    shrinkage: RatingShrinkage
    user_noise: float
    """κ, how far a user's own noise raises their predicted variance."""
    scale: RatingScale
    levels: RatingLevels | None
    """The stars there are, and the thresholds between them; None where ratings are continuous."""
    spread: float = 1.0
    """What calibration multiplies every standard deviation by."""
    vote_std: float = 1.0
    """Standard deviation of one vote around a movie's audience score, stars."""


@dataclass(frozen=True)
class EmbeddingModel:
    """Movies as vectors, users as means of the movies they liked.

    Ranking score of movie i for user u: ``u · o_i + β_i`` with ``u = Σ_j w_j a_j / Σ_j w_j``, one
    inner product, so an index serves it, and a sum over liked movies, so it explains itself.
    Rating: ``η = m_i + b_u + q_u · t_i`` with log variance ``v_i + κ log s²_u``; see
    ``recsys.recommenders.joint.formulas.rated_history`` for b_u, q_u and s²_u. Stars are
    few: η and σ give the probability of each level, and the prediction is the mean of the levels.
    """

    movies: MovieVectors
    rule: UserConfig
    rating: RatingConstants

    def item_vectors(self) -> Floats:
        """(I, D+1) out-embeddings with the bias as the last dimension."""
        return self.movies.ranked

    def user_vectors(self, query: Query) -> Floats:
        """(Q, D+1) user means, then the 1 that meets the movie's bias."""
        return self._means(self.weights(query))

    def _means(self, weights: sp.csr_array) -> Floats:
        mean = liked_mean(weights, self.movies.liked)
        ones = np.ones((len(mean), 1), dtype=np.float32)
        return np.asarray(np.hstack([mean, ones]), dtype=np.float32)

    def weights(self, query: Query) -> sp.csr_array:
        """(Q, I) unnormalised weights of the user mean."""
        return liked_weights(query.histories, self.rule, self.movies.weight)

    def score(self, query: Query) -> Floats:
        """(Q, I) ranking scores."""
        return inner_products(self.user_vectors(query), self.movies.ranked)

    def view(self, query: Query) -> UserView:
        """One user; see ``views``."""
        return self.views(query)[0]

    def views(self, query: Query) -> list[UserView]:
        """Users; each liked movie adds its share of the user mean times the movie asked about.

        ``u · o_i + β_i = Σ_j (w_j / Σ w) a_j · o_i + β_i``
        """
        weights = self.weights(query)
        ends = pairwise(weights.indptr.tolist())
        return [
            self._view(weights.indices[start:stop], weights.data[start:stop], vector)
            for (start, stop), vector in zip(ends, self._means(weights), strict=True)
        ]

    def _view(self, rows: NDArray[np.int32], weights: Floats, vector: Floats) -> UserView:
        def contributions(items: Rows) -> Contributions:
            asked = self.movies.ranked[items]
            pull = asked[:, :-1] @ self.movies.liked[rows].T
            normalised = weights / max(float(weights.sum()), 1e-12)
            return Contributions(rows, pull * normalised, asked[:, -1])

        def scores() -> Floats:
            return np.asarray(inner_products(vector[None], self.movies.ranked)[0])

        return UserView(rows, scores, vector, contributions)

    def taste(self, query: Query) -> RatedHistory:
        """Bias, vector and noise of every user of the query."""
        return rated_history(
            query.histories,
            rated_mask(query.histories),
            self.movies.rating_mean,
            self.movies.rating_in,
            self.rating.shrinkage,
        )

    def latent(self, query: Query, rows: Rows, items: Rows) -> tuple[Floats, Floats]:
        """(N,) η and σ of N ratings, in stars: what the likelihood is made of."""
        taste, movies = self.taste(query), self.movies
        match = np.einsum("nr,nr->n", taste.vector[rows], movies.rating_out[items])
        eta = movies.rating_mean[items] + taste.bias[rows] + match
        noise = self.rating.user_noise * np.log(taste.noise[rows])
        std = self.rating.spread * np.exp((movies.log_variance[items] + noise) / 2)
        return eta.astype(np.float32), std.astype(np.float32)

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Mean (on the scale), standard deviation and level probabilities of N ratings."""
        eta, std = self.latent(query, rows, items)
        if self.rating.levels is not None:
            return self.rating.levels.predict(eta, std)
        scale = self.rating.scale
        return RatingPrediction(np.clip(eta, scale.low, scale.high), std)

    def audience(self) -> AudiencePrediction:
        """(I,) mean stars of each movie's audience, from content alone, and how sure that is."""
        return AudiencePrediction(
            np.clip(self.movies.audience_mean, self.rating.scale.low, self.rating.scale.high),
            np.exp(self.movies.audience_log_variance / 2),
            self.rating.vote_std,
        )

    def genre_probabilities(self) -> Floats:
        """(I, G) probability of each genre, from the movie's content."""
        log_p = -np.logaddexp(0, -self.movies.genre_logits)  # exp of a logit itself may overflow
        return np.asarray(np.exp(log_p), dtype=np.float32)

    def with_movies(self, more: MovieVectors) -> Self:
        """The same model knowing more movies, in rows after its own."""
        return type(self)(self.movies.append(more), self.rule, self.rating)

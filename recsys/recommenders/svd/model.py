"""SVD and SVD++: rating predictors made of vectors, learnt by stochastic gradient descent.

Papers: Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems",
Computer 2009: ``r̂_ui = μ + b_i + b_u + q_iᵀp_u`` (equation 4), fitted to equation 5 by the steps of
Funk, "Netflix Update: Try This at Home", 2006. Koren, "Factorization Meets the Neighborhood: a
Multifaceted Collaborative Filtering Model", KDD 2008:
``r̂_ui = b_ui + q_iᵀ(p_u + |N(u)|^-½ Σ_{j∈N(u)} y_j)`` (equation 15), fitted by the steps of its
section 4. N(u) is the movies u rated in training, since MovieLens has no other feedback.

Legend: U users, Q queries, N pairs, K factors; N(u) the movies that speak for a user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import PositiveInt

from recsys.data.split import TrainingData
from recsys.queries.query import Query, RatingPrediction, Rows
from recsys.recommenders.base import Array, Facts, Recommender
from recsys.recommenders.bias import clipped
from recsys.recommenders.svd.factors import (
    Answer,
    Descent,
    Factors,
    Floats,
    SvdConfig,
    Visit,
    visits,
)


@dataclass(frozen=True)
class SvdPlusPlusConfig(SvdConfig):
    """How factors are learnt; the defaults are those of the library Surprise."""

    factors: PositiveInt = 20
    lr: float = 0.007


class Svd(Recommender):
    """Predicts ``μ + b_u + b_i + q_i·p_u``."""

    name = "svd"
    config_class: ClassVar[type[SvdConfig]] = SvdConfig
    facts = Facts(
        "factors",
        "Surprise's SVD: biased matrix factorisation by gradient descent",
        "Koren, Bell and Volinsky, Computer 2009",
        random=True,
    )
    implicit: ClassVar[bool] = False

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Learns from the ratings alone, user by user.

        Raises:
            ConfigError: there is no rating to learn from.
        """
        train = data.train
        factors = Factors.start(train, self.config, self.name)
        descent, histories = Descent(self.config.lr, self.config.reg), train.matrix()
        chosen = [self._chosen(histories, user) for user in range(len(train.users))]
        epoch = list(visits(train))
        for _ in range(self.config.epochs):
            for visit in epoch:
                factors.learn(visit, chosen[visit.user], descent)
        vectors = [factors.user[user] + factors.choice(one) for user, one in enumerate(chosen)]
        return {"vectors": np.array(vectors), **factors.arrays()}

    def _chosen(self, histories: sp.csr_array, row: int) -> NDArray[np.int32]:
        start, stop = histories.indptr[row : row + 2]
        return np.asarray(histories.indices[start : stop if self.implicit else start])

    @property
    def parameters(self) -> int:
        """Numbers learnt: the mean, and biases and vectors of those with ratings."""
        users, movies = (int(self.arrays()[name].sum()) for name in ("known", "rated"))
        each = 1 + self.config.factors
        return int(1 + users * each + movies * (each + self.config.factors * self.implicit))

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Stars of N pairs; of a user without any history, or a movie nobody rated, the biases.

        Users of the training are answered from what was learnt of them; others take the same steps
        on their histories now, while the movies stand still.
        """
        factors, vectors = Factors.of(self.arrays()), self.arrays()["vectors"]
        self._require_items(query, len(factors.item))
        users = [self._answer(factors, vectors, query, row) for row in range(len(query))]
        bias = np.array([one.bias for one in users])
        vector = np.array([one.vector for one in users]).reshape(-1, factors.item.shape[1])
        taste = np.einsum("nk,nk->n", vector[rows], factors.item[items])
        stars = factors.mean + bias[rows] + factors.item_bias[items] + taste
        return RatingPrediction(clipped(stars, factors.scale))

    def _answer(self, factors: Factors, vectors: Floats, query: Query, row: int) -> Answer:
        user, histories = int(query.users[row]), query.histories
        if user >= 0 and factors.known[user]:
            return Answer(float(factors.user_bias[user]), vectors[user])
        rated = slice(*histories.indptr[row : row + 2])
        ratings = histories.data[rated].astype(np.float64)
        visit = Visit(-1, histories.indices[rated], ratings)
        return factors.fold_in(visit, self._chosen(histories, row), self.config)


class SvdPlusPlus(Svd):
    """Predicts ``μ + b_u + b_i + q_i·(p_u + |N(u)|^-½ Σ y_j)``."""

    name = "svd++"
    config_class = SvdPlusPlusConfig
    facts = Facts(
        "factors",
        "Surprise's SVD++: SVD that also learns from which movies a user rated",
        "Koren, KDD 2008",
        random=True,
    )
    implicit = True

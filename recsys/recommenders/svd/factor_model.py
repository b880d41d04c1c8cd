"""A rating predictor made of vectors: what SVD and SVD++ have in common.

Legend: U users, Q queries, N pairs, K factors; N(u) the movies that speak for a user.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.queries.query import Query, RatingPrediction
from recsys.recommenders.bias import clipped
from recsys.recommenders.checks import require_fitted, require_items
from recsys.recommenders.svd.latent_factors import Answer, FactorConfig, Factors, Visit, visits
from recsys.recommenders.svd.sgd import Descent, Floats


class FactorModel:
    """A rating predictor made of ``Factors``.

    Attributes:
        name: of the model.
        implicit: whether N(u) is the movies u rated; else it is left empty.
    """

    name: str
    implicit: bool

    def __init__(self, config: FactorConfig) -> None:
        self.config = config
        self._learned: tuple[Factors, Floats] | None = None

    def _chosen(self, histories: sp.csr_array, row: int) -> NDArray[np.int32]:
        start, stop = histories.indptr[row : row + 2]
        return np.asarray(histories.indices[start : stop if self.implicit else start])

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Learns from the ratings alone, user by user.

        Raises:
            ConfigError: there is no rating to learn from.
        """
        factors = Factors.start(train, self.config, self.name)
        descent, histories = Descent(self.config.lr, self.config.reg), train.matrix()
        chosen = [self._chosen(histories, user) for user in range(len(train.users))]
        epoch = list(visits(train))
        for _ in range(self.config.epochs):
            for visit in epoch:
                factors.learn(visit, chosen[visit.user], descent)
        vectors = [factors.user[user] + factors.choice(one) for user, one in enumerate(chosen)]
        self._learned = factors, np.array(vectors)
        return self

    @property
    def parameters(self) -> int:
        """Numbers learnt: the mean, and biases and vectors of those with ratings.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        factors, _ = require_fitted(self._learned, self.name)
        users, movies = int(factors.known.sum()), int(factors.rated.sum())
        each = 1 + self.config.factors
        return 1 + users * each + movies * (each + self.config.factors * self.implicit)

    def predict(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs; of a user without any history, or a movie nobody rated, the biases.

        Users of the training are answered from what was learnt of them; others take the same steps
        on their histories now, while the movies stand still.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        factors, vectors = require_fitted(self._learned, self.name)
        require_items(query, len(factors.item), self.name)
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
        return factors.newcomer(visit, self._chosen(histories, row), self.config)

"""Some users are generous and some movies are good: the baseline every RMSE is read against.

Legend: U users, I items, Q queries, N ratings or pairs; r rating, μ mean, b bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt

from recsys.data.interactions import Interactions, RatingScale
from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Query, RatingPrediction, Rows
from recsys.recommenders.base import Array, Facts, Recommender
from recsys.recommenders.options import Options


@dataclass(frozen=True)
class BiasConfig(Options):
    """How biases are fitted; the defaults were chosen within the training part of u1.

    Attributes:
        user_l2: λ of the user biases, in units of ratings.
        item_l2: λ of the item biases, in units of ratings.
        rounds: alternations between the two; the fit has settled well before the default.
    """

    user_l2: PositiveFloat = 5.0
    item_l2: PositiveFloat = 2.0
    rounds: PositiveInt = 15


@dataclass(frozen=True)
class Biases:
    """``b_ui = μ + b_u + b_i``; b_u is computed from whatever history a user brings.

    Attributes:
        mean: μ of the training ratings.
        item: (I,) b_i, 0 for a movie nobody rated.
        user_l2: λ of the user biases.
        scale: the scale of the training ratings.
    """

    mean: float
    item: NDArray[np.float64]
    user_l2: float
    scale: RatingScale

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Self:
        """What ``arrays`` gave."""
        mean, user_l2, low, high = (float(number) for number in arrays["bias_numbers"])
        return cls(mean, np.asarray(arrays["item_bias"]), user_l2, RatingScale(low, high))

    def arrays(self) -> dict[str, Array]:
        """Everything by name, for storage."""
        numbers = [self.mean, self.user_l2, self.scale.low, self.scale.high]
        return {"item_bias": self.item, "bias_numbers": np.array(numbers)}

    def of_users(self, histories: sp.csr_array) -> NDArray[np.float64]:
        """(Q,) b_u, 0 for an empty history."""
        counts = np.diff(histories.indptr)
        surplus = histories.data.astype(np.float64) - self.mean - self.item[histories.indices]
        sums = np.bincount(np.repeat(np.arange(len(counts)), counts), surplus, len(counts))
        return np.asarray(sums / (self.user_l2 + counts))

    def residuals(self, histories: sp.csr_array) -> sp.csr_array:
        """(Q, I) what the biases leave unexplained: r − b_ui where a rating is stored."""
        users = np.repeat(self.of_users(histories), np.diff(histories.indptr))
        expected = self.mean + users + self.item[histories.indices]
        left = histories.data.astype(np.float64) - expected
        return sp.csr_array((left, histories.indices, histories.indptr), shape=histories.shape)

    def baseline(self, histories: sp.csr_array, rows: Rows, items: Rows) -> NDArray[np.float64]:
        """(N,) b_ui of the pairs, not clipped to the scale."""
        return np.asarray(self.mean + self.of_users(histories)[rows] + self.item[items])


def fit_biases(train: Interactions, config: BiasConfig) -> Biases:
    """Minimises ``Σ(r − μ − b_u − b_i)² + λ_u Σb_u² + λ_i Σb_i²`` by alternating exact steps.

    Koren, Bell and Volinsky, Matrix Factorization Techniques for Recommender Systems, Computer
    2009: their biased model without its factors, and with one λ a side.

    Raises:
        ConfigError: there is no rating to learn from.
    """
    if not len(train):
        raise ConfigError("the bias model cannot be fitted on no ratings")
    ratings, counts = train.matrix(), train.item_counts()
    mean = float(train.rating.mean(dtype=np.float64))
    biases = Biases(mean, np.zeros(len(counts)), config.user_l2, train.scale)
    for _ in range(config.rounds):
        users = biases.of_users(ratings)
        surplus = train.rating.astype(np.float64) - mean - users[train.user]
        item = np.bincount(train.item, surplus, len(counts)) / (config.item_l2 + counts)
        biases = Biases(mean, item, config.user_l2, train.scale)
    return biases


class BiasModel(Recommender):
    """Predicts ``μ + b_u + b_i``, clipped to the rating scale."""

    name = "bias"
    config_class = BiasConfig
    facts = Facts(
        "statistics",
        "a mean, and what is added for a user and for a movie",
        "Koren, Bell and Volinsky, Computer 2009",
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Learns μ and the item biases; those of users follow from their histories."""
        return fit_biases(data.train, self.config).arrays()

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Stars of N pairs; a user without history is μ + b_i, a movie without ratings μ + b_u."""
        biases = Biases.of(self.arrays())
        self._require_items(query, len(biases.item))
        stars = biases.baseline(query.histories, rows, items)
        return RatingPrediction(clipped(stars, biases.scale))

    @property
    def parameters(self) -> int:
        """μ and the b_i; the b_u follow from histories."""
        return 1 + len(self.arrays()["item_bias"])


def clipped(stars: NDArray[np.floating[Any]], scale: RatingScale) -> NDArray[np.float32]:
    """(N,) float32, none outside the scale."""
    return np.asarray(np.clip(stars, scale.low, scale.high), dtype=np.float32)

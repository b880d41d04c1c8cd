"""The mean of all ratings, for everybody and every movie.

Legend: N pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Query, RatingPrediction
from recsys.recommenders.base import Array, Facts, Recommender, Rows


@dataclass(frozen=True)
class GlobalMeanConfig:
    """Nothing to choose."""


class GlobalMean(Recommender):
    """Predicts the mean training rating, and the spread of the training ratings around it."""

    name = "global-mean"
    config_class = GlobalMeanConfig
    facts = Facts("statistics", "the mean of all ratings")
    parameters = 1

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Learns mean and standard deviation.

        Raises:
            ConfigError: there is no rating to learn from.
        """
        if not len(data.train):
            raise ConfigError("there is no rating to take the mean of")
        ratings = data.train.rating.astype(np.float64)
        return {"moments": np.array([ratings.mean(), ratings.std()])}

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:  # noqa: ARG002
        """The same for each of N pairs; no standard deviation where all ratings were equal."""
        mean, std = self.arrays()["moments"]
        spread = np.full(len(rows), std, dtype=np.float32) if std > 0 else None
        return RatingPrediction(np.full(len(rows), mean, dtype=np.float32), spread)

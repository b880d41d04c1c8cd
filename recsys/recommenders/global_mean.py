"""The mean of all ratings: what a predictor that knows nothing says.

Legend: N pairs.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import ConfigError
from recsys.queries.query import Query, RatingPrediction
from recsys.recommenders.checks import require_fitted


class GlobalMean:
    """Predicts the mean training rating, and the spread of the training ratings around it."""

    name = "global-mean"
    parameters = 1

    def __init__(self) -> None:
        self._moments: tuple[float, float] | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Learns mean and standard deviation.

        Raises:
            ConfigError: there is no rating to learn from.
        """
        if not len(train):
            raise ConfigError("there is no rating to take the mean of")
        ratings = train.rating.astype(np.float64)
        self._moments = float(ratings.mean()), float(ratings.std())
        return self

    def predict(
        self,
        query: Query,  # noqa: ARG002
        rows: NDArray[np.integer[Any]],
        items: NDArray[np.integer[Any]],  # noqa: ARG002
    ) -> RatingPrediction:
        """The same for each of N pairs; no standard deviation where all ratings were equal.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        mean, std = require_fitted(self._moments, self.name)
        spread = np.full(len(rows), std, dtype=np.float32) if std > 0 else None
        return RatingPrediction(np.full(len(rows), mean, dtype=np.float32), spread)

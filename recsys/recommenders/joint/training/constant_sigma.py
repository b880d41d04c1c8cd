"""The reference that a standard deviation of its own for every rating has to beat.

Legend: N pairs.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.errors import NotFittedError
from recsys.queries.query import Predictor, Query, RatingPrediction
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.training.calibration import Calibration, calibrate


class ConstantSigma:
    """Another predictor's means with one σ, the same for every user and every movie.

    The σ and the thresholds between the levels are fitted on valid, exactly as a model's own are
    calibrated: nothing but the differences between ratings is taken from it.

    Args:
        predictor: only the means it predicts are read.
        levels: what ratings can be, and where thresholds start from.
    """

    name = "constant-sigma"

    def __init__(self, predictor: Predictor, levels: RatingLevels) -> None:
        self.predictor, self.levels = predictor, levels
        self._fitted: Calibration | None = None

    def fit(self, valid: Interactions, query: Query) -> Self:
        """Finds the σ and the thresholds under which the ratings of valid are likeliest.

        Args:
            valid: held-out ratings; with fewer than ``calibration.FEWEST`` of them σ stays 1.
            query: all users of ``valid.users``, in that order.

        Raises:
            DataError: a rating is not one of the levels.
        """
        mean = self.predictor.predict_ratings(query, valid.user, valid.item).mean
        self._fitted = calibrate(
            mean, np.ones_like(mean), valid.rating, self.levels, thresholds=True
        )
        return self

    @property
    def sigma(self) -> float:
        """The σ, in latent stars.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return self._require().scale

    def predict_ratings(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        fitted = self._require()
        mean = self.predictor.predict_ratings(query, rows, items).mean
        return fitted.levels.predict(mean, np.full_like(mean, fitted.scale))

    def _require(self) -> Calibration:
        if self._fitted is None:
            raise NotFittedError("the constant σ was not fitted", hint="call fit first")
        return self._fitted

"""How far predicted stars are from the stars given, and how honest the stated uncertainty is.

Legend: N test ratings, Q users with at least one of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.level_calibration import judge_levels
from recsys.evaluation.metrics import Floats
from recsys.queries.query import Predictor, Query, RatingPrediction

INTERVALS = (0.80, 0.95)
"""Central intervals whose coverage is reported."""


@dataclass(frozen=True)
class RatingResult:
    """Errors per user, from which the figures over all ratings follow.

    Attributes:
        users: (Q,) int64 rows of the users with a test rating, ascending.
        counts: (Q,) int64 test ratings of each.
        squared: (Q,) sums of squared errors, in stars squared.
        absolute: (Q,) sums of absolute errors, in stars.
        uncertainty: "nll", "coverage_80" and "coverage_95" where the predictor states a standard
            deviation; "level_nll", "pit_50", "pit_80", "pit_90", "pit_95" and "pit_ks" where it
            states the probability of each level; else empty.
        pit: (10,) histogram of ``recsys.evaluation.level_calibration``, or None without levels.
    """

    users: NDArray[np.int64]
    counts: NDArray[np.int64]
    squared: Floats
    absolute: Floats
    uncertainty: Mapping[str, float] = field(default_factory=dict)
    pit: Floats | None = None

    @property
    def n(self) -> int:
        """N."""
        return int(self.counts.sum())

    @property
    def rmse(self) -> float:
        """Root of the mean squared error over all ratings, in stars."""
        return math.sqrt(self.squared.sum() / self.n)

    @property
    def mae(self) -> float:
        """Mean absolute error over all ratings, in stars."""
        return float(self.absolute.sum() / self.n)

    def summary(self) -> dict[str, float]:
        """Every figure by name, as it is reported."""
        return {"rmse": self.rmse, "mae": self.mae, **self.uncertainty}


def evaluate_ratings(predictor: Predictor, test: Interactions, query: Query) -> RatingResult:
    """Predict every test rating once and compare.

    Predicted means are clipped to the scale of ``test`` before anything is computed from them: no
    rating lies outside it, so clipping only ever helps, and it is done for every predictor alike.

    Args:
        predictor: anything that predicts stars.
        test: the N held-out ratings.
        query: all users of ``test.users``, in that order; only those with a test rating are asked.

    Raises:
        DataError: there is no test rating, the query holds other users, the number of predictions
            is not N, a prediction is not finite, a standard deviation is not positive, level
            probabilities are no distribution, or a test rating is none of the levels.
    """
    if not len(test):
        raise DataError("there is no test rating to predict")
    if len(query) != len(test.users):
        raise DataError(f"the query holds {len(query)} users, the test set {len(test.users)}")
    users, rows = np.unique(test.user, return_inverse=True)
    asked = query.select(users)
    predicted = predictor.predict_ratings(asked, rows, test.item)
    _check(predicted, test)
    mean = np.clip(predicted.mean.astype(np.float64), test.scale.low, test.scale.high)
    error: Floats = mean - test.rating.astype(np.float64)
    uncertainty = {} if predicted.std is None else _uncertainty(error, predicted.std)
    levels = None if predicted.levels is None else judge_levels(predicted.levels, test)
    return RatingResult(
        users=users.astype(np.int64),
        counts=np.bincount(rows).astype(np.int64),
        squared=_sums(rows, error**2),
        absolute=_sums(rows, np.abs(error)),
        uncertainty=uncertainty | dict(levels.figures) if levels else uncertainty,
        pit=levels.histogram if levels else None,
    )


def _sums(rows: NDArray[np.int64], values: Floats) -> Floats:
    return np.asarray(np.bincount(rows, weights=values), dtype=np.float64)


def _check(predicted: RatingPrediction, test: Interactions) -> None:
    _require("mean", predicted.mean, np.isfinite(predicted.mean), test)
    if predicted.std is not None:
        good = np.isfinite(predicted.std) & (predicted.std > 0)
        _require("standard deviation", predicted.std, good, test)


def _require(
    name: str, values: NDArray[np.floating[Any]], good: NDArray[np.bool_], test: Interactions
) -> None:
    if values.shape != test.rating.shape:
        raise DataError(f"{name} has shape {values.shape} for {len(test)} test ratings")
    bad = np.flatnonzero(~good)
    if len(bad):
        rows = [f"user row {test.user[p]}, item row {test.item[p]}: {values[p]}" for p in bad[:5]]
        raise DataError(f"{len(bad)} predictions have no usable {name}", rows=rows, count=len(bad))


def _uncertainty(error: Floats, std: NDArray[np.floating[Any]]) -> dict[str, float]:
    """How well N(clipped mean, std²) describes the ratings.

    The negative log-likelihood is ½ ln(2πσ²) + e² / (2σ²), averaged, in nats. Coverage is the share
    of ratings inside the central interval: an honest predictor's coverage_80 is 0.80.
    """
    sigma = std.astype(np.float64)
    z = error / sigma
    found = {"nll": float(np.mean(np.log(sigma * math.sqrt(2 * math.pi)) + z**2 / 2))}
    for level in INTERVALS:
        half_width = NormalDist().inv_cdf((1 + level) / 2)
        found[f"coverage_{level * 100:.0f}"] = float(np.mean(np.abs(z) <= half_width))
    return found

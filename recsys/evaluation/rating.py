"""How far predicted stars are from the stars given, and how honest the stated uncertainty is.

Ratings are discrete, so no interval of stars holds a rating with probability 0.8: one star more and
it is 0.9. The randomised probability integral transform has no such steps.

Legend: N test ratings, Q users with at least one of them, K levels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.metrics import Floats
from recsys.queries.query import LevelProbabilities, Predictor, Query, RatingPrediction
from recsys.queries.rating_levels import level_index
from recsys.seeding import stream

COVERAGES = (0.50, 0.80, 0.90, 0.95)
"""Central intervals of the probability integral transform that are reported."""

BINS = 10

_ROUNDING = 1e-4
_LEAST = np.finfo(np.float64).tiny  # a level said to be impossible costs 708 nats rather than all


@dataclass(frozen=True)
class LevelCalibration:
    """How N ratings fall within the distributions that were stated for them.

    Attributes:
        figures: "level_nll", "pit_50" and its like, "pit_ks".
        histogram: (10,) share of the transforms in each tenth of 0 … 1; all are 0.1 when honest,
            high at both ends when too confident, high in the middle when not confident enough.
    """

    figures: Mapping[str, float]
    histogram: Floats


def evaluate_levels(levels: LevelProbabilities, test: Interactions) -> LevelCalibration:
    """Compare stated probabilities with the ratings given.

    ``level_nll`` is −log P(r), averaged, in nats. ``pit_80`` is the share of ratings whose
    transform is in the central 80 %, which is 0.80 for an honest predictor. ``pit_ks`` is the
    largest distance between the distribution of the transforms and the uniform one (Kolmogorov).

    Raises:
        DataError: a row is no probability distribution, or a rating is none of the levels.
    """
    index = level_index(test.rating, levels.values)
    _refuse(
        index < 0,
        f"test ratings are none of the levels {levels.values.tolist()}",
        test,
        test.rating,
        "levels come from the training part: its ratings have to be on the same scale",
    )
    _require_distributions(levels.probability, test)
    transformed = pit(levels.probability, index)
    given = np.maximum(levels.probability[np.arange(len(index)), index], _LEAST)
    figures = {"level_nll": float(-np.log(given).mean())}
    for coverage in COVERAGES:
        inside = np.abs(transformed - 0.5) <= coverage / 2
        figures[f"pit_{coverage * 100:.0f}"] = float(inside.mean())
    figures["pit_ks"] = float(stats.kstest(transformed, "uniform").statistic)
    counts, _ = np.histogram(transformed, bins=BINS, range=(0, 1))
    return LevelCalibration(figures, counts / len(index))


def pit(probability: Floats, index: NDArray[np.int64]) -> Floats:
    """(N,) randomised probability integral transform: uniform on 0 … 1 for an honest predictor.

    ``u = F(r−) + V · P(r)`` with V uniform, from a stream of its own so that equal predictions give
    equal numbers (Smith 1985; Czado, Gneiting & Held 2009, eq. 1).

    Args:
        probability: (N, K) of each level.
        index: (N,) level given.
    """
    rows = np.arange(len(index))
    below = np.pad(np.cumsum(probability, axis=1), ((0, 0), (1, 0)))[rows, index]
    within = stream(0, "pit").random(len(index))
    return np.asarray(np.clip(below + within * probability[rows, index], 0, 1))


def _require_distributions(probability: Floats, test: Interactions) -> None:
    if len(probability) != len(test):
        raise DataError(f"probabilities of {len(probability)} pairs for {len(test)} test ratings")
    whole = np.abs(probability.sum(axis=1) - 1) <= _ROUNDING
    good = whole & (probability >= 0).all(axis=1)
    what = "predictions have level probabilities that are no distribution"
    _refuse(~good, what, test, test.rating)


def _refuse(
    bad: NDArray[np.bool_],
    what: str,
    test: Interactions,
    values: NDArray[np.floating[Any]],
    hint: str = "",
) -> None:
    found = np.flatnonzero(bad)
    if len(found):
        rows = [f"user row {test.user[p]}, item row {test.item[p]}: {values[p]}" for p in found[:5]]
        raise DataError(f"{len(found)} {what}", rows=rows, count=len(found), hint=hint)


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
        pit: (10,) histogram of ``recsys.evaluation.rating``, or None without levels.
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
    levels = None if predicted.levels is None else evaluate_levels(predicted.levels, test)
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
    stated = {"mean": predicted.mean, "standard deviation": predicted.std}
    for name, values in stated.items():
        if values is None:
            continue
        if values.shape != test.rating.shape:
            raise DataError(f"{name} has shape {values.shape} for {len(test)} test ratings")
        bad = ~np.isfinite(values) if name == "mean" else ~(np.isfinite(values) & (values > 0))
        _refuse(bad, f"predictions have no usable {name}", test, values)


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

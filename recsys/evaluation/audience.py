"""How far predicted movie means are from what a movie's audience gave, and how honest they are.

Legend: I items, M movies that are evaluated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.metrics import Floats
from recsys.queries.query import AudiencePrediction

LEVEL = 0.80
"""The central interval whose coverage is reported."""


@dataclass(frozen=True)
class AudienceResult:
    """Predicted and observed means of the movies that were evaluated.

    Attributes:
        items: (M,) int64 rows, ascending.
        votes: (M,) int64 ratings each was evaluated by.
        predicted: (M,) mean stars, clipped to the scale.
        observed: (M,) mean of the ratings.
        std: (M,) standard deviation of their difference, as the model states it, in stars.
    """

    items: NDArray[np.int64]
    votes: NDArray[np.int64]
    predicted: Floats
    observed: Floats
    std: Floats

    @property
    def rmse(self) -> float:
        """Root of the mean squared error, every movie counting once, in stars."""
        return math.sqrt(np.mean(self._error**2))

    @property
    def weighted_rmse(self) -> float:
        """The same, every movie counting as often as it was rated."""
        return math.sqrt(np.average(self._error**2, weights=self.votes))

    @property
    def spearman(self) -> float | None:
        """Rank correlation of predicted and observed means; None where either are all equal."""
        from scipy.stats import spearmanr

        if not (np.ptp(self.predicted) and np.ptp(self.observed)):
            return None
        return float(spearmanr(self.predicted, self.observed).statistic)

    @property
    def coverage(self) -> float:
        """Share of the movies whose mean lies in its central interval of ``LEVEL``."""
        half_width = NormalDist().inv_cdf((1 + LEVEL) / 2)
        return float(np.mean(np.abs(self._error) <= half_width * self.std))

    @property
    def _error(self) -> Floats:
        return self.predicted - self.observed

    def summary(self) -> dict[str, float]:
        """Every figure by name, as it is reported; no rank correlation where there is none."""
        figures = {"rmse": self.rmse, "weighted_rmse": self.weighted_rmse}
        ranks = {} if self.spearman is None else {"spearman": self.spearman}
        return figures | ranks | {f"coverage_{LEVEL * 100:.0f}": self.coverage}


def evaluate_audience(
    prediction: AudiencePrediction,
    test: Interactions,
    movies: NDArray[np.integer[Any]] | None = None,
    min_votes: int = 1,
) -> AudienceResult:
    """Compare predicted means with the means of held-out ratings.

    A mean of n votes is noisy itself: it is expected within ``√(std² + vote_std² / n)`` of the
    prediction, and the coverage of intervals is that of this spread.

    Args:
        prediction: of all I movies of ``test.items``.
        test: the held-out ratings.
        movies: rows of the movies to evaluate; all unless given.
        min_votes: movies with fewer ratings in ``test`` are not evaluated.

    Raises:
        DataError: no movie is left, or a prediction has another shape, is not finite or has a
            standard deviation that is not positive.
    """
    votes = test.item_counts()
    eligible = votes >= max(min_votes, 1)
    if movies is not None:
        eligible &= np.isin(np.arange(len(votes)), movies)
    items = np.flatnonzero(eligible).astype(np.int64)
    if not len(items):
        raise DataError(f"no movie with at least {min_votes} test ratings is to be evaluated")
    _check(prediction, items, len(votes))
    sums = np.bincount(test.item, test.rating.astype(np.float64), len(votes))
    mean, std = (values[items].astype(np.float64) for values in (prediction.mean, prediction.std))
    return AudienceResult(
        items=items,
        votes=votes[items].astype(np.int64),
        predicted=np.clip(mean, test.scale.low, test.scale.high),
        observed=sums[items] / votes[items],
        std=np.sqrt(std**2 + prediction.vote_std**2 / votes[items]),
    )


def _check(prediction: AudiencePrediction, items: NDArray[np.int64], n_items: int) -> None:
    if not (math.isfinite(prediction.vote_std) and prediction.vote_std >= 0):
        raise DataError(f"vote_std is {prediction.vote_std}, it must be finite and not below 0")
    stated = {"mean": (prediction.mean, -math.inf), "standard deviation": (prediction.std, 0)}
    for name, (values, above) in stated.items():
        if values.shape != (n_items,):
            raise DataError(f"audience {name} has shape {values.shape} for {n_items} movies")
        bad = items[~(np.isfinite(values[items]) & (values[items] > above))]
        if len(bad):
            rows = [f"item row {row}: {values[row]}" for row in bad[:5]]
            raise DataError(
                f"{len(bad)} movies have no usable audience {name}", rows=rows, count=len(bad)
            )

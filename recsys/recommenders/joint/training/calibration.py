"""What a model says of its own uncertainty, corrected by ratings it was not trained on.

Legend: N ratings, K levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.queries.query import Predictor, Query, RatingPrediction, Rows
from recsys.queries.rating_levels import Floats, Numbers, RatingLevels, level_index

FEWEST = 50
"""Ratings below which nothing is corrected: their noise would be."""

_FURTHEST = 3.0  # of a logarithm: a factor of twenty


@dataclass(frozen=True)
class Calibration:
    """How latent ratings become stars.

    Attributes:
        scale: what every σ is multiplied by.
        levels: the levels, with the thresholds that then hold.
    """

    scale: float
    levels: RatingLevels


def calibrate(
    eta: Numbers, std: Numbers, ratings: Numbers, levels: RatingLevels, *, thresholds: bool
) -> Calibration:
    """The scale of σ, and if asked the thresholds, under which the ratings are likeliest.

    Maximises the ordinal likelihood, whose every correction (log scale; the first threshold in
    stars; log of each step to the next) has a standard normal prior centred on no correction. A
    thousand ratings do not feel it; a level that nobody gave keeps its place by it. The likelihood
    of the ratings given here is never lowered.

    The ratings should be those of the validation part. Early stopping chose by the same part, so it
    is not quite unseen: what is learnt here may be a little too confident, and only the test part
    can tell.

    Args:
        eta: (N,) latent means, in stars.
        std: (N,) latent standard deviations, above 0.
        ratings: (N,) what was given instead; fewer than ``FEWEST`` correct nothing.
        levels: as they are before the correction.
        thresholds: whether they are to be corrected too.

    Raises:
        DataError: a rating is not one of the levels.
    """
    index = require_levels(ratings, levels)
    if len(ratings) < FEWEST:
        return Calibration(1.0, levels)

    sigma = std.astype(np.float64)  # in single precision a small correction would change nothing

    def loss(change: Floats) -> float:
        found = _corrected(levels, change)
        likelihood = found.levels.log_probability(eta, found.scale * sigma, index).sum()
        return float(change @ change / 2 - likelihood)

    start = np.zeros(len(levels.values) if thresholds else 1)
    bounds = [(-_FURTHEST, _FURTHEST)] * len(start)
    best = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
    return _corrected(levels, best.x if best.fun < loss(start) else start)


def _corrected(levels: RatingLevels, change: Floats) -> Calibration:
    scale, moved = float(np.exp(change[0])), change[1:]
    if not len(moved):
        return Calibration(scale, levels)
    steps = np.diff(levels.thresholds) * np.exp(moved[1:])
    first = levels.thresholds[0] + moved[:1]
    places = np.concatenate([first, first + np.cumsum(steps)])
    return Calibration(scale, RatingLevels(levels.values, tuple(places.tolist())))


def require_levels(ratings: Numbers, levels: RatingLevels) -> NDArray[np.int64]:
    """(N,) which level each rating is.

    Raises:
        DataError: a rating is none of them.
    """
    index = level_index(ratings, np.asarray(levels.values))
    bad = np.flatnonzero(index < 0)
    if len(bad):
        raise DataError(
            f"{len(bad)} ratings are none of the levels {list(levels.values)}",
            rows=[f"rating {position}: {ratings[position]}" for position in bad[:5]],
            count=len(bad),
            hint="calibrate on ratings of the scale the model was trained on, or not at all: "
            "training.calibrate=false",
        )
    return index


@dataclass(frozen=True)
class ConstantSigma:
    """Another predictor's means with one σ, the same for every user and every movie.

    Nothing but the differences between ratings is taken from the predictor.

    Attributes:
        predictor: only the means it predicts are read.
        calibration: the σ, in latent stars, and the levels with their thresholds.
    """

    predictor: Predictor
    calibration: Calibration

    @classmethod
    def fit(
        cls, predictor: Predictor, levels: RatingLevels, valid: Interactions, query: Query
    ) -> Self:
        """With the σ and the thresholds under which the ratings of valid are likeliest.

        Both are fitted exactly as a model's own are calibrated.

        Args:
            predictor: only the means it predicts are read.
            levels: what ratings can be, and where thresholds start from.
            valid: held-out ratings; with fewer than ``FEWEST`` of them σ is 1.
            query: all users of ``valid.users``, in that order.

        Raises:
            DataError: a rating is not one of the levels.
        """
        mean = predictor.predict_ratings(query, valid.user, valid.item).mean
        std = np.ones_like(mean)
        return cls(predictor, calibrate(mean, std, valid.rating, levels, thresholds=True))

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Ratings of N pairs."""
        mean = self.predictor.predict_ratings(query, rows, items).mean
        return self.calibration.levels.predict(mean, np.full_like(mean, self.calibration.scale))

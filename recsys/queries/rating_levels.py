"""Stars are few and ordered: how a normal belief about a latent rating becomes their probabilities.

Cumulative probit, as McKelvey and Zavoina (1975) have it, with a standard deviation of its own for
every rating: a person gives level k where their latent rating, N(η, σ²), falls between the
thresholds τ_{k−1} and τ_k.

Legend: N ratings, K levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.queries.query import LevelProbabilities, RatingPrediction

Floats = NDArray[np.float64]
Numbers = NDArray[np.floating[Any]]

_STEPS = (1.0, 0.5)
_MOST_LEVELS = 20
_NEAR = 1e-4  # stars; a level that was stored as float32 is still that level
_LEAST_STD = 1e-3  # stars; a certain prediction has a standard deviation too
_NO_WIDTH = -1e-300  # log Φ below and above a level too narrow to tell them apart


@dataclass(frozen=True)
class RatingLevels:
    """The K levels a rating can have, and what lies between them.

    Attributes:
        values: K levels in stars, ascending.
        thresholds: K−1 of the latent scale, ascending: τ_k ends level k and begins the next.

    Raises:
        DataError: there are fewer than two levels, their numbers do not fit, or one is not finite
            or out of order.
    """

    values: tuple[float, ...]
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2 or len(self.thresholds) != len(self.values) - 1:
            raise DataError(f"{len(self.thresholds)} thresholds for {len(self.values)} levels")
        for name in ("values", "thresholds"):
            numbers = np.asarray(getattr(self, name), dtype=np.float64)
            if not (np.isfinite(numbers).all() and (np.diff(numbers) > 0).all()):
                raise DataError(f"the {name} of rating levels do not ascend: {numbers.tolist()}")

    @classmethod
    def midway(cls, values: tuple[float, ...]) -> Self:
        """Levels whose thresholds are halfway between neighbours: latent ratings are rounded."""
        stars = np.asarray(values, dtype=np.float64)
        middles = (stars[1:] + stars[:-1]) / 2
        return cls(tuple(stars.tolist()), tuple(middles.tolist()))

    @classmethod
    def of(cls, ratings: Interactions) -> Self | None:
        """Whole stars, or else half ones, over the whole scale; None where ratings are neither.

        A level that nobody gave yet is one nonetheless. More than twenty levels are no levels.
        """
        low, high = ratings.scale.low, ratings.scale.high
        for step in _STEPS:
            count = round((high - low) / step) + 1
            if not 2 <= count <= _MOST_LEVELS:
                continue
            values = low + step * np.arange(count)
            fits = abs(values[-1] - high) < _NEAR
            if fits and (level_index(ratings.rating, values) >= 0).all():
                return cls.midway(tuple(values.tolist()))
        return None

    def probabilities(self, mean: Numbers, std: Numbers) -> Floats:
        """(N, K) ``P(r = v_k) = Φ((τ_k − η)/σ) − Φ((τ_{k−1} − η)/σ)``, open at both ends.

        Exact far out on either side, where a difference of values near 1 would be lost.

        Args:
            mean: (N,) η.
            std: (N,) σ, above 0.
        """
        edges = self._standardised(mean, std)
        lower, upper = _on_the_left(edges[:, :-1], edges[:, 1:])
        return np.asarray(ndtr(upper) - ndtr(lower))

    def log_probability(self, mean: Numbers, std: Numbers, index: NDArray[np.int64]) -> Floats:
        """(N,) log P(r = v_index), finite however far the rating is from what was expected.

        Args:
            mean: (N,) η.
            std: (N,) σ, above 0.
            index: (N,) levels.
        """
        edges, rows = self._standardised(mean, std), np.arange(len(index))
        lower, upper = _on_the_left(edges[rows, index], edges[rows, index + 1])
        above = log_ndtr(upper)
        step = np.minimum(log_ndtr(lower) - above, _NO_WIDTH)
        return np.asarray(above + np.log(-np.expm1(step)))

    def predict(self, mean: Numbers, std: Numbers) -> RatingPrediction:
        """Expectation, standard deviation and probabilities of the levels.

        Args:
            mean: (N,) η.
            std: (N,) σ, above 0.
        """
        probability = self.probabilities(mean, std)
        expected, spread = self.moments(probability)
        levels = LevelProbabilities(np.asarray(self.values), probability)
        return RatingPrediction(expected.astype(np.float32), spread.astype(np.float32), levels)

    def moments(self, probabilities: Floats) -> tuple[Floats, Floats]:
        """(N,) expectation and (N,) standard deviation, which is at least a thousandth of a star.

        Args:
            probabilities: (N, K) of each level.
        """
        values = np.asarray(self.values)
        mean = probabilities @ values
        squares = (values - mean[:, None]) ** 2
        variance = np.einsum("nk,nk->n", probabilities, squares)
        return mean, np.maximum(np.sqrt(variance), _LEAST_STD)

    def _standardised(self, mean: Numbers, std: Numbers) -> Floats:
        """(N, K+1) thresholds, the open ends among them, in standard deviations from the mean."""
        edges = np.array([-np.inf, *self.thresholds, np.inf])
        location, scale = mean.astype(np.float64), std.astype(np.float64)
        return np.asarray((edges - location[:, None]) / scale[:, None])


def level_index(ratings: Numbers, values: Numbers) -> NDArray[np.int64]:
    """(N,) position of each rating among the levels, -1 for a rating that is none of them.

    Args:
        ratings: (N,) in stars.
        values: (K,) levels, ascending.
    """
    stars = np.asarray(values, dtype=np.float64)
    nearest = np.searchsorted((stars[1:] + stars[:-1]) / 2, ratings)
    return np.where(np.abs(stars[nearest] - ratings) < _NEAR, nearest, -1).astype(np.int64)


def _on_the_left(lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Intervals of a standard normal with those right of 0 mirrored, where Φ keeps its digits."""
    mirrored = lower + upper > 0
    return np.where(mirrored, -upper, lower), np.where(mirrored, -lower, upper)

"""Stars as the classes of an ordinal model, and back.

Legend: N ratings or pairs, K levels of a rating.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.errors import ConfigError
from recsys.queries.query import LevelProbabilities, RatingPrediction
from recsys.queries.rating_levels import RatingLevels, level_index


class GivenLevels(NamedTuple):
    """The K levels of the scale, and which of them training ratings have."""

    all: RatingLevels
    given: NDArray[np.int64]

    @classmethod
    def of(cls, train: Interactions) -> Self:
        """Of the ratings that are learnt from.

        Raises:
            ConfigError: they are neither whole nor half stars, or all the same.
        """
        levels = RatingLevels.of(train)
        if levels is None or len(np.unique(train.rating)) < 2:
            raise ConfigError(
                "an ordinal model needs two or more different ratings, in whole or half stars",
                hint="choose the regression: ordinal=False",
            )
        return cls(levels, np.unique(level_index(train.rating, np.array(levels.values))))

    def classes(self, train: Interactions) -> NDArray[np.int64]:
        """(N,) classes 0, 1, … without a gap, as the sampler wants them."""
        return np.searchsorted(self.given, level_index(train.rating, np.array(self.all.values)))

    def predict(self, probability: NDArray[np.float64]) -> RatingPrediction:
        """From (N, ·) probabilities of the given levels; the others are impossible."""
        whole = np.zeros((len(probability), len(self.all.values)))
        whole[:, self.given] = probability
        mean, std = self.all.moments(whole)
        levels = LevelProbabilities(np.array(self.all.values), whole)
        return RatingPrediction(mean.astype(np.float32), std.astype(np.float32), levels)

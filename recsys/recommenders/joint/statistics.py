"""What the model takes from the training ratings before the first step.

Legend: I movies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions, RatingScale
from recsys.queries.rating_levels import RatingLevels

_MOVIE_BIAS_SHRINKAGE = 4.0  # ratings; a starting point that training corrects


@dataclass(frozen=True)
class TrainStatistics:
    """What the model takes from the training ratings before the first step.

    Attributes:
        counts: (I,) ratings of each movie.
        rating_mean: μ, mean of all ratings.
        movie_bias: (I,) shrunk mean of each movie's ratings less μ.
        audience_mean: (I,) mean of each movie's ratings; 0 where it has none.
        scale: the rating scale.
        levels: the stars that can be given; None where ratings are on no grid.
    """

    counts: NDArray[np.int64]
    rating_mean: float
    movie_bias: NDArray[np.float32]
    audience_mean: NDArray[np.float32]
    scale: RatingScale
    levels: RatingLevels | None

    @classmethod
    def of(cls, train: Interactions) -> TrainStatistics:
        """Count and average the training ratings."""
        counts = train.item_counts()
        mean = float(train.rating.mean(dtype=np.float64))
        sums = np.bincount(train.item, train.rating - mean, minlength=len(counts))
        bias = (sums / (counts + _MOVIE_BIAS_SHRINKAGE)).astype(np.float32)
        average = np.where(counts > 0, mean + sums / np.maximum(counts, 1), 0).astype(np.float32)
        return cls(counts, mean, bias, average, train.scale, RatingLevels.of(train))

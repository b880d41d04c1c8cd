"""Sanity checks of predicted ratings; see ``recsys.benchmark.checks``.

``perfect`` and ``worst`` are the RMSE of the truth and of the ends of the scale that are farthest
from it. ``block``, ``order`` and ``threads`` are the largest change of a prediction, in stars.
``shuffled`` permutes the S ratings r that are to be predicted: then Σ p_i r_π(i) has the mean
S p̄ r̄ and the variance Σ(p_i − p̄)² Σ(r_i − r̄)² / (S − 1), and the squared error depends on π by
nothing else; the value is its distance from that mean in standard deviations.

Legend: S sampled pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.evaluating import with_timestamps
from recsys.benchmark.list_checks import two_threads
from recsys.data.interactions import Interactions
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Predictor, Query, RatingPrediction
from recsys.seeding import stream

SAMPLE: Final = 2000
_BLOCK: Final = 97

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Given:
    """Predicts what it is told to."""

    stars: NDArray[np.floating[Any]]

    def predict_ratings(
        self,
        query: Query,  # noqa: ARG002
        rows: NDArray[np.integer[Any]],  # noqa: ARG002
        items: NDArray[np.integer[Any]],  # noqa: ARG002
    ) -> RatingPrediction:
        return RatingPrediction(self.stars.astype(np.float32))


def values(predictor: Predictor, test: Interactions, query: Query) -> dict[str, float]:
    """What predictions are checked by.

    Args:
        predictor: the fitted model.
        test: the ratings to be predicted.
        query: all users.
    """
    part = _sample(test)
    stars = _predicted(predictor, part, query)
    size = len(part)
    blocks = [part.select(np.arange(size)[s : s + _BLOCK]) for s in range(0, size, _BLOCK)]
    by_block = np.concatenate([_predicted(predictor, block, query) for block in blocks])
    backwards = _predicted(predictor, part.select(np.arange(size)[::-1]), query, backwards=True)
    with two_threads():
        threaded = _predicted(predictor, part, query)
    low, high = part.scale.low, part.scale.high
    far = np.where(part.rating - low > high - part.rating, low, high)
    return {
        "perfect": evaluate_ratings(_Given(part.rating), part, query).rmse,
        "worst": evaluate_ratings(_Given(far), part, query).rmse,
        "model": evaluate_ratings(_Given(stars), part, query).rmse,
        "block": _change(stars, by_block),
        "order": _change(stars, backwards[::-1]),
        "threads": _change(stars, threaded),
        "shuffled": shuffled(stars, part.rating.astype(np.float64)),
    }


def _sample(test: Interactions) -> Interactions:
    if len(test) <= SAMPLE:
        return test
    rng = stream(0, "gates/pairs")
    return test.select(np.sort(rng.choice(len(test), SAMPLE, replace=False)))


def _predicted(
    predictor: Predictor, part: Interactions, query: Query, *, backwards: bool = False
) -> Floats:
    """(S,) stars of the pairs in their order; the users are asked about in either order."""
    users, rows = np.unique(part.user, return_inverse=True)
    if backwards:
        users, rows = users[::-1], len(users) - 1 - rows
    told = with_timestamps(predictor, part)
    mean = told.predict_ratings(query.select(users), rows, part.item).mean
    return np.asarray(mean, dtype=np.float64)


def _change(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())


def shuffled(predicted: Floats, rating: Floats) -> float:
    """Σ p_i r_π(i) in standard deviations from its mean; 0 where either is constant."""
    permuted = stream(0, "gates/shuffled ratings").permutation(rating)
    spread = np.sum((predicted - predicted.mean()) ** 2) * np.sum((rating - rating.mean()) ** 2)
    deviation = float(np.sqrt(spread / max(len(rating) - 1, 1)))
    found = float(predicted @ permuted - predicted.sum() * rating.mean())
    return found / deviation if deviation else 0.0

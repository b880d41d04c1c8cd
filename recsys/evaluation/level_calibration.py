"""How honest stated probabilities of star levels are.

Ratings are discrete, so no interval of stars holds a rating with probability 0.8: one star more and
it is 0.9. The randomised probability integral transform has no such steps.

Legend: N ratings, K levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.metrics import Floats
from recsys.queries.query import LevelProbabilities
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


def judge_levels(levels: LevelProbabilities, test: Interactions) -> LevelCalibration:
    """Compare stated probabilities with the ratings given.

    ``level_nll`` is −log P(r), averaged, in nats. ``pit_80`` is the share of ratings whose
    transform is in the central 80 %, which is 0.80 for an honest predictor. ``pit_ks`` is the
    largest distance between the distribution of the transforms and the uniform one (Kolmogorov).

    Raises:
        DataError: a row is no probability distribution, or a rating is none of the levels.
    """
    index = _index(levels, test)
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


def _index(levels: LevelProbabilities, test: Interactions) -> NDArray[np.int64]:
    index = level_index(test.rating, levels.values)
    what = f"test ratings are none of the levels {levels.values.tolist()}"
    hint = "levels come from the training part: its ratings have to be on the same scale"
    _refuse(index < 0, what, test, hint)
    return index


def _require_distributions(probability: Floats, test: Interactions) -> None:
    if len(probability) != len(test):
        raise DataError(f"probabilities of {len(probability)} pairs for {len(test)} test ratings")
    whole = np.abs(probability.sum(axis=1) - 1) <= _ROUNDING
    good = whole & (probability >= 0).all(axis=1)
    _refuse(~good, "predictions have level probabilities that are no distribution", test, "")


def _refuse(bad: NDArray[np.bool_], what: str, test: Interactions, hint: str) -> None:
    found = np.flatnonzero(bad)
    if len(found):
        rows = [
            f"user row {test.user[p]}, item row {test.item[p]}: {test.rating[p]}" for p in found[:5]
        ]
        raise DataError(f"{len(found)} {what}", rows=rows, count=len(found), hint=hint)

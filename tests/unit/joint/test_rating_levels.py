from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from recsys.data.interactions import Interactions, RatingScale
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.queries.query import LevelProbabilities, RatingPrediction
from recsys.queries.rating_levels import RatingLevels, level_index

STARS = (1.0, 2.0, 3.0, 4.0, 5.0)
UNEVEN = RatingLevels(STARS, (1.2, 2.7, 3.1, 4.6))


def rated(ratings, low=1.0, high=5.0) -> Interactions:
    user = np.zeros(len(ratings), dtype=np.int32)
    items = Vocabulary((f"m{n}" for n in range(len(ratings))), kind="movie")
    everyone = Vocabulary(["u"], kind="user")
    scale = RatingScale(low, high)
    return Interactions(everyone, items, user, np.arange(len(ratings)), ratings, scale=scale)


def test_midway():
    levels = RatingLevels.midway((0.5, 1.0, 2.0))
    assert levels == RatingLevels((0.5, 1.0, 2.0), (0.75, 1.5))


@pytest.mark.parametrize(
    ("values", "thresholds", "what"),
    [
        ((1.0,), (), "0 thresholds for 1 levels"),
        ((1.0, 2.0, 3.0), (1.5,), "1 thresholds for 3 levels"),
        ((1.0, 3.0, 2.0), (1.5, 2.5), "values"),
        ((1.0, 2.0, 3.0), (2.5, 2.5), "thresholds"),
        ((1.0, np.nan, 3.0), (1.5, 2.5), "values"),
        ((1.0, 2.0, 3.0), (1.5, np.inf), "thresholds"),
    ],
)
def test_levels_that_are_none(values, thresholds, what):
    with pytest.raises(DataError, match=what):
        RatingLevels(values, thresholds)


@pytest.mark.parametrize(
    ("ratings", "low", "high", "expected"),
    [
        ([2.0, 4.0], 1.0, 5.0, STARS),
        ([2.0, 4.5], 1.0, 5.0, tuple(np.arange(1, 5.5, 0.5))),
        ([1.0, 5.0], 0.5, 5.0, tuple(np.arange(0.5, 5.5, 0.5))),
        ([0.0, 1.0], 0.0, 1.0, (0.0, 1.0)),
        ([2.0, 3.3], 1.0, 5.0, None),
        ([2.0, 3.0], 1.0, 4.7, None),
        ([7.0, 93.0], 0.0, 100.0, None),
        ([], 1.0, 5.0, STARS),
    ],
)
def test_levels_of_ratings(ratings, low, high, expected):
    found = RatingLevels.of(rated(ratings, low, high))
    assert found == (None if expected is None else RatingLevels.midway(expected))


def test_levels_survive_single_precision():
    assert RatingLevels.of(rated(np.float32([0.1, 1.1]), np.float32(0.1), 2.1)) is not None


def test_probabilities_are_masses_of_the_normal():
    mean, std = np.array([3.3, -1.0, 7.2]), np.array([0.9, 2.0, 0.4])
    found = UNEVEN.probabilities(mean, std)
    edges = np.array([-np.inf, *UNEVEN.thresholds, np.inf])
    for n in range(3):
        assert_allclose(found[n], np.diff(stats.norm(mean[n], std[n]).cdf(edges)), atol=1e-15)


def test_both_tails_keep_their_digits():
    mpmath = pytest.importorskip("mpmath", reason="the oracle is mpmath")
    mpmath.mp.dps = 400
    mean, std = np.array([-5.0, 3.0, 11.0]), np.array([0.3, 0.2, 0.3])
    edges = [-mpmath.inf, *(mpmath.mpf(t) for t in UNEVEN.thresholds), mpmath.inf]
    found = UNEVEN.probabilities(mean, std)
    for n in range(3):
        below = [mpmath.ncdf(t, mpmath.mpf(mean[n]), mpmath.mpf(std[n])) for t in edges]
        exact = [b - a for a, b in pairwise(below)]
        assert_allclose(found[n], [float(p) for p in exact], rtol=1e-11, atol=1e-300)
        index = np.arange(5)
        log_p = UNEVEN.log_probability(np.full(5, mean[n]), np.full(5, std[n]), index)
        assert_allclose(log_p, [float(mpmath.log(p)) for p in exact], rtol=1e-11)


@pytest.mark.parametrize("std", [1e-6, 1e-2, 1.0, 1e6, 1e20])
@pytest.mark.parametrize("mean", [-1e6, 3.0, 1e6])
def test_log_probabilities_are_always_finite(mean, std):
    found = UNEVEN.log_probability(np.full(5, mean), np.full(5, std), np.arange(5))
    assert np.isfinite(found).all()
    assert (found <= 0).all()


def test_moments_are_those_of_a_discrete_variable():
    probabilities = UNEVEN.probabilities(np.array([2.0, 4.4]), np.array([1.0, 0.6]))
    mean, std = UNEVEN.moments(probabilities)
    for n in range(2):
        variable = stats.rv_discrete(values=(np.arange(1, 6), probabilities[n]))
        assert mean[n] == pytest.approx(variable.mean())
        assert std[n] == pytest.approx(variable.std())


def test_even_certainty_has_a_standard_deviation():
    found = UNEVEN.predict(np.array([3.0]), np.array([1e-6]))
    assert found.mean[0] == 3.0
    assert found.std is not None
    assert 0 < found.std[0] <= 0.01


def test_a_prediction_holds_all_of_it():
    mean, std = np.float32([2.0, 4.4]), np.float32([1.0, 0.6])
    found = UNEVEN.predict(mean, std)
    assert found.levels is not None
    assert found.mean.dtype == np.float32
    assert_allclose(found.levels.probability, UNEVEN.probabilities(mean, std))
    expected = UNEVEN.moments(found.levels.probability)
    assert_allclose((found.mean, found.std), expected, rtol=1e-6)
    assert found.levels.values.tolist() == list(STARS)


def test_positions_of_ratings():
    ratings = np.float32([5, 1, 3.5, 2, 0, 6, np.nan])
    assert level_index(ratings, np.array(STARS)).tolist() == [4, 0, -1, 1, -1, -1, -1]


@pytest.mark.parametrize(
    ("values", "probability", "what"),
    [
        (np.ones(1), np.ones((2, 1)), "levels have shape"),
        (np.ones((1, 2)), np.ones((2, 2)), "levels have shape"),
        (np.arange(2.0), np.ones(2), "probabilities have shape"),
        (np.arange(2.0), np.ones((2, 3)), "probabilities have shape"),
    ],
)
def test_shapes_of_level_probabilities(values, probability, what):
    with pytest.raises(DataError, match=what):
        LevelProbabilities(values, probability)


def test_levels_of_other_pairs():
    levels = LevelProbabilities(np.arange(2.0), np.full((3, 2), 0.5))
    with pytest.raises(DataError, match="of 3 pairs for 2 means"):
        RatingPrediction(np.zeros(2, np.float32), None, levels)

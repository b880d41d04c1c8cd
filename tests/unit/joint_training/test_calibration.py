from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.queries.rating_levels import RatingLevels, level_index
from recsys.recommenders.joint.training.calibration import FEWEST, Calibration, calibrate

STARS = (1.0, 2.0, 3.0, 4.0, 5.0)
MIDWAY = RatingLevels.midway(STARS)
TRUE = (1.3, 2.4, 3.6, 4.3)


def simulate(n, scale, thresholds, seed=0):
    random = np.random.default_rng(seed)
    eta, std = random.normal(3.3, 1.0, n), np.exp(random.normal(-0.2, 0.3, n))
    latent = random.normal(eta, scale * std)
    return eta, std, 1.0 + np.searchsorted(thresholds, latent)


def nll(calibration, eta, std, ratings):
    levels = calibration.levels
    index = level_index(ratings, np.asarray(levels.values))
    return -levels.log_probability(eta, calibration.scale * std, index).mean()


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_a_known_scale_is_found(scale):
    data = simulate(20000, scale, MIDWAY.thresholds)
    found = calibrate(*data, MIDWAY, thresholds=False)
    assert found.scale == pytest.approx(scale, rel=0.02)
    assert found.levels == MIDWAY


def test_single_precision_is_precise_enough():
    double = simulate(2000, 1.4, TRUE)
    single = [part.astype(np.float32) for part in double]
    one, other = (calibrate(*data, MIDWAY, thresholds=True) for data in (double, single))
    assert other.scale == pytest.approx(one.scale, abs=1e-3)
    assert other.levels.thresholds == pytest.approx(one.levels.thresholds, abs=1e-3)


@pytest.mark.parametrize("scale", [0.6, 1.5])
def test_known_thresholds_and_a_known_scale_are_found(scale):
    data = simulate(40000, scale, TRUE)
    found = calibrate(*data, MIDWAY, thresholds=True)
    assert found.scale == pytest.approx(scale, rel=0.03)
    assert found.levels.values == STARS
    assert found.levels.thresholds == pytest.approx(TRUE, abs=0.05)
    assert nll(found, *data) < nll(Calibration(1.0, MIDWAY), *data)


@pytest.mark.parametrize("thresholds", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_likelihood_of_the_given_ratings_is_never_lowered(seed, thresholds):
    random = np.random.default_rng(seed)
    n = int(random.integers(FEWEST, 300))
    eta, std = random.normal(3, 2, n), np.exp(random.normal(0, 1, n))
    ratings = random.integers(1, 6, n).astype(float)
    found = calibrate(eta, std, ratings, MIDWAY, thresholds=thresholds)
    before = nll(Calibration(1.0, MIDWAY), eta, std, ratings)
    assert nll(found, eta, std, ratings) <= before + 1e-12


def test_freedom_helps():
    data = simulate(2000, 0.8, TRUE)
    fixed, free = (calibrate(*data, MIDWAY, thresholds=free) for free in (False, True))
    assert nll(free, *data) < nll(fixed, *data) - 0.01


def test_a_level_that_nobody_gave_keeps_its_place():
    eta, std, ratings = simulate(3000, 1.0, MIDWAY.thresholds)
    given = (ratings != 3.0) & (ratings != 1.0)
    found = calibrate(eta[given], std[given], ratings[given], MIDWAY, thresholds=True)
    unseen = found.levels.probabilities(np.array([3.0]), np.array([found.scale]))[0]
    assert (np.diff(found.levels.thresholds) > 0).all()
    assert (unseen > 1e-6).all()


def test_a_perfect_prediction_is_not_believed_without_end():
    eta = np.tile(np.arange(1.0, 6.0), 40)
    found = calibrate(eta, np.ones(200), eta, MIDWAY, thresholds=False)
    assert 0.04 < found.scale < 0.3


def test_few_ratings_correct_nothing():
    few = [part[: FEWEST - 1] for part in simulate(100, 3.0, TRUE)]
    assert calibrate(*few, MIDWAY, thresholds=True) == Calibration(1.0, MIDWAY)


def test_ratings_that_are_no_level():
    eta, std, ratings = simulate(100, 1.0, MIDWAY.thresholds)
    ratings[[3, 17]] = 2.5, 9.0
    with pytest.raises(DataError, match="2 ratings are none of the levels") as caught:
        calibrate(eta, std, ratings, MIDWAY, thresholds=False)
    assert caught.value.rows == ("rating 3: 2.5", "rating 17: 9.0")


def test_two_levels():
    random = np.random.default_rng(3)
    eta = random.normal(0.5, 1, 5000)
    liked = (random.normal(eta, 0.5) > 0.7).astype(float)
    found = calibrate(eta, np.ones(5000), liked, RatingLevels.midway((0.0, 1.0)), thresholds=True)
    assert found.scale == pytest.approx(0.5, abs=0.05)
    assert found.levels.thresholds == pytest.approx((0.7,), abs=0.05)

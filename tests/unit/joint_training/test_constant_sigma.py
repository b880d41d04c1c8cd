from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Query
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.training.calibration import ConstantSigma

USERS, ITEMS = 60, 100
LEVELS = RatingLevels.midway((1.0, 2.0, 3.0, 4.0, 5.0))


class Honest:
    """Knows the latent mean and standard deviation that ratings are drawn with."""

    def __init__(self, spread):
        random = np.random.default_rng(0)
        self.mean = random.normal(3.2, 0.8, (USERS, ITEMS)).astype(np.float32)
        self.std = np.exp(random.normal(-0.3, spread, (USERS, ITEMS))).astype(np.float32)

    def predict_ratings(self, query, rows, items):
        users = query.users[rows]
        return LEVELS.predict(self.mean[users, items], self.std[users, items])

    def ratings(self, seed):
        latent = np.random.default_rng(seed).normal(self.mean, self.std)
        stars = 1.0 + np.searchsorted(LEVELS.thresholds, latent)
        user, item = (grid.ravel() for grid in np.indices((USERS, ITEMS)))
        users = Vocabulary((f"u{n}" for n in range(USERS)), kind="user")
        items = Vocabulary((f"m{n}" for n in range(ITEMS)), kind="movie")
        return Interactions(users, items, user, item, stars.ravel())


@pytest.fixture
def query():
    return Query(sp.csr_array((USERS, ITEMS), dtype=np.float32), np.arange(USERS, dtype=np.int32))


@pytest.mark.parametrize(("spread", "gain"), [(0.0, (-0.01, 0.01)), (0.6, (0.05, 1.0))])
def test_it_loses_by_what_the_differences_are_worth(query, spread, gain):
    honest = Honest(spread)
    constant = ConstantSigma.fit(honest, LEVELS, honest.ratings(1), query)
    one, other = (evaluate_ratings(p, honest.ratings(2), query) for p in (honest, constant))
    difference = other.uncertainty["level_nll"] - one.uncertainty["level_nll"]
    assert gain[0] < difference < gain[1]
    assert other.uncertainty["pit_80"] == pytest.approx(0.8, abs=0.02)


def test_one_sigma_for_all(query):
    honest = Honest(0.3)
    constant = ConstantSigma.fit(honest, LEVELS, honest.ratings(1), query)
    same = np.argwhere(np.isclose(honest.mean, honest.mean[0, 0], atol=1e-3))[:2]
    found = constant.predict_ratings(query, same[:, 0], same[:, 1])
    assert found.std[0] == pytest.approx(found.std[1], abs=1e-3)
    assert constant.calibration.scale == pytest.approx(np.median(honest.std), rel=0.2)


def test_ratings_that_are_no_level(query):
    honest = Honest(0.1)
    with pytest.raises(DataError, match="none of the levels"):
        ConstantSigma.fit(honest, RatingLevels.midway((1.0, 3.0, 5.0)), honest.ratings(1), query)

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.errors import ConfigError, DataError
from recsys.queries.query import Query
from recsys.recommenders.bias import BiasConfig, BiasModel, fit_biases
from recsys.testing.worlds import data_of


def solved(ratings, user_l2, item_l2):
    """The minimum of the objective by one dense ridge regression over all biases."""
    users, items = ratings.shape
    design = np.zeros((len(ratings), users + items))
    design[np.arange(len(ratings)), ratings.user] = 1
    design[np.arange(len(ratings)), users + ratings.item] = 1
    penalty = np.diag(np.r_[np.full(users, user_l2), np.full(items, item_l2)])
    target = ratings.rating.astype(np.float64) - ratings.rating.mean(dtype=np.float64)
    both = np.linalg.solve(design.T @ design + penalty, design.T @ target)
    return both[:users], both[users:]


def test_alternation_reaches_the_minimum(ratings):
    biases = fit_biases(ratings, BiasConfig(user_l2=3.0, item_l2=1.5, rounds=200))
    users, items = solved(ratings, 3.0, 1.5)
    np.testing.assert_allclose(biases.item, items, atol=1e-8)
    np.testing.assert_allclose(biases.of_users(ratings.matrix()), users, atol=1e-8)
    assert biases.mean == pytest.approx(ratings.rating.mean(dtype=np.float64))


def test_the_default_rounds_have_settled(ratings):
    few, many = (fit_biases(ratings, BiasConfig(rounds=n)) for n in (BiasConfig().rounds, 500))
    np.testing.assert_allclose(few.item, many.item, atol=1e-4)


def test_a_new_user_s_bias_comes_from_the_history(ratings):
    model = BiasModel().fit(data_of(ratings))
    histories = sp.csr_array(([5.0, 5.0, 1.0], ([0, 0, 1], [0, 1, 0])), shape=(3, 14))
    rows, items = np.arange(3), np.full(3, 5)
    generous, strict, unknown = model.predict_ratings(Query.of(histories), rows, items).mean
    assert generous > unknown > strict


def test_what_is_not_known_falls_back_to_the_mean(ratings):
    model = BiasModel().fit(data_of(ratings))
    found = model.predict_ratings(Query.known(ratings), np.array([24]), np.array([13])).mean
    np.testing.assert_allclose(found, ratings.rating.mean(), rtol=1e-6)


def test_residuals_are_what_the_baseline_leaves(ratings):
    biases = fit_biases(ratings, BiasConfig())
    left = biases.residuals(ratings.matrix()).toarray()[ratings.user, ratings.item]
    stars = biases.baseline(ratings.matrix(), ratings.user, ratings.item)
    np.testing.assert_allclose(left, ratings.rating - stars, atol=1e-12)


@pytest.mark.parametrize("bad", [{"user_l2": 0.0}, {"item_l2": -1.0}, {"rounds": 0}])
def test_values_that_cannot_work_are_refused(bad):
    with pytest.raises(ConfigError, match="greater than 0"):
        BiasConfig(**bad)


def test_nothing_to_learn_from_is_an_error(ratings):
    nothing = ratings.select(np.arange(0))
    with pytest.raises(ConfigError, match="no ratings"):
        BiasModel().fit(data_of(nothing))


def test_histories_over_other_movies_are_refused(ratings):
    model = BiasModel().fit(data_of(ratings))
    with pytest.raises(DataError, match="fitted on 14 movies, the histories have 9"):
        model.predict_ratings(Query.of(sp.csr_array((1, 9))), np.zeros(1, int), np.zeros(1, int))

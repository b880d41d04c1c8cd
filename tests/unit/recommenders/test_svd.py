"""SVD and SVD++: the numbers of the plain loop over the ratings, sensible vectors of new users."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.errors import ConfigError, DataError
from recsys.queries.query import Query
from recsys.recommenders.svd import factors as latent_factors
from recsys.recommenders.svd.factors import Descent, Factors, SvdConfig
from recsys.recommenders.svd.model import Svd, SvdPlusPlus, SvdPlusPlusConfig
from recsys.testing.worlds import data_of

SVD = SvdConfig(factors=3, epochs=4, lr=0.05, reg=0.1, seed=5)
SVDPP = SvdPlusPlusConfig(factors=3, epochs=4, lr=0.05, reg=0.1, seed=5)


def looped(train, config, name, implicit):
    """The steps as Koren writes them, one rating after another."""
    start = Factors.start(train, config, name)
    bu, bi = start.user_bias.copy(), start.item_bias.copy()
    p, q, y = start.user.copy(), start.item.copy(), start.implicit.copy()
    lr, reg = config.lr, config.reg
    for _ in range(config.epochs):
        for n in np.argsort(train.user, kind="stable"):
            u, i, r = train.user[n], train.item[n], float(train.rating[n])
            chosen = train.item[train.user == u] if implicit else train.item[:0]
            norm = 1 / np.sqrt(max(len(chosen), 1))
            z, q_i = p[u] + norm * y[chosen].sum(axis=0), q[i].copy()
            e = r - start.mean - bu[u] - bi[i] - q_i @ z
            bu[u] += lr * (e - reg * bu[u])
            bi[i] += lr * (e - reg * bi[i])
            p[u] += lr * (e * q_i - reg * p[u])
            q[i] += lr * (e * z - reg * q_i)
            y[chosen] += lr * (e * norm * q_i - reg * y[chosen])
    z = p.copy()
    for u in range(len(p)) if implicit else ():
        chosen = train.item[train.user == u]
        z[u] += y[chosen].sum(axis=0) / np.sqrt(max(len(chosen), 1))
    return start.mean + bu[:, None] + bi + z @ q.T


def every_pair(model, train):
    rows, items = (grid.ravel() for grid in np.indices(train.shape))
    stars = model.predict_ratings(Query.known(train), rows, items).mean
    return stars.reshape(train.shape)


@pytest.mark.parametrize("longest", [3, 512])
@pytest.mark.parametrize(("model", "config"), [(Svd, SVD), (SvdPlusPlus, SVDPP)])
def test_the_fit_is_that_of_the_plain_loop(ratings, model, config, longest, monkeypatch):
    monkeypatch.setattr(latent_factors, "MAX_VISIT", longest)
    expected = looped(ratings, config, model.name, model.implicit)
    found = every_pair(model(config).fit(data_of(ratings)), ratings)
    unrated = np.flatnonzero(ratings.item_counts() == 0)
    assert unrated.size
    known = ratings.user_counts() > 0
    np.testing.assert_allclose(found[known], np.clip(expected, 1, 5)[known], atol=1e-5)


@pytest.mark.parametrize("model", [Svd(SVD), SvdPlusPlus(SVDPP)])
def test_without_ratings_only_biases_are_left(ratings, model):
    stars = every_pair(model.fit(data_of(ratings)), ratings)
    user, item = ratings.user_counts() == 0, ratings.item_counts() == 0
    mean = ratings.rating.mean(dtype=np.float64)
    np.testing.assert_allclose(stars[np.ix_(user, item)], mean, rtol=1e-6)
    bias = stars[:, item]
    assert np.ptp(bias[~user]) > 0


@pytest.mark.parametrize("model", [Svd(SVD), SvdPlusPlus(SVDPP)])
def test_a_stranger_is_told_by_the_history(ratings, model):
    model.fit(data_of(ratings))
    likes = sp.csr_array(np.where(np.arange(14) < 4, [[5.0], [1.0]], 0).astype(np.float32))
    items = np.tile(np.arange(14), 2)
    stars = model.predict_ratings(Query.of(likes), np.repeat([0, 1], 14), items).mean.reshape(2, 14)
    assert (stars[0] > stars[1]).all()


def test_a_stranger_takes_the_steps_of_the_plain_loop(ratings, monkeypatch):
    monkeypatch.setattr(latent_factors, "MAX_VISIT", 2)
    model = SvdPlusPlus(SVDPP).fit(data_of(ratings))
    factors = Factors.of(model.arrays())
    movies, stars = np.array([0, 3, 5, 8, 9], dtype=np.int32), np.array([5.0, 1, 4, 2, 3])
    choice = factors.implicit[movies].sum(axis=0) / np.sqrt(5)
    bias, p = 0.0, np.zeros(3)
    for _ in range(SVDPP.epochs):
        for i, r in zip(movies, stars, strict=True):
            q = factors.item[i]
            e = r - factors.mean - factors.item_bias[i] - bias - q @ (p + choice)
            bias += SVDPP.lr * (e - SVDPP.reg * bias)
            p = p + SVDPP.lr * (e * q - SVDPP.reg * p)
    expected = factors.mean + bias + factors.item_bias + factors.item @ (p + choice)
    history = sp.csr_array((stars.astype(np.float32), movies, [0, 5]), shape=(1, 14))
    found = model.predict_ratings(Query.of(history), np.zeros(14, dtype=int), np.arange(14)).mean
    np.testing.assert_allclose(found, np.clip(expected, 1, 5), atol=1e-5)


def test_the_seed_decides_the_start_and_nothing_else(ratings):
    one, same, other = (
        every_pair(Svd(SvdConfig(factors=3, seed=seed)).fit(data_of(ratings)), ratings)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    "wrong", [{"factors": 0}, {"epochs": 0}, {"lr": 0.0}, {"reg": -1.0}, {"init_std": -0.1}]
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        SvdConfig(**wrong)


def test_a_step_must_not_take_more_than_there_is():
    with pytest.raises(ConfigError, match="lr × reg < 1"):
        Descent(lr=0.5, reg=2.0)


def test_no_rating_is_refused(ratings):
    nothing = ratings.select(np.arange(0))
    with pytest.raises(ConfigError, match="no ratings"):
        Svd().fit(data_of(nothing))


def test_histories_over_another_vocabulary_are_refused(ratings):
    model = Svd(SVD).fit(data_of(ratings))
    query = Query.of(sp.csr_array((1, 3), dtype=np.float32))
    with pytest.raises(DataError, match="14 movies"):
        model.predict_ratings(query, np.zeros(1, dtype=int), np.zeros(1, dtype=int))


@pytest.mark.parametrize(("model", "a_movie"), [(Svd(SVD), 4), (SvdPlusPlus(SVDPP), 7)])
def test_parameters_are_those_of_users_and_movies_with_ratings(ratings, model, a_movie):
    users, movies = (int((n > 0).sum()) for n in (ratings.user_counts(), ratings.item_counts()))
    assert model.fit(data_of(ratings)).parameters == 1 + 4 * users + a_movie * movies

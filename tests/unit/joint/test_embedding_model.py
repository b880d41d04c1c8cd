from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from support.served import UNIMPRESSED, served_world, timed_world

from recsys.data.files import fingerprint
from recsys.data.interactions import RatingScale
from recsys.errors import DataError
from recsys.queries.query import Query
from recsys.recommenders.joint.embedding_model import RatingConstants
from recsys.testing.contract import query_state


@pytest.fixture(scope="module")
def histories():
    return served_world().model.context.histories


@pytest.fixture(scope="module")
def model():
    return served_world().model.model


@pytest.fixture(scope="module")
def query(histories):
    return Query.known(histories)


def grid(query, model):
    return (part.ravel() for part in np.indices((len(query), len(model.movies))))


def test_scores_are_a_mean_of_likes_times_a_movie_plus_its_bias(histories, model, query):
    movies, ratings = model.movies, histories.matrix().toarray()
    scores = model.score(query)
    for u in range(len(query)):
        liked = np.flatnonzero(ratings[u] >= model.rule.liked_min_rating)
        slope = model.rule.rating_slope * (ratings[u, liked] - model.rule.rating_center)
        weight = (1 + slope) * movies.weight[liked]
        user = weight @ movies.liked[liked] / weight.sum() if len(liked) else 0 * movies.liked[0]
        expected = movies.ranked[:, :-1] @ user + movies.ranked[:, -1]
        np.testing.assert_allclose(scores[u], expected, atol=1e-4)


def test_who_liked_nothing_gets_the_biases(histories, model, query):
    row = histories.users.row(UNIMPRESSED)
    np.testing.assert_array_equal(model.score(query)[row], model.movies.ranked[:, -1])
    told = model.view(query.slice(row, row + 1)).contributions(np.array([5]))
    assert told.rows.size == told.values.size == 0
    assert told.bias == model.movies.ranked[5, -1]


@pytest.mark.parametrize("world", [served_world, timed_world])
def test_contributions_and_bias_add_up_to_the_score(world):
    model, query = world().model.model, world().model.context.everyone
    scores, items = model.score(query), np.arange(0, len(model.movies), 7)
    for u in range(len(query)):
        person = query.slice(u, u + 1)
        view = model.view(person)
        told = view.contributions(items)
        np.testing.assert_allclose(told.values.sum(axis=1) + told.bias, scores[u, items], atol=1e-4)
        assert told.rows.tolist() == view.rows.tolist() == model.weights(person).indices.tolist()
        np.testing.assert_array_equal(view.scores(), scores[u])


def test_eta_and_sigma_are_what_the_formulas_say(model, query):
    rows, items = grid(query, model)
    taste, movies = model.taste(query), model.movies
    wide = replace(model, rating=model.rating._replace(spread=1.5))
    eta, std = wide.latent(query, rows, items)
    for n in range(0, len(rows), 13):
        u, i = rows[n], items[n]
        mean = movies.rating_mean[i] + taste.bias[u] + taste.vector[u] @ movies.rating_out[i]
        assert eta[n] == pytest.approx(mean, abs=1e-4)
        variance = np.exp(movies.log_variance[i]) * taste.noise[u] ** model.rating.user_noise
        assert std[n] == pytest.approx(1.5 * np.sqrt(variance), rel=1e-4)


def test_where_there_are_levels_predictions_are_what_the_levels_say(model, query):
    rows, items = grid(query, model)
    found, (eta, std) = model.predict_ratings(query, rows, items), model.latent(query, rows, items)
    probability = model.rating.levels.probabilities(eta, std)
    np.testing.assert_array_equal(found.levels.probability, probability)
    np.testing.assert_array_equal(found.levels.values, model.rating.levels.values)
    np.testing.assert_allclose(found.mean, probability @ found.levels.values, rtol=1e-6)


def continuous(model, **changes):
    """The model without levels, so that η and σ are the prediction."""
    return replace(model, rating=model.rating._replace(levels=None, **changes))


def test_without_levels_means_are_clipped_to_the_scale_whatever_it_is(model, query):
    rows, items = grid(query, model)
    wide = continuous(model, scale=RatingScale(-100, 100))
    narrow = continuous(model, scale=RatingScale(2.5, 3))
    free, clipped = (m.predict_ratings(query, rows, items).mean for m in (wide, narrow))
    assert free.min() < 2.5
    assert free.max() > 3
    np.testing.assert_array_equal(clipped, np.clip(free, 2.5, 3))
    assert wide.predict_ratings(query, rows, items).levels is None
    np.testing.assert_array_equal(free, wide.latent(query, rows, items)[0])


def test_standard_deviations_are_positive_for_everybody(model, query):
    rows, items = grid(query, model)
    for noise in (-2.0, 0.0, 3.0):
        stated = replace(model, rating=model.rating._replace(user_noise=noise))
        for one in (stated, continuous(stated)):
            found = one.predict_ratings(query, rows, items).std
            assert np.isfinite(found).all()
            assert (found > 0).all()


def test_without_user_noise_the_movie_alone_says_how_sure(model, query):
    rows, items = grid(query, model)
    calm = replace(model, rating=model.rating._replace(user_noise=0.0))
    expected = np.exp(model.movies.log_variance / 2)[items]
    np.testing.assert_allclose(calm.latent(query, rows, items)[1], expected, rtol=1e-5)


def test_the_audience_score_is_on_the_scale_and_says_how_sure_it_is(model):
    movies = model.movies
    odd = np.where(np.arange(len(movies)) % 2, movies.audience_mean, 9).astype(np.float32)
    rating = model.rating._replace(vote_std=0.7)
    found = replace(model, movies=replace(movies, audience_mean=odd), rating=rating).audience()
    np.testing.assert_array_equal(found.mean, odd.clip(1, 5))
    np.testing.assert_allclose(found.std**2, np.exp(movies.audience_log_variance), rtol=1e-5)
    assert found.vote_std == 0.7


def test_genre_probabilities_are_the_logistic_of_the_logits(model):
    logits = model.movies.genre_logits.astype(np.float64)
    found = model.genre_probabilities()
    np.testing.assert_allclose(found, np.exp(logits) / (1 + np.exp(logits)), atol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.filterwarnings("error")
def test_genre_probabilities_of_extreme_logits_are_sure(model):
    logits = np.full_like(model.movies.genre_logits, 200)
    logits[::2] *= -1
    movies = replace(model.movies, genre_logits=logits)
    found = replace(model, movies=movies).genre_probabilities()
    np.testing.assert_allclose(found, logits > 0, atol=1e-6)


def test_more_movies_come_after_its_own_and_change_none(model, query):
    more = replace(
        model.movies, **{name: array[:3] + 1 for name, array in model.movies.arrays().items()}
    )
    grown, n = model.with_movies(more), len(model.movies)
    assert len(grown.movies) == n + 3
    assert len(model.movies) == n
    assert (grown.rule, grown.rating) == (model.rule, model.rating)
    for name, array in grown.movies.arrays().items():
        np.testing.assert_array_equal(array[:n], model.movies.arrays()[name])
        np.testing.assert_array_equal(array[n:], more.arrays()[name])
    histories = sp.csr_array(
        (query.histories.data, query.histories.indices, query.histories.indptr),
        shape=(len(query), n + 3),
    )
    np.testing.assert_allclose(
        grown.score(Query.of(histories))[:, :n], model.score(query), atol=1e-5
    )


def test_movies_of_different_kinds_of_count_are_refused(model):
    with pytest.raises(DataError, match="rating_out"):
        replace(model.movies, rating_out=model.movies.rating_out[:-1])


def test_asking_changes_nothing(model, query):
    def everything():
        return fingerprint((*model.movies.arrays().values(), query_state(query)))

    before = everything()
    rows, items = grid(query, model)
    model.score(query)
    model.predict_ratings(query, rows, items)
    model.view(query.slice(0, 1)).contributions(items[:3])
    model.audience()
    model.genre_probabilities()
    assert everything() == before


def test_what_is_served_is_float32(model, query):
    assert model.user_vectors(query).dtype == np.float32
    assert model.score(query).dtype == np.float32
    rows, items = grid(query, model)
    found = model.predict_ratings(query, rows, items)
    assert found.mean.dtype == found.std.dtype == np.float32
    assert isinstance(model.rating, RatingConstants)

"""Users whose ratings have times are served as they were evaluated, and explained exactly."""

from __future__ import annotations

import numpy as np
import pytest
from support.served import timed_world

from recsys.bundle import write_bundle
from recsys.engine import Engine, NewMovie
from recsys.recommenders.saving import restore


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("timed") / "bundle"
    write_bundle(folder, timed_world().contents, restore)
    return Engine.load(folder)


def score_by_hand(engine, user):
    """(I,) by the definition: a mean of what was liked, weighed by stars and popularity."""
    movies, rule = engine.model.model.movies, engine.model.model.rule
    ratings = engine.context.histories.matrix()[[engine.users.row(user)]]
    liked = ratings.data >= rule.liked_min_rating
    items, stars = ratings.indices[liked], ratings.data[liked]
    weight = (1 + rule.rating_slope * (stars - rule.rating_center)) * movies.weight[items]
    return (
        movies.ranked[:, :-1] @ (weight @ movies.liked[items] / weight.sum()) + movies.ranked[:, -1]
    )


@pytest.mark.parametrize("user", ["u0", "u7", "u13"])
def test_scores_are_the_definition(timed, user):
    expected = score_by_hand(timed, user)
    found = timed.model.score(timed.user(user).query)[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    for movie in timed.recommend(user, 5).items:
        row = timed.catalogue.items.row(movie.item)
        assert movie.score == pytest.approx(expected[row], abs=1e-4)


def test_a_known_user_brings_the_times_of_their_ratings(timed):
    person, all_times = timed.user("u4"), timed.context.histories.times()
    query = person.query
    assert (query.times != all_times[[4]]).nnz == 0
    np.testing.assert_array_equal(query.times.indices, query.histories.indices)


def test_a_person_who_names_movies_has_no_times(timed, engine):
    assert timed.profile(["m1", "m2"]).query.times is None
    assert engine.user("u4").query.times is None


def test_shares_add_up_to_the_score(timed):
    for person in (timed.user("u4"), timed.profile(["m1", "m2", "m3"], {"m4": 3.5})):
        for movie in timed.recommend(person, 10).items:
            shares = sum(entry.share for entry in movie.because)
            assert shares == pytest.approx(movie.score, abs=1e-4)
        score = timed.model.score(person.query)[0, 0]
        shares = sum(entry.share for entry in timed.explain(person, "m0"))
        assert shares == pytest.approx(score, abs=1e-4)


def test_a_new_movie_leaves_users_and_their_times_as_they_were(timed, tmp_path):
    features = {name: table[0] for name, table in timed_world().features.items()}
    grown = timed.add_movie(NewMovie("new", "Fresh", features))
    before, after = (e.model.score(e.context.everyone) for e in (timed, grown))
    np.testing.assert_allclose(after[:, :-1], before, atol=1e-5)
    np.testing.assert_array_equal(*(e.user("u4").query.times.data for e in (grown, timed)))
    write_bundle(tmp_path / "grown", grown.contents, restore)
    again = Engine.load(tmp_path / "grown")
    np.testing.assert_array_equal(again.model.score(again.context.everyone), after)


def test_a_liked_new_movie_counts_like_any_other(timed):
    world = timed_world()
    features = {name: table[0] for name, table in world.features.items()}
    grown = timed.add_movie(NewMovie("new", "Fresh", features))
    movie = grown.recommend(grown.profile(["new", "m1"]), 1).items[0]
    assert {entry.item for entry in movie.because} == {"new", "m1", None}
    assert sum(entry.share for entry in movie.because) == pytest.approx(movie.score, abs=1e-4)


def test_asking_for_queries_gives_copies(timed):
    before = timed.model.score(timed.context.query(np.array([3])))
    query = timed.context.query(np.array([3]))
    query.histories.data[:] = 1
    query.times.data[:] = 0
    after = timed.model.score(timed.context.query(np.array([3])))
    np.testing.assert_array_equal(after, before)


def test_many_lists_are_those_of_each_user(timed):
    each = [timed.recommend(user, because=2) for user in timed.users]
    assert timed.recommend_many(because=2) == each

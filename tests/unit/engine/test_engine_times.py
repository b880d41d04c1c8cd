"""Users with times and attention are served as they were evaluated, and explained exactly."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.bundle import write_bundle
from recsys.engine import Engine, NewMovie
from recsys.recommenders.saving import restore
from recsys.testing.attentive import attentive_world

DAY = 86_400


@pytest.fixture(scope="module")
def attentive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attentive") / "bundle"
    write_bundle(folder, attentive_world().contents, restore)
    return Engine.load(folder)


def score_by_hand(engine, user):
    """(I,) by the definition: stars, popularity, recency, then attention over what was liked."""
    histories, row = engine.context.histories, engine.users.row(user)
    movies, rule = engine.model.model.movies, engine.model.model.rule
    ratings, times = (m[[row]] for m in (histories.matrix(), histories.times()))
    liked = ratings.data >= rule.liked_min_rating
    items, stars, when = ratings.indices[liked], ratings.data[liked], times.data[liked]
    weight = (1 + rule.rating_slope * (stars - rule.rating_center)) * movies.weight[items]
    age = (times.data.max() - when) / DAY
    weight = weight * 2.0 ** (-age / rule.recency_half_life_days)
    keys = movies.attention[items].astype(np.float64)
    logits = keys @ (weight @ keys / weight.sum()) / np.sqrt(keys.shape[1])
    weight = weight * np.exp(logits - logits.max())
    return (
        movies.ranked[:, :-1] @ (weight @ movies.liked[items] / weight.sum()) + movies.ranked[:, -1]
    )


@pytest.mark.parametrize("user", ["u0", "u7", "u13"])
def test_scores_are_the_definition(attentive, user):
    expected = score_by_hand(attentive, user)
    found = attentive.model.score(attentive.user(user).query)[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    for movie in attentive.recommend(user, 5).items:
        row = attentive.catalogue.items.row(movie.item)
        assert movie.score == pytest.approx(expected[row], abs=1e-4)


def test_a_known_user_brings_the_times_of_their_ratings(attentive):
    person, all_times = attentive.user("u4"), attentive.context.histories.times()
    query = person.query
    assert (query.times != all_times[[4]]).nnz == 0
    np.testing.assert_array_equal(query.times.indices, query.histories.indices)


def test_a_person_who_names_movies_has_no_times(attentive, engine):
    assert attentive.profile(["m1", "m2"]).query.times is None
    assert engine.user("u4").query.times is None


def test_times_matter(attentive):
    known = attentive.user("u4")
    ratings = {
        f"m{i}": float(r) for i, r in zip(known.rated, known.query.histories.data, strict=True)
    }
    named = attentive.profile(ratings=ratings)
    one, other = (attentive.model.score(person.query) for person in (known, named))
    assert np.abs(one - other).max() > 1e-2


def test_shares_add_up_to_the_score(attentive):
    for person in (attentive.user("u4"), attentive.profile(["m1", "m2", "m3"], {"m4": 3.5})):
        for movie in attentive.recommend(person, 10).items:
            shares = sum(entry.share for entry in movie.because)
            assert shares == pytest.approx(movie.score, abs=1e-4)
        score = attentive.model.score(person.query)[0, 0]
        shares = sum(entry.share for entry in attentive.explain(person, "m0"))
        assert shares == pytest.approx(score, abs=1e-4)


def test_a_new_movie_leaves_users_and_their_times_as_they_were(attentive, tmp_path):
    features = {name: table[0] for name, table in attentive_world().features.items()}
    grown = attentive.add_movie(NewMovie("new", "Fresh", features))
    before, after = (e.model.score(e.context.everyone) for e in (attentive, grown))
    np.testing.assert_allclose(after[:, :-1], before, atol=1e-5)
    np.testing.assert_array_equal(*(e.user("u4").query.times.data for e in (grown, attentive)))
    write_bundle(tmp_path / "grown", grown.contents, restore)
    again = Engine.load(tmp_path / "grown")
    np.testing.assert_array_equal(again.model.score(again.context.everyone), after)


def test_a_liked_new_movie_is_attended_to_like_any_other(attentive):
    world = attentive_world()
    features = {name: table[0] for name, table in world.features.items()}
    grown = attentive.add_movie(NewMovie("new", "Fresh", features))
    expected = world.model.tower.embed({n: t[:1] for n, t in world.features.items()})
    np.testing.assert_allclose(
        grown.model.model.movies.attention[-1], expected.attention[0], atol=1e-6
    )
    movie = grown.recommend(grown.profile(["new", "m1"]), 1).items[0]
    assert {entry.item for entry in movie.because} == {"new", "m1", None}
    assert sum(entry.share for entry in movie.because) == pytest.approx(movie.score, abs=1e-4)


def test_asking_for_queries_gives_copies(attentive):
    before = attentive.model.score(attentive.context.query(np.array([3])))
    query = attentive.context.query(np.array([3]))
    query.histories.data[:] = 1
    query.times.data[:] = 0
    after = attentive.model.score(attentive.context.query(np.array([3])))
    np.testing.assert_array_equal(after, before)


def test_many_lists_are_those_of_each_user(attentive):
    each = [attentive.recommend(user, because=2) for user in attentive.users]
    assert attentive.recommend_many(because=2) == each

"""What holds for every person, movie and k."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.served import GENRES, N_ITEMS, N_USERS, served_world

from recsys.bundle import write_bundle
from recsys.engine import Engine, Filters
from recsys.queries.topk import top_k
from recsys.recommenders.saving import restore

MOVIES = st.integers(0, N_ITEMS - 1).map(lambda row: f"m{row}")
RATINGS = st.dictionaries(MOVIES, st.sampled_from([1.0, 2.0, 3.5, 4.0, 4.5, 5.0]))
USERS = st.integers(0, N_USERS - 1).map(lambda row: f"u{row}")
YEARS = st.tuples(st.integers(1955, 2000), st.integers(0, 40)).map(lambda y: (y[0], y[0] + y[1]))
FILTERS = st.builds(
    Filters,
    genre=st.lists(st.sampled_from(GENRES), max_size=3).map(tuple),
    years=st.none() | YEARS,
)
COUNTS = st.integers(1, 2 * N_ITEMS)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laws") / "bundle"
    write_bundle(folder, served_world().contents, restore)
    return Engine.load(folder)


@given(ratings=RATINGS, k=COUNTS, keep=st.none() | st.integers(0, 10))
def test_shares_add_up_to_the_score(engine, ratings, k, keep):
    answer = engine.recommend(engine.profile(ratings=ratings), k, because=keep)
    for movie in answer.items:
        assert sum(e.share for e in movie.because) == pytest.approx(movie.score, abs=1e-4)
        named = [e for e in movie.because if e.item is not None]
        assert len(named) == min(len(answer.liked), N_ITEMS if keep is None else keep)


@given(user=USERS, k=COUNTS, exclude=st.booleans(), filters=FILTERS)
def test_exactly_what_is_eligible_and_never_anything_else(engine, user, k, exclude, filters):
    answer = engine.recommend(user, k, exclude_seen=exclude, filters=filters)
    person = engine.user(user)
    eligible = filters.mask(engine.catalogue) & ~(person.seen & exclude)
    rows = [engine.catalogue.items.row(movie.item) for movie in answer.items]
    assert len(rows) == len(set(rows)) == min(k, eligible.sum())
    assert answer.available == eligible.sum()
    assert eligible[rows].all()
    assert bool(answer.notes) >= (k > answer.available)


@given(user=USERS, k=COUNTS, filters=FILTERS)
def test_the_index_finds_what_scoring_everything_finds(engine, user, k, filters):
    person = engine.user(user)
    scores = engine.model.score(person.query)
    scores[0, ~(filters.mask(engine.catalogue) & ~person.seen)] = -np.inf
    expected = top_k(scores, k)
    answer = engine.recommend(person, k, filters=filters)
    there = expected.items[0] >= 0
    rows = [engine.catalogue.items.row(movie.item) for movie in answer.items]
    assert rows == expected.items[0][there].tolist()
    found = [movie.score for movie in answer.items]
    assert found == [round(float(score), 6) for score in expected.scores[0][there]]


@given(
    users=st.lists(USERS, max_size=5),
    k=COUNTS,
    exclude=st.booleans(),
    filters=st.none() | FILTERS,
    keep=st.none() | st.integers(0, 10),
)
def test_many_users_are_answered_as_each_is(engine, users, k, exclude, filters, keep):
    options = {"exclude_seen": exclude, "filters": filters, "because": keep}
    each = [engine.recommend(user, k, **options) for user in users]
    assert engine.recommend_many(users, k, **options) == each


@given(ratings=RATINGS)
def test_the_order_in_which_movies_are_named_does_not_matter(engine, ratings):
    backwards = dict(reversed(ratings.items()))
    one, other = (engine.profile(ratings=named) for named in (ratings, backwards))
    assert engine.recommend(one, 5) == engine.recommend(other, 5)


@given(one=MOVIES, other=MOVIES)
def test_similarity_is_symmetric_and_bounded(engine, one, other):
    there = {m.item: m.similarity for m in engine.similar(one, N_ITEMS).items}
    back = {m.item: m.similarity for m in engine.similar(other, N_ITEMS).items}
    assert one not in there
    assert all(-1 <= value <= 1 for value in there.values())
    if other in there and one in back:
        assert there[other] == pytest.approx(back[one], abs=1e-5)

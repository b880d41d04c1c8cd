"""What holds for every user, whatever their history, its times, and the options that weigh it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from laws import examples

from recsys.config.experiment import UserConfig
from recsys.queries.query import Query
from recsys.recommenders.joint.embedding_model import EmbeddingModel
from recsys.recommenders.joint.formulas import attended, liked_mean
from recsys.recommenders.joint.histories import liked_weights
from recsys.testing.served import N_ITEMS, served_world

DAY = 86_400
FAST = examples(60)
RULES = st.builds(
    UserConfig,
    liked_min_rating=st.sampled_from([1.0, 3.0, 4.0, 5.0]),
    rating_slope=st.floats(0, 0.3),
    rating_center=st.floats(2.5, 3.5),
    popularity_exponent=st.floats(0, 1),
    recency_half_life_days=st.none() | st.floats(1e-3, 1e4),
    attention_dim=st.sampled_from([0, 1, 4]),
)
RATINGS = st.dictionaries(
    st.integers(0, N_ITEMS - 1),
    st.tuples(st.sampled_from([1.0, 2.0, 3.5, 4.0, 5.0]), st.integers(0, 2000 * DAY)),
    max_size=8,
)


@dataclass(frozen=True)
class Asked:
    model: EmbeddingModel
    query: Query


def csr(rows, position, dtype):
    """Values of each user's ratings, in the order in which they were drawn."""
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.array([item for row in rows for item in row], dtype=np.int32)
    values = np.array([drawn[position] for row in rows for drawn in row.values()], dtype=dtype)
    return sp.csr_array((values, indices, indptr), shape=(len(rows), N_ITEMS))


@st.composite
def asked(draw) -> Asked:
    """A world, keys of any size, and users with or without times."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rule = draw(RULES)
    model = served_world(draw(st.integers(0, 4))).contents.model
    keys = draw(st.sampled_from([0.1, 1.0, 30.0])) * random.normal(
        size=(N_ITEMS, rule.attention_dim)
    )
    movies = replace(model.movies, attention=keys.astype(np.float32))
    rows = draw(st.lists(RATINGS, min_size=1, max_size=4))
    histories = csr(rows, 0, np.float32)
    times = csr(rows, 1, np.int64) if draw(st.booleans()) else None
    query = replace(Query.of(histories), times=times)
    return Asked(replace(model, movies=movies, rule=rule), query)


def plain(asked):
    """The weights without recency and attention."""
    rule = asked.model.rule.model_copy(update={"recency_half_life_days": None})
    return liked_weights(asked.query.histories, rule, asked.model.movies.weight)


def moved(query, shift):
    if query.times is None:
        return query
    times = query.times.copy()
    times.data = times.data + shift
    return replace(query, times=times)


@FAST
@given(asked=asked())
def test_shares_add_up_to_the_score_with_every_option_on(asked):
    model, query = asked.model, asked.query
    scores = model.score(query)
    for u in range(len(query)):
        for item in range(0, N_ITEMS, 7):
            liked, shares, bias = model.shares(query.slice(u, u + 1), item)
            size = 1 + np.abs(shares).sum() + abs(bias)
            assert abs(float(shares.sum()) + bias - scores[u, item]) <= 1e-5 * size
            assert len(liked) == len(shares)


@FAST
@given(asked=asked())
def test_options_change_how_much_a_movie_counts_and_never_whether(asked):
    found, without = asked.model.weights(asked.query), plain(asked)
    np.testing.assert_array_equal(found.indptr, without.indptr)
    np.testing.assert_array_equal(found.indices, without.indices)
    assert (found.data > 0).all()
    assert np.isfinite(found.data).all()


@FAST
@given(asked=asked())
def test_a_user_is_a_mean_of_what_they_liked(asked):
    vectors = np.linspace(-1, 1, N_ITEMS, dtype=np.float32)[:, None]
    weights = asked.model.weights(asked.query)
    for row, mean in enumerate(liked_mean(weights, vectors)[:, 0]):
        liked = weights[[row]].indices
        low, high = (vectors[liked].min(), vectors[liked].max()) if len(liked) else (0, 0)
        assert low - 1e-5 <= mean <= high + 1e-5


@FAST
@given(asked=asked(), shift=st.integers(-2000, 2000).map(lambda days: days * DAY))
def test_when_a_history_began_does_not_matter(asked, shift):
    one, other = (asked.model.weights(moved(asked.query, by)) for by in (0, shift))
    np.testing.assert_array_equal(one.data, other.data)


@FAST
@given(asked=asked())
def test_one_by_one_is_as_good_as_together(asked):
    model, query = asked.model, asked.query
    together = model.score(query)
    for u in range(len(query)):
        alone = model.score(query.slice(u, u + 1))[0]
        np.testing.assert_allclose(alone, together[u], rtol=1e-4, atol=1e-4)


@FAST
@given(asked=asked())
def test_without_half_life_times_do_not_matter_and_without_times_the_half_life(asked):
    model, query = asked.model, asked.query
    timeless = replace(query, times=None)
    endless = replace(model, rule=model.rule.model_copy(update={"recency_half_life_days": None}))
    expected = endless.weights(timeless)
    for found in (endless.weights(query), model.weights(timeless)):
        np.testing.assert_array_equal(found.data, expected.data)


@FAST
@given(asked=asked())
def test_of_two_equal_likes_the_later_counts_no_less(asked):
    model, query = asked.model, asked.query
    if query.times is None:
        return
    ones = np.ones(N_ITEMS, dtype=np.float32)
    flat = model.rule.model_copy(update={"rating_slope": 0.0})
    weights = liked_weights(query.histories, flat, ones, query.times)
    for row in range(len(query)):
        liked = weights[[row]]
        when = query.times[[row]].toarray()[0][liked.indices]
        assert (np.diff(liked.data[np.argsort(when, kind="stable")]) >= 0).all()


@FAST
@given(asked=asked())
def test_sparse_and_dense_attention_say_the_same(asked):
    weights, keys = plain(asked), asked.model.movies.attention
    sparse, dense = attended(weights, keys), attended(weights.toarray(), keys)
    # Keys of thirty make logits of thousands, of which float32 keeps three decimals.
    np.testing.assert_allclose(sparse.toarray(), dense, rtol=2e-2, atol=1e-6)


@FAST
@given(asked=asked())
def test_dense_attention_in_torch_is_that_in_numpy(asked):
    torch = pytest.importorskip("torch", reason="one of the two is torch")
    weights, keys = plain(asked).toarray(), asked.model.movies.attention
    found = attended(torch.from_numpy(weights), torch.from_numpy(keys))
    np.testing.assert_allclose(found.numpy(), attended(weights, keys), rtol=2e-2, atol=1e-6)


@FAST
@given(asked=asked())
def test_keys_of_zero_are_the_plain_mean(asked):
    weights = plain(asked)
    found = attended(weights, np.zeros_like(asked.model.movies.attention))
    np.testing.assert_array_equal(found.data, weights.data)

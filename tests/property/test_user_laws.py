"""What holds for every user, whatever their history and the options that weigh it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from laws import examples
from support.served import N_ITEMS, served_world

from recsys.config.experiment import UserConfig
from recsys.queries.query import Query
from recsys.recommenders.joint.embedding_model import EmbeddingModel
from recsys.recommenders.joint.formulas import liked_mean

FAST = examples(60)
RULES = st.builds(
    UserConfig,
    liked_min_rating=st.sampled_from([1.0, 3.0, 4.0, 5.0]),
    rating_slope=st.floats(0, 0.3),
    rating_center=st.floats(2.5, 3.5),
    popularity_exponent=st.floats(0, 1),
)
RATINGS = st.dictionaries(
    st.integers(0, N_ITEMS - 1), st.sampled_from([1.0, 2.0, 3.5, 4.0, 5.0]), max_size=8
)


@dataclass(frozen=True)
class Asked:
    model: EmbeddingModel
    query: Query


def csr(rows):
    """Each user's ratings, in the order in which they were drawn."""
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.array([item for row in rows for item in row], dtype=np.int32)
    stars = np.array([drawn for row in rows for drawn in row.values()], dtype=np.float32)
    return sp.csr_array((stars, indices, indptr), shape=(len(rows), N_ITEMS))


@st.composite
def asked(draw) -> Asked:
    """A world and users."""
    model = served_world(draw(st.integers(0, 4))).model.model
    query = Query.of(csr(draw(st.lists(RATINGS, min_size=1, max_size=4))))
    return Asked(replace(model, rule=draw(RULES)), query)


@FAST
@given(asked=asked())
def test_contributions_add_up_to_the_score_with_every_option_on(asked):
    model, query = asked.model, asked.query
    scores = model.score(query)
    for u in range(len(query)):
        items = np.arange(0, N_ITEMS, 7)
        given = model.view(query.slice(u, u + 1)).contributions(items)
        size = 1 + np.abs(given.values).sum(axis=1) + np.abs(given.bias)
        total = given.values.sum(axis=1, dtype=np.float64) + given.bias
        assert (np.abs(total - scores[u, items]) <= 1e-5 * size).all()
        assert given.values.shape == (len(items), len(given.rows))


@FAST
@given(asked=asked())
def test_options_change_how_much_a_movie_counts_and_never_whether(asked):
    found, histories = asked.model.weights(asked.query), asked.query.histories
    liked = histories.data >= asked.model.rule.liked_min_rating
    np.testing.assert_array_equal(found.indices, histories.indices[liked])
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
@given(asked=asked())
def test_one_by_one_is_as_good_as_together(asked):
    model, query = asked.model, asked.query
    together = model.score(query)
    for u in range(len(query)):
        for alone in (query.slice(u, u + 1), query.one(u)):
            np.testing.assert_array_equal(model.score(alone)[0], together[u])

"""Whatever the vectors, FAISS behind our index finds what sorting everything finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from laws import examples

from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.faiss_flat import SPARE, FaissFlatIndex
from recsys.testing.index_contract import ranked_by_hand

D = 3
# Few distinct coordinates, so that ties are the rule; more items than k + SPARE, so that the
# nominees are not simply everything.
COORDINATES = st.sampled_from(np.float32([-1.0, -0.1, 0.0, 0.1, 0.3, 1.0]).tolist())


def matrices(rows: st.SearchStrategy[int]) -> st.SearchStrategy[np.ndarray]:
    return rows.flatmap(lambda n: arrays(np.float32, (n, D), elements=COORDINATES))


@st.composite
def searches(draw):
    vectors = draw(matrices(st.integers(1, 3 * SPARE)))
    queries = draw(matrices(st.integers(1, 4)))
    shape = draw(st.sampled_from([(len(vectors),), (len(queries), len(vectors))]))
    eligible = draw(st.none() | arrays(np.bool_, shape))
    return vectors, queries, draw(st.integers(1, 60)), eligible


@examples(150)
@given(searches())
def test_both_indexes_find_what_sorting_finds(search):
    vectors, queries, k, eligible = search
    masks = np.broadcast_to(True if eligible is None else eligible, (len(queries), len(vectors)))
    expected = [ranked_by_hand(vectors, q, k, m) for q, m in zip(queries, masks, strict=True)]
    for index in (ExactIndex, FaissFlatIndex):
        found = index.build(vectors).search(queries, k, eligible)
        np.testing.assert_array_equal(found.items, expected)


@examples(100)
@given(searches())
def test_lists_descend_hold_nothing_twice_and_are_as_long_as_they_can_be(search):
    vectors, queries, k, eligible = search
    masks = np.broadcast_to(True if eligible is None else eligible, (len(queries), len(vectors)))
    found = FaissFlatIndex.build(vectors).search(queries, k, eligible)
    for items, scores, mask in zip(found.items, found.scores, masks, strict=True):
        kept = items[items >= 0]
        assert len(kept) == len(set(kept.tolist())) == min(k, mask.sum())
        assert mask[kept].all()
        assert (scores[:-1] >= scores[1:]).all()
        assert np.isneginf(scores[len(kept) :]).all()


@examples(50)
@given(searches(), st.integers(1, 10))
def test_a_shorter_list_is_the_head_of_a_longer_one(search, more):
    vectors, queries, k, eligible = search
    index = FaissFlatIndex.build(vectors)
    longer = index.search(queries, k + more, eligible)
    shorter = index.search(queries, k, eligible)
    np.testing.assert_array_equal(longer.items[:, :k], shorter.items)


@examples(50)
@given(searches())
def test_bytes_bring_back_an_index_that_answers_the_same(search):
    vectors, queries, k, eligible = search
    for kind in (ExactIndex, FaissFlatIndex):
        index = kind.build(vectors)
        again = kind.from_bytes(index.to_bytes())
        first, second = (i.search(queries, k, eligible) for i in (index, again))
        np.testing.assert_array_equal(first.items, second.items)
        np.testing.assert_array_equal(first.scores, second.scores)

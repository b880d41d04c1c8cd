from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.bundle.golden import golden_queries, replay
from recsys.errors import BundleError
from recsys.retrieval.faiss_flat import FaissFlatIndex


@pytest.fixture
def tied(contents):
    """All movies of a pair (2n, 2n + 1) have one out-embedding, and nobody has seen anything."""
    movies = contents.model.movies
    ranked = np.repeat(movies.ranked[::2], 2, axis=0)
    model = replace(contents.model, movies=replace(movies, ranked=ranked))
    return replace(contents, model=model, seen=sp.csr_array(contents.seen.shape))


def replay_with(contents, queries):
    golden = golden_queries(contents)
    index = FaissFlatIndex.build(contents.model.item_vectors())
    replay(golden.model_copy(update={"queries": queries(golden.queries)}), contents, index)


def with_items(query, items):
    return query.model_copy(update={"items": items})


def test_ties_may_come_in_either_order(tied):
    def swap_pairs(queries):
        order = [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]
        return [with_items(q, [q.items[p] for p in order]) for q in queries]

    replay_with(tied, swap_pairs)


def test_the_last_place_may_be_tied_with_what_is_outside(tied):
    def swap_last(query):
        twin = f"m{int(query.items[8][1:]) ^ 1}"
        return query.model_copy(
            update={"items": [*query.items[:8], twin], "scores": query.scores[:9]}
        )

    golden = golden_queries(tied)
    index = FaissFlatIndex.build(tied.model.item_vectors())
    changed = golden.model_copy(update={"k": 9, "queries": [swap_last(q) for q in golden.queries]})
    replay(changed, tied, index)


def test_what_is_no_tie_may_not_move(tied):
    def swap_far(queries):
        order = [2, 1, 0, 3, 4, 5, 6, 7, 8, 9]
        return [with_items(q, [q.items[p] for p in order]) for q in queries]

    with pytest.raises(BundleError, match="golden query 0"):
        replay_with(tied, swap_far)

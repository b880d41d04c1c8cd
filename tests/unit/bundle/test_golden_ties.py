from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from support.served import parts_of, with_parts

from recsys.bundle.golden import golden_queries, replay
from recsys.errors import BundleError
from recsys.recommenders.saving import restore
from recsys.retrieval.faiss_flat import FaissFlatIndex


@pytest.fixture
def tied(contents):
    """All movies of a pair (2n, 2n + 1) have one out-embedding, and nobody has seen anything."""
    model = parts_of(contents).model
    ranked = np.repeat(model.movies.ranked[::2], 2, axis=0)
    made = with_parts(contents, model=replace(model, movies=replace(model.movies, ranked=ranked)))
    context = replace(made.context, seen=sp.csr_array(made.context.seen.shape))
    return restore(replace(made, context=context))


@pytest.fixture(params=["index", "scores"])
def replay_with(request, tied):
    """Replays changed answers through an index of the vectors, and without one."""
    golden = golden_queries(tied.context, tied)
    index = FaissFlatIndex.build(tied.item_vectors()) if request.param == "index" else None

    def run(change, k=10):
        queries = [change(query) for query in golden.queries]
        replay(golden.model_copy(update={"k": k, "queries": queries}), tied.context, tied, index)

    return run


def with_items(query, items):
    return query.model_copy(update={"items": items})


def test_ties_may_come_in_either_order(replay_with):
    order = [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]
    replay_with(lambda query: with_items(query, [query.items[p] for p in order]))


def test_the_last_place_may_be_tied_with_what_is_outside(replay_with):
    def swap_last(query):
        twin = f"m{int(query.items[8][1:]) ^ 1}"
        return query.model_copy(
            update={"items": [*query.items[:8], twin], "scores": query.scores[:9]}
        )

    replay_with(swap_last, k=9)


def test_what_is_no_tie_may_not_move(replay_with):
    order = [2, 1, 0, 3, 4, 5, 6, 7, 8, 9]
    with pytest.raises(BundleError, match="golden query 0"):
        replay_with(lambda query: with_items(query, [query.items[p] for p in order]))

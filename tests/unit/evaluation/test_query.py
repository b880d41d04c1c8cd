from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.blocks import Shape, score_blocks
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Query, RatingPrediction


@pytest.fixture
def train(interactions: Callable[..., Interactions]) -> Interactions:
    return interactions([(0, 1, 4.0), (2, 0, 1.0), (2, 2, 5.0)], (3, 4))


def test_known_users_bring_their_history(train: Interactions) -> None:
    query = Query.known(train)
    assert query.users.tolist() == [0, 1, 2]
    assert query.histories.toarray().tolist() == [[0, 4, 0, 0], [0, 0, 0, 0], [1, 0, 5, 0]]


def test_some_known_users_in_any_order(train: Interactions) -> None:
    query = Query.known(train, np.array([2, 0], dtype=np.int32))
    assert query.users.tolist() == [2, 0]
    assert query.histories.toarray().tolist() == [[1, 0, 5, 0], [0, 4, 0, 0]]
    assert len(query) == 2


def test_strangers_have_no_row(train: Interactions) -> None:
    query = Query.of(train.matrix())
    assert query.users.tolist() == [-1, -1, -1]
    assert query.users.dtype == np.int32


def test_slice_keeps_users_and_histories_together(train: Interactions) -> None:
    part = Query.known(train).slice(1, 3)
    assert part.users.tolist() == [1, 2]
    assert part.histories.toarray().tolist() == [[0, 0, 0, 0], [1, 0, 5, 0]]


def test_lengths_must_agree(train: Interactions) -> None:
    with pytest.raises(DataError, match="3 histories"):
        Query(train.matrix(), np.zeros(2, dtype=np.int32))
    with pytest.raises(DataError, match="1 histories"):
        Query(sp.csr_array((1, 4)), np.zeros((1, 1), dtype=np.int32))


@pytest.fixture
def timed(train: Interactions) -> Interactions:
    return replace(train, time=np.array([50, 0, 20], dtype=np.int64))


def test_known_users_bring_the_times_of_their_ratings(timed: Interactions) -> None:
    query = Query.known(timed, np.array([2, 0], dtype=np.int32))
    assert query.times is not None
    assert query.times.toarray().tolist() == [[0, 0, 20, 0], [0, 50, 0, 0]]
    assert query.times.nnz == query.histories.nnz == 3


def test_times_that_nobody_knows_are_none(train: Interactions, timed: Interactions) -> None:
    assert Query.known(train).times is None
    assert Query.of(timed.matrix()).times is None
    assert Query.known(train).slice(0, 2).times is None


def test_parts_of_a_query_keep_users_histories_and_times_together(timed: Interactions) -> None:
    query = Query.known(timed)
    for part in (query.slice(1, 3), query.select(np.array([1, 2]))):
        assert part.users.tolist() == [1, 2]
        assert part.histories.toarray().tolist() == [[0, 0, 0, 0], [1, 0, 5, 0]]
        assert part.times is not None
        assert part.times.toarray().tolist() == [[0, 0, 0, 0], [0, 0, 20, 0]]
    assert query.select(np.array([2, 2])).users.tolist() == [2, 2]


def test_a_slice_ends_where_the_query_ends(timed: Interactions) -> None:
    assert Query.known(timed).slice(2, 9).users.tolist() == [2]
    assert len(Query.known(timed).slice(5, 9)) == 0


def test_times_must_be_those_of_the_ratings(timed: Interactions) -> None:
    query, times = Query.known(timed), timed.times()
    assert times is not None
    without_zero, other_movie = times.copy(), times.copy()
    without_zero.eliminate_zeros()
    other_movie.indices[0] = 3
    for wrong in (without_zero, other_movie, times[:, :3], times[:2]):
        with pytest.raises(DataError, match="times"):
            Query(query.histories, query.users, wrong)


class Asked:
    """Remembers the times of the queries it is asked."""

    def __init__(self) -> None:
        self.times: list[list[list[int]]] = []

    def score(self, query: Query) -> NDArray[np.float32]:
        assert query.times is not None
        self.times.append(query.times.toarray().tolist())
        return np.zeros(query.histories.shape, dtype=np.float32)

    def predict_ratings(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        self.score(query)
        assert len(rows) == len(items)
        return RatingPrediction(np.full(len(rows), 3, dtype=np.float32))


def test_rankings_are_evaluated_with_times(timed: Interactions) -> None:
    asked, users = Asked(), np.array([0, 2])
    assert len(list(score_blocks(asked, users, Shape(3, 4, 1), Query.known(timed)))) == 2
    assert asked.times == [[[0, 50, 0, 0]], [[0, 0, 20, 0]]]


def test_ratings_are_evaluated_with_times(
    timed: Interactions, interactions: Callable[..., Interactions]
) -> None:
    asked, test = Asked(), interactions([(2, 1, 4.0)], (3, 4))
    evaluate_ratings(asked, test, Query.known(timed))
    assert asked.times == [[[0, 0, 20, 0]]]

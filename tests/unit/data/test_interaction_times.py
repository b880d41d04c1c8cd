from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary


@pytest.fixture
def ratings() -> Interactions:
    """Rows in no order, a zero that is a time, one beyond 32 bits, and a user without ratings."""
    return Interactions(
        users=Vocabulary(["u0", "u1", "u2"], kind="user"),
        items=Vocabulary(["a", "b", "c", "d"], kind="movie"),
        user=np.array([2, 0, 2, 0], dtype=np.int32),
        item=np.array([3, 1, 0, 0], dtype=np.int32),
        rating=np.array([5, 1, 2, 4], dtype=np.float32),
        time=np.array([2**40 + 1, 7, 0, 30], dtype=np.int64),
    )


def test_times_are_those_of_the_ratings(ratings: Interactions) -> None:
    times = ratings.times()
    assert times is not None
    assert times.dtype == np.int64
    assert times.toarray().tolist() == [[30, 7, 0, 0], [0] * 4, [0, 0, 0, 2**40 + 1]]


def test_times_have_the_entries_of_the_ratings_in_their_order(ratings: Interactions) -> None:
    matrix, times = ratings.matrix(), ratings.times()
    assert times is not None
    assert times.shape == matrix.shape
    assert times.nnz == len(ratings)
    np.testing.assert_array_equal(times.indptr, matrix.indptr)
    np.testing.assert_array_equal(times.indices, matrix.indices)


def test_without_times_there_are_none(ratings: Interactions) -> None:
    assert replace(ratings, time=None).times() is None

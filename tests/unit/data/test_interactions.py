from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.data.interactions import Interactions, RatingScale
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError, DataError


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


def test_joined_ratings_are_the_one_and_then_the_other(ratings: Interactions) -> None:
    one, other = ratings.select(np.array([3, 0])), ratings.select(np.array([1]))
    both = one.join(other)
    expected = ratings.select(np.array([3, 0, 1]))
    assert both.fingerprint == expected.fingerprint
    assert one.join(ratings.select(np.arange(0))).fingerprint == one.fingerprint
    assert (both.users, both.items, both.scale) == (ratings.users, ratings.items, ratings.scale)


def test_joined_ratings_have_times_where_all_of_them_have(ratings: Interactions) -> None:
    one, other = ratings.select(np.array([3, 0])), replace(ratings, time=None)
    assert one.join(other.select(np.array([1]))).time is None
    assert other.select(np.array([1])).join(one).time is None


def test_a_rating_is_not_joined_with_itself(ratings: Interactions) -> None:
    with pytest.raises(DataError, match="1 interactions repeat a user and item"):
        ratings.join(ratings.select(np.array([2])))


@pytest.mark.parametrize("name", ["users", "items"])
def test_ratings_of_others_are_not_joined(ratings: Interactions, name: str) -> None:
    one, other = ratings.select(np.array([3, 0])), ratings.select(np.array([1]))
    turned = Vocabulary(reversed(getattr(other, name).ids), kind="other")
    with pytest.raises(AlignmentError, match="do not go with"):
        one.join(replace(other, **{name: turned}))
    with pytest.raises(DataError, match=r"1 ratings are outside"):
        one.join(replace(other, rating=other.rating + 5, scale=RatingScale(0, 9)))


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_frame_with_missing_ids_is_refused(missing: object) -> None:
    frame = pd.DataFrame({"user": ["a", missing], "item": ["x", "y"], "rating": [3, 4]})
    with pytest.raises(DataError, match=r"1 rows lack an id\n +row 1"):
        Interactions.from_frame(frame)
    with pytest.raises(DataError, match="1 rows lack an id"):
        Interactions.from_frame(frame.rename(columns={"user": "item", "item": "user"}))

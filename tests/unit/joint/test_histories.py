from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.config.experiment import UserConfig
from recsys.data.hashing import fingerprint
from recsys.errors import ConfigError
from recsys.queries.query import rated_mask
from recsys.recommenders.joint.histories import item_weights, liked_weights

RULE = UserConfig(
    liked_min_rating=3.5, rating_slope=0.5, rating_center=3.0, popularity_exponent=0.5
)


def histories() -> sp.csr_array:
    """Columns out of order, and a zero that was given."""
    data = np.array([5, 3, 3.5, 0, 4, 4.5], dtype=np.float32)
    indices = np.array([3, 0, 1, 2, 1, 0])
    return sp.csr_array((data, indices, np.array([0, 3, 4, 4, 6])), shape=(4, 5))


def state(matrix: sp.csr_array) -> str:
    return fingerprint((matrix.data, matrix.indices, matrix.indptr))


def test_weights_follow_the_rule():
    per_item = np.array([1, 2, 4, 8, 16], dtype=np.float32)
    found = liked_weights(histories(), RULE, per_item)
    expected = np.zeros((4, 5))
    expected[0, 3], expected[0, 1] = (1 + 0.5 * 2) * 8, (1 + 0.5 * 0.5) * 2
    expected[3, 1], expected[3, 0] = (1 + 0.5 * 1) * 2, (1 + 0.5 * 1.5) * 1
    np.testing.assert_allclose(found.toarray(), expected)


def test_what_is_not_liked_is_not_stored():
    found = liked_weights(histories(), RULE, np.ones(5, dtype=np.float32))
    assert np.diff(found.indptr).tolist() == [2, 0, 0, 2]
    assert (found.data > 0).all()


def test_the_threshold_itself_is_liked():
    for minimum, liked in ((4.0, 3), (4.5, 2), (5.0, 1), (5.5, 0)):
        rule = UserConfig(liked_min_rating=minimum)
        assert liked_weights(histories(), rule, np.ones(5, dtype=np.float32)).nnz == liked


def test_without_slope_all_liked_movies_weigh_their_own_weight():
    per_item = np.arange(1, 6, dtype=np.float32)
    found = liked_weights(histories(), UserConfig(rating_slope=0), per_item)
    np.testing.assert_array_equal(found.data, per_item[found.indices])


@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_a_like_that_would_not_count_is_refused(slope):
    rule = UserConfig(liked_min_rating=2, rating_slope=slope, rating_center=3)
    with pytest.raises(ConfigError, match="rating_slope"):
        liked_weights(histories(), rule, np.ones(5, dtype=np.float32))


def test_inputs_stay_as_they_are():
    given, per_item = histories(), np.ones(5, dtype=np.float32)
    before = state(given), fingerprint([per_item])
    weights = liked_weights(given, RULE, per_item)
    mask = rated_mask(given)
    weights.data[:] = mask.data[:] = -7
    weights.indices[:] = 0
    assert (state(given), fingerprint([per_item])) == before


def test_read_only_histories_are_enough():
    given = histories()
    for array in (given.data, given.indices, given.indptr):
        array.setflags(write=False)
    liked_weights(given, RULE, np.ones(5, dtype=np.float32))
    rated_mask(given)


def test_rated_mask_counts_a_zero_that_was_given():
    mask = rated_mask(histories())
    assert mask.toarray().tolist() == [[1, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0] * 5, [1, 1, 0, 0, 0]]
    assert mask.dtype == np.float32


def test_rated_mask_has_arrays_of_its_own():
    given = histories()
    mask = rated_mask(given)
    mask.sort_indices()
    assert state(given) == state(histories())


def test_obscure_movies_weigh_more():
    counts = np.array([0, 1, 4, 100], dtype=np.int64)
    np.testing.assert_allclose(item_weights(counts, 0.5), [1, 1, 0.5, 0.1])
    assert item_weights(counts, 0).tolist() == [1, 1, 1, 1]
    assert item_weights(counts, 0.5).dtype == np.float32
    assert counts.tolist() == [0, 1, 4, 100]


DAY = 86_400
ONES = np.ones(5, dtype=np.float32)


def timed(times: list[int]) -> sp.csr_array:
    """Times of the six ratings of ``histories``, as they are stored."""
    given = histories()
    return sp.csr_array((np.array(times), given.indices, given.indptr), shape=given.shape)


def recent(days: float | None) -> UserConfig:
    return UserConfig(
        liked_min_rating=3.5,
        rating_slope=0.5,
        rating_center=3.0,
        popularity_exponent=0.5,
        recency_half_life_days=days,
    )


def test_a_weight_is_halved_for_every_half_life():
    times = timed([10 * DAY, 11 * DAY, 4 * DAY, 0, 50 * DAY, 49 * DAY])
    found = liked_weights(histories(), recent(3), ONES, times).toarray()
    plain = liked_weights(histories(), recent(None), ONES).toarray()
    assert found[0, 3] == pytest.approx(plain[0, 3])
    assert found[0, 1] == pytest.approx(plain[0, 1] / 4)
    assert found[3, 1] == pytest.approx(plain[3, 1])
    assert found[3, 0] == pytest.approx(plain[3, 0] / 2 ** (1 / 3))
    assert not found[[1, 2]].any()


def test_what_is_not_liked_does_not_make_the_likes_older():
    """The second rating, of three stars, is the last: between the two likes it changes nothing."""
    early, late = (timed([DAY, at, 0, 0, 0, 0]) for at in (0, 10_000 * DAY))
    one, other = (liked_weights(histories(), recent(1), ONES, t).data for t in (early, late))
    np.testing.assert_array_equal(one, other)


def test_without_half_life_or_without_times_all_ratings_are_equally_recent():
    times = timed([0, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 500 * DAY])
    plain = liked_weights(histories(), recent(None), ONES)
    for found in (
        liked_weights(histories(), recent(None), ONES, times),
        liked_weights(histories(), recent(2), ONES),
        liked_weights(histories(), recent(2), ONES, timed([7] * 6)),
    ):
        np.testing.assert_array_equal(found.data, plain.data)


def test_a_like_of_long_ago_is_still_a_like():
    times = timed([2**40, 0, 0, 0, 2**40, 0])
    found = liked_weights(histories(), recent(1e-3), np.full(5, 1e-5, np.float32), times)
    assert np.diff(found.indptr).tolist() == [2, 0, 0, 2]
    assert (found.data > 0).all()
    assert found.data.min() < 1e-5 * found.data.max()
    assert found.dtype == np.float32


def test_times_stay_as_they_are():
    given, times = histories(), timed([5, 4, 3, 2, 1, 0])
    for array in (times.data, times.indices, times.indptr):
        array.setflags(write=False)
    before = state(times)
    liked_weights(given, recent(1), ONES, times).sort_indices()
    assert state(times) == before


def test_nobody_and_nothing_rated_have_no_weights():
    for n_users in (0, 3):
        empty = sp.csr_array((n_users, 5), dtype=np.float32)
        times = sp.csr_array((n_users, 5), dtype=np.int64)
        assert liked_weights(empty, recent(1), ONES, times).shape == (n_users, 5)


@pytest.mark.parametrize("shift", [-30 * DAY, 2**40])
def test_only_differences_of_times_matter(shift):
    days = [10 * DAY, 11 * DAY, 4 * DAY, 0, 50 * DAY, 49 * DAY]
    given = (timed(days), timed([time + shift for time in days]))
    one, other = (liked_weights(histories(), recent(3), ONES, times).data for times in given)
    np.testing.assert_array_equal(one, other)

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.config.experiment import UserConfig
from recsys.data.files import fingerprint
from recsys.errors import ConfigError
from recsys.queries.query import rated_mask
from recsys.recommenders.joint.formulas import item_weights, liked_weights

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


def test_nobody_and_nothing_rated_have_no_weights():
    for n_users in (0, 3):
        empty = sp.csr_array((n_users, 5), dtype=np.float32)
        assert liked_weights(empty, RULE, np.ones(5, dtype=np.float32)).shape == (n_users, 5)

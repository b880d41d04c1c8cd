from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.errors import ConfigError
from recsys.recommenders.closed_form.ease import ease_weights


@pytest.fixture
def matrix():
    random = np.random.default_rng(0)
    return sp.csr_array((random.random((40, 12)) < 0.3).astype(np.float32))


def test_each_column_is_the_ridge_regression_of_an_item_on_the_others(matrix):
    weights, dense = ease_weights(matrix, 7.5), matrix.toarray().astype(np.float64)
    for item in range(12):
        others = np.arange(12) != item
        left = np.vstack([dense[:, others], np.sqrt(7.5) * np.eye(11)])
        right = np.concatenate([dense[:, item], np.zeros(11)])
        solution = np.linalg.lstsq(left, right, rcond=None)[0]
        np.testing.assert_allclose(weights[others, item], solution, atol=1e-6)
        assert weights[item, item] == 0


def test_weights_are_float32_and_the_matrix_is_left_alone(matrix):
    before = matrix.toarray()
    assert ease_weights(matrix, 1.0).dtype == np.float32
    np.testing.assert_array_equal(matrix.toarray(), before)


def test_an_item_nobody_rated_has_no_weight(matrix):
    dense = matrix.toarray()
    dense[:, 4] = 0
    weights = ease_weights(sp.csr_array(dense), 1.0)
    assert not weights[4].any()
    assert not weights[:, 4].any()


@pytest.mark.parametrize("l2", [0.0, -1.0, float("nan")])
def test_a_weight_decay_that_is_not_positive_is_refused(matrix, l2):
    with pytest.raises(ConfigError, match="l2 above 0"):
        ease_weights(matrix, l2)

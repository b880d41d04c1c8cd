from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.files import fingerprint
from recsys.recommenders.joint.formulas import attended, liked_mean, row_maxima

USERS, ITEMS, DIM = 6, 9, 4
NOBODY = 2
"""A user who liked nothing."""


@pytest.fixture(scope="module")
def weights():
    random = np.random.default_rng(0)
    dense = random.uniform(0.2, 3, (USERS, ITEMS)) * (random.random((USERS, ITEMS)) < 0.5)
    dense[NOBODY] = 0
    dense[-1] = 0
    return dense.astype(np.float32)


@pytest.fixture(scope="module")
def keys():
    return np.random.default_rng(1).normal(size=(ITEMS, DIM)).astype(np.float32)


def by_hand(weights, keys):
    """User by user, as the equation says it."""
    found = np.zeros(weights.shape)
    for u, row in enumerate(weights.astype(np.float64)):
        liked = np.flatnonzero(row)
        if len(liked):
            mean = row[liked] @ keys[liked] / row.sum()
            logits = keys[liked] @ mean / np.sqrt(keys.shape[1])
            found[u, liked] = row[liked] * np.exp(logits - logits.max())
    return found


def test_it_is_the_equation(weights, keys):
    found = attended(weights, keys)
    np.testing.assert_allclose(found, by_hand(weights, keys), rtol=1e-5)
    assert found.dtype == np.float32


def test_dense_sparse_and_torch_agree(weights, keys):
    torch = pytest.importorskip("torch", reason="one of the three is torch")
    dense, sparse = attended(weights, keys), attended(sp.csr_array(weights), keys)
    torched = attended(torch.from_numpy(weights), torch.from_numpy(keys))
    np.testing.assert_allclose(sparse.toarray(), dense, rtol=1e-5)
    np.testing.assert_allclose(torched.numpy(), dense, rtol=1e-5)
    assert sparse.dtype == np.float32
    assert torched.dtype == torch.float32


def test_columns_in_any_order_are_the_same_history(weights, keys):
    ordered, turned = sp.csr_array(weights), sp.csr_array(weights)
    for start, stop in zip(turned.indptr[:-1], turned.indptr[1:], strict=True):
        turned.indices[start:stop] = turned.indices[start:stop][::-1]
        turned.data[start:stop] = turned.data[start:stop][::-1]
    turned.has_sorted_indices = False
    found = attended(turned, keys)
    np.testing.assert_array_equal(found.indices, turned.indices)
    np.testing.assert_allclose(found.toarray(), attended(ordered, keys).toarray(), rtol=1e-5)


@pytest.mark.parametrize("dim", [0, 3])
def test_without_keys_it_is_the_plain_mean(weights, dim):
    none = np.zeros((ITEMS, dim), dtype=np.float32)
    np.testing.assert_array_equal(attended(weights, none), weights)
    found = attended(sp.csr_array(weights), none)
    np.testing.assert_array_equal(found.toarray(), weights)


def test_without_keys_torch_has_the_plain_mean_too(weights):
    torch = pytest.importorskip("torch", reason="it is about torch")
    given = torch.from_numpy(weights)
    for dim in (0, 3):
        assert torch.equal(attended(given, torch.zeros(ITEMS, dim)), given)


def test_what_is_like_the_rest_of_the_history_counts_more():
    keys = np.array([[2, 0], [2, 0], [2, 0], [-2, 0]], dtype=np.float32)
    found = attended(np.ones((1, 4), dtype=np.float32), keys)[0]
    assert found[0] == found[1] == found[2] == 1
    assert 0 < found[3] < 0.2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
def test_what_is_liked_stays_liked_however_extreme_the_keys(weights, keys, make):
    found = attended(make(weights), 1e4 * keys)
    dense = found.toarray() if sp.issparse(found) else found
    assert np.isfinite(dense).all()
    np.testing.assert_array_equal(dense > 0, weights > 0)
    assert not liked_mean(found, keys)[[NOBODY, USERS - 1]].any()


def test_a_movie_that_is_not_liked_may_lie_far_above_the_best():
    """Its exponential alone would overflow."""
    keys = np.array([[1], [1e6]], dtype=np.float32)
    found = attended(np.array([[1, 0]], dtype=np.float32), keys)
    assert found.tolist() == [[1, 0]]


def test_gradients_are_finite_and_reach_the_keys(weights, keys):
    torch = pytest.importorskip("torch", reason="gradients need torch")
    learnt = torch.from_numpy(keys).clone().requires_grad_()
    vectors = torch.randn(ITEMS, 3, generator=torch.Generator().manual_seed(0))
    liked_mean(attended(torch.from_numpy(weights), learnt), vectors).square().sum().backward()
    assert torch.isfinite(learnt.grad).all()
    assert learnt.grad.abs().max() > 1e-4


def test_gradients_are_those_of_the_equation(weights):
    """The maximum is only there for the numbers' sake: finite differences see no trace of it."""
    torch = pytest.importorskip("torch", reason="gradients need torch")
    random = torch.Generator().manual_seed(1)
    given = torch.from_numpy(weights).double()
    vectors = torch.randn(ITEMS, 2, generator=random, dtype=torch.float64)
    keys = torch.randn(ITEMS, 3, generator=random, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda k: liked_mean(attended(given, k), vectors), keys)


def test_weights_that_come_in_stay_as_they_are(weights, keys):
    given = sp.csr_array(weights)
    arrays = (given.data, given.indices, given.indptr)
    for array in arrays:
        array.setflags(write=False)
    before = fingerprint(arrays)
    found = attended(given, keys)
    found.indices[:] = 0
    found.data[:] = -1
    assert fingerprint(arrays) == before


def test_nobody_has_no_weights(keys):
    for empty in (sp.csr_array((0, ITEMS)), sp.csr_array((2, ITEMS)), np.zeros((0, ITEMS))):
        assert attended(empty, keys).shape == empty.shape


def test_largest_of_each_row_whatever_rows_are_empty():
    values, starts = np.array([3, 9, -5, -7, 2]), np.array([0, 0, 2, 2, 4, 5, 5])
    assert row_maxima(values, starts).tolist() == [9, 9, -5, -5, 2]
    assert row_maxima(values[:0], np.array([0, 0])).tolist() == []

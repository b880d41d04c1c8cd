from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.queries.query import rated_mask
from recsys.recommenders.joint.formulas import RatingShrinkage, liked_mean, rated_history

SHRINKAGE = RatingShrinkage(bias=2.0, vector=5.0)
USERS, ITEMS, DIM = 7, 9, 4


@pytest.fixture(scope="module")
def ratings():
    """Half stars from 0 to 5 with zeros that were given; user 6 rated nothing."""
    random = np.random.default_rng(0)
    user, item = (random.random((USERS - 1, ITEMS)) < 0.6).nonzero()
    stars = (random.integers(0, 11, len(user)) / 2).astype(np.float32)
    stars[:3] = 0
    return sp.csr_array((stars, (user, item)), shape=(USERS, ITEMS))


@pytest.fixture(scope="module")
def movies():
    random = np.random.default_rng(1)
    mean = random.uniform(1, 5, ITEMS).astype(np.float32)
    return mean, random.normal(size=(ITEMS, DIM)).astype(np.float32)


@pytest.fixture(scope="module")
def weights(ratings):
    dense = np.maximum(ratings.toarray() - 2.5, 0)
    dense[3] = 0
    return dense.astype(np.float32)


def mean_by_hand(weights, vectors):
    rows = []
    for row in weights.astype(np.float64):
        total = sum(w * v for w, v in zip(row, vectors.astype(np.float64), strict=True))
        rows.append(total / row.sum() if row.sum() else np.zeros(vectors.shape[1]))
    return np.array(rows)


def history_by_hand(ratings, mean, vectors):
    """Rating by rating, as the equations say it."""
    found = []
    for u in range(ratings.shape[0]):
        row = ratings[[u]]
        given = [(int(j), float(r)) for j, r in zip(row.indices, row.data, strict=True)]
        above = [r - float(mean[j]) for j, r in given]
        bias = sum(above) / (len(given) + SHRINKAGE.bias)
        left = [a - bias for a in above]
        pull = sum((e * vectors[j] for e, (j, _) in zip(left, given, strict=True)), np.zeros(DIM))
        noise = (sum(e * e for e in left) + SHRINKAGE.bias) / (len(given) + SHRINKAGE.bias)
        found.append((bias, pull / (len(given) + SHRINKAGE.vector), noise))
    return [np.array(part) for part in zip(*found, strict=True)]


def test_liked_mean_is_the_weighted_mean(weights, movies):
    found = liked_mean(weights, movies[1])
    np.testing.assert_allclose(found, mean_by_hand(weights, movies[1]), atol=1e-5)


def test_liked_mean_of_who_liked_nothing_is_zero(weights, movies):
    for matrix in (weights, sp.csr_array(weights)):
        assert not liked_mean(matrix, movies[1])[[3, 6]].any()


def test_only_ratios_of_weights_matter(weights, movies):
    np.testing.assert_allclose(
        liked_mean(50 * weights, movies[1]), liked_mean(weights, movies[1]), atol=1e-5
    )


def test_rated_history_is_the_loop_over_ratings(ratings, movies):
    found = rated_history(ratings, rated_mask(ratings), *movies, SHRINKAGE)
    for array, expected in zip(found, history_by_hand(ratings, *movies), strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-5)


def test_a_zero_that_was_given_is_a_rating(ratings, movies):
    assert (ratings.data == 0).any()
    without = ratings.copy()
    without.eliminate_zeros()
    with_zeros, no_zeros = (
        rated_history(m, rated_mask(m), *movies, SHRINKAGE).bias for m in (ratings, without)
    )
    assert (with_zeros <= no_zeros).all()
    assert (with_zeros < no_zeros).any()


def test_who_rated_nothing_is_the_prior(ratings, movies):
    found = rated_history(ratings, rated_mask(ratings), *movies, SHRINKAGE)
    assert found.bias[6] == 0
    assert not found.vector[6].any()
    assert found.noise[6] == 1


def test_dense_sparse_and_torch_agree(ratings, movies, weights):
    torch = pytest.importorskip("torch", reason="one of the three is torch")
    rated = rated_mask(ratings)
    mean, vectors = (torch.from_numpy(array) for array in movies)
    tensors = [torch.from_numpy(m.toarray()) for m in (ratings, rated)]
    sparse = rated_history(ratings, rated, *movies, SHRINKAGE)
    dense = rated_history(ratings.toarray(), rated.toarray(), *movies, SHRINKAGE)
    torched = rated_history(*tensors, mean, vectors, SHRINKAGE)
    for one, two, three in zip(sparse, dense, torched, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
        np.testing.assert_allclose(one, three.numpy(), atol=1e-5)
    means = [liked_mean(m, movies[1]) for m in (weights, sp.csr_array(weights))]
    np.testing.assert_allclose(*means, atol=1e-5)
    np.testing.assert_allclose(
        means[0], liked_mean(torch.from_numpy(weights), vectors).numpy(), atol=1e-5
    )


def test_torch_gradients_are_finite_for_empty_histories(movies):
    torch = pytest.importorskip("torch", reason="gradients need torch")
    empty = torch.zeros(2, ITEMS)
    mean, vectors = (torch.from_numpy(array).requires_grad_() for array in movies)
    taste = rated_history(empty, empty, mean, vectors, SHRINKAGE)
    total = liked_mean(empty, vectors).sum() + sum(part.sum() for part in taste)
    total.backward()
    assert torch.isfinite(mean.grad).all()
    assert torch.isfinite(vectors.grad).all()

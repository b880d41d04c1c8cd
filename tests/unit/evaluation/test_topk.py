from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.queries.topk import top_k


def brute_force(row: NDArray[np.float32], k: int) -> list[int]:
    allowed = [i for i in range(len(row)) if row[i] > -np.inf]
    best = sorted(allowed, key=lambda i: (-row[i], i))[:k]
    return best + [-1] * (k - len(best))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [1, 3, 12, 20])
def test_equals_sorting_everything(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 3, size=(40, 12)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.05 * seed] = -np.inf
    scores[rng.random(scores.shape) < 0.05] = np.inf
    found = top_k(scores, k)
    assert found.items.tolist() == [brute_force(row, k) for row in scores]
    shown = found.items >= 0
    rows = np.nonzero(shown)[0]
    assert np.array_equal(found.scores[shown], scores[rows, found.items[shown]])
    assert np.isneginf(found.scores[~shown]).all()


def test_types_and_shapes() -> None:
    found = top_k(np.arange(6, dtype=np.float64).reshape(2, 3), 5)
    assert (found.items.dtype, found.scores.dtype) == (np.int32, np.float32)
    assert found.items.shape == found.scores.shape == (2, 5)
    assert len(found) == 2


def test_zeros_of_either_sign_tie() -> None:
    assert top_k(np.array([[-0.0, 0.0, -0.0]]), 2).items.tolist() == [[0, 1]]


def test_no_items_and_no_rows() -> None:
    assert top_k(np.empty((2, 0)), 3).items.tolist() == [[-1, -1, -1]] * 2
    assert top_k(np.empty((0, 4)), 3).items.shape == (0, 3)


def test_the_scores_are_left_alone() -> None:
    scores = np.random.default_rng(0).random((3, 7)).astype(np.float32)
    kept = scores.copy()
    scores.setflags(write=False)
    top_k(scores, 2)
    assert np.array_equal(scores, kept)


@pytest.mark.parametrize(("scores", "k"), [([[1.0, np.nan]], 1), ([[1.0, 2.0]], 0)])
def test_refused(scores: list[list[float]], k: int) -> None:
    with pytest.raises(ValueError, match=r"NaN|at least 1"):
        top_k(np.array(scores), k)

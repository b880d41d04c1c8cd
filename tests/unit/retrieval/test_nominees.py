from __future__ import annotations

import numpy as np
import pytest

from recsys.retrieval.faiss_flat import decide, undecided

EPS = float(np.finfo(np.float32).eps)


@pytest.mark.parametrize(
    ("gap", "last", "expected"),
    [(0.0, 7, True), (1.9, 7, True), (2.1, 7, False), (0.0, -1, False)],
)
def test_a_list_is_undecided_within_twice_the_rounding_error(gap, last, expected):
    # The gap counts from the second place, k = 2, to the last nominee.
    scores = np.array([[0.5, 0.25, 0.25 - gap * 2**-10]], dtype=np.float32)
    nominees = np.array([[3, 5, last]])
    magnitude = np.array([2**-10 / EPS])
    assert undecided(scores, nominees, 2, magnitude).tolist() == [expected]


def test_nominees_are_sorted_by_score_then_row_and_padded():
    vectors = np.array([[1, 0], [2, 0], [1, 5], [0, 0]], dtype=np.float32)
    found = decide(vectors, np.array([[1, 0]], np.float32), np.array([[2, 0, 1, -1]]), 5)
    assert found.items.tolist() == [[1, 0, 2, -1, -1]]
    assert found.scores.tolist() == [[2, 1, 1, -np.inf, -np.inf]]


def test_only_k_are_kept():
    vectors = np.arange(5, dtype=np.float32)[:, None]
    found = decide(vectors, np.array([[-1]], np.float32), np.array([[4, 3, 2, 1]]), 2)
    assert found.items.tolist() == [[1, 2]]

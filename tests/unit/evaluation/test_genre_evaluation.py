from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.evaluation.genre import evaluate_genres

TRUTH = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
GUESS = np.array([[0.9, 0.5, 0.2], [0.6, 0.4, 0.1], [0.7, 0.8, 0.3], [0.5, 0.5, 0.5]])
ALL = np.ones(4, dtype=bool)


def test_by_hand() -> None:
    result = evaluate_genres(GUESS, TRUTH, ALL)
    # Predicted, at 0.5 and above: movies 0 1 2 3, then 0 2 3, then 3.
    np.testing.assert_allclose(result.f1, [4 / 6, 2 / 5, 0])
    assert result.macro_f1 == pytest.approx((4 / 6 + 2 / 5) / 3)
    assert result.micro_f1 == pytest.approx(2 * 3 / (8 + 5))
    np.testing.assert_allclose(result.auc, [3 / 4, 2 / 4, 1 / 3])
    assert result.summary()["macro_roc_auc"] == pytest.approx((3 / 4 + 2 / 4 + 1 / 3) / 3)


def test_only_the_masked_movies_count() -> None:
    mask = np.array([True, True, True, False])
    guess = GUESS.copy()
    guess[3] = np.nan
    masked = evaluate_genres(guess, TRUTH, mask)
    alone = evaluate_genres(GUESS[:3], TRUTH[:3], ALL[:3])
    assert masked.summary() == alone.summary()
    assert masked.n_items == 3


def test_a_genre_with_one_class_has_no_auc() -> None:
    result = evaluate_genres(GUESS, TRUTH, np.array([True, True, False, False]))
    assert np.isnan(result.auc).tolist() == [True, False, False]
    assert result.n_auc == 2
    assert result.summary()["macro_roc_auc"] == pytest.approx((0 + 1) / 2)


def test_without_any_auc_none_is_reported() -> None:
    result = evaluate_genres(GUESS, TRUTH, np.array([False, False, False, True]))
    assert result.n_auc == 0
    assert result.summary() == {"macro_f1": 0.0, "micro_f1": 0.0}


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_probabilities_are_probabilities(value: float) -> None:
    guess = GUESS.copy()
    guess[2, 1] = value
    with pytest.raises(DataError, match="not in 0 … 1") as caught:
        evaluate_genres(guess, TRUTH, np.array([False, True, True, True]))
    assert caught.value.rows == ("item row 2",)


def test_shapes_must_agree() -> None:
    with pytest.raises(DataError, match="mask"):
        evaluate_genres(GUESS, TRUTH, ALL[:3])
    with pytest.raises(DataError, match="truth"):
        evaluate_genres(GUESS[:, :2], TRUTH, ALL)
    with pytest.raises(DataError, match="nothing to evaluate"):
        evaluate_genres(GUESS, TRUTH, ~ALL)

"""Five items, three users, every number derived here.

scores     item 0    1    2    3    4     relevant   seen   list of 3
user 0         .5   .8   .1   .2   .9     {1, 3}     {}     4 1 0
user 1         .1   .2   .3   .4   .5     {}         {}     left out: nothing is relevant
user 2         .3   .3 -inf -inf   .3     {0, 2}     {4}    0 1 -     (a tie: lower row first)

h                user 0: 0 1 0             user 2: 1 0 0             mean
recall@3         1/2                       1/2                       1/2
precision@3      1/3                       1/3  (3, though 2 shown)  1/3
hit@3            1                         1                         1
mrr@3            1/2                       1                         3/4
map@3            (1/2) / min(2, 3) = 1/4   (1/1) / 2 = 1/2           3/8
ndcg@3           L / (1 + L)               1 / (1 + L)               1/2
                 with L = 1 / log2(3); the ideal list of two relevant items has 1 + L

items in the lists: 0 twice, 1 twice, 4 once -> c = 2 2 0 0 1
coverage@3       3/5
gini@3           sorted 0 0 1 2 2, weights -4 -2 0 2 4: (2·2 + 4·2) / (5 · 5) = 12/25
novelty@3        training counts 4 2 1 1 0 of 8: 1, 2, 3, 3 bits; item 4 counts as 1 of 8: 3 bits
                 (2·1 + 2·2 + 1·3) / 5 = 9/5
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.evaluation.evaluator import RankingEvaluator, RankingResult, RankingTask
from recsys.evaluation.metrics import f1, hits_of, ndcg, roc_auc

L = 1 / math.log2(3)
NEVER = -math.inf


@pytest.fixture
def result() -> RankingResult:
    scores = np.array(
        [[0.5, 0.8, 0.1, 0.2, 0.9], [0.1, 0.2, 0.3, 0.4, 0.5], [0.3, 0.3, NEVER, NEVER, 0.3]]
    )
    truth = sp.csr_array(np.array([[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 1, 0, 0]]))
    seen = sp.csr_array(np.array([[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]]))
    task = RankingTask(truth, seen=seen, ks=(3,), popularity=np.array([4, 2, 1, 1, 0]))
    return RankingEvaluator(task).evaluate(scores)


def test_users(result: RankingResult) -> None:
    assert result.users.tolist() == [0, 2]
    assert (result.n_users, result.n_skipped) == (2, 1)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("recall@3", [1 / 2, 1 / 2]),
        ("precision@3", [1 / 3, 1 / 3]),
        ("hit@3", [1, 1]),
        ("mrr@3", [1 / 2, 1]),
        ("map@3", [1 / 4, 1 / 2]),
        ("ndcg@3", [L / (1 + L), 1 / (1 + L)]),
    ],
)
def test_each_user(result: RankingResult, name: str, values: list[float]) -> None:
    np.testing.assert_allclose(result.per_user[name], values, rtol=1e-12)


def test_what_is_reported(result: RankingResult) -> None:
    expected = {
        "recall@3": 1 / 2,
        "ndcg@3": 1 / 2,
        "mrr@3": 3 / 4,
        "map@3": 3 / 8,
        "hit@3": 1.0,
        "precision@3": 1 / 3,
        "coverage@3": 3 / 5,
        "gini@3": 12 / 25,
        "novelty@3": 9 / 5,
    }
    assert result.summary() == pytest.approx(expected, rel=1e-12)
    assert list(result.means()) == list(expected)[:6]


def test_a_user_without_relevant_items_has_no_value() -> None:
    found = hits_of(np.array([[0, 1]], dtype=np.int32), sp.csr_array((1, 3)))
    assert np.isnan(ndcg(found)).all()


def test_a_stored_zero_is_relevant() -> None:
    relevance = sp.csr_array((np.zeros(1), ([0], [1])), shape=(1, 2))
    assert hits_of(np.array([[1]], dtype=np.int32), relevance).hits.all()


def test_lists_cannot_be_cut_beyond_their_length() -> None:
    found = hits_of(np.array([[0, 1]], dtype=np.int32), sp.csr_array(np.eye(1, 3)))
    with pytest.raises(ValueError, match="k is 3, the lists hold 2"):
        found.at(3)


def test_f1_of_a_label_nobody_has_is_zero() -> None:
    predicted = np.array([[1, 0], [1, 0], [0, 0]], dtype=bool)
    truth = np.array([[1, 0], [0, 0], [1, 0]], dtype=bool)
    assert f1(predicted, truth).tolist() == [0.5, 0.0]


def test_auc_counts_a_tie_as_half() -> None:
    truth = np.array([1, 1, 0, 0], dtype=bool)
    assert roc_auc(np.array([0.9, 0.4, 0.4, 0.1]), truth) == (2 + 1.5) / 4


def test_auc_needs_both_classes() -> None:
    assert math.isnan(roc_auc(np.array([0.1, 0.2]), np.array([True, True])))

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.interactions import Interactions, RatingScale
from recsys.errors import ConfigError, DataError
from recsys.evaluation.blocks import Scorer
from recsys.evaluation.evaluator import RankingEvaluator, RankingResult, RankingTask
from recsys.queries.query import Query

N_USERS, N_ITEMS = SHAPE = 23, 17
Marks = Callable[..., sp.csr_array]


class Table:
    """A model that knows its scores by heart and notes whom it was asked about."""

    def __init__(self, scores: NDArray[np.float32]) -> None:
        self.scores = scores
        self.asked: list[list[int]] = []

    def score(self, query: Query) -> NDArray[np.float32]:
        self.asked.append(query.users.tolist())
        return self.scores[query.users]


@pytest.fixture
def scores() -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 6, size=SHAPE).astype(np.float32)
    scores[rng.random(SHAPE) < 0.1] = -np.inf
    return scores


@pytest.fixture
def task() -> RankingTask:
    rng = np.random.default_rng(2)
    draw = rng.random(SHAPE)
    truth = draw < 0.15
    truth[::5] = False
    seen = sp.csr_array(draw > 0.7)
    return RankingTask(
        sp.csr_array(truth), seen, ks=(1, 5, 40), popularity=np.arange(N_ITEMS), block=4
    )


@pytest.fixture
def everybody() -> Query:
    return Query(sp.csr_array(SHAPE, dtype=np.float32), np.arange(N_USERS, dtype=np.int32))


def same(first: RankingResult, second: RankingResult) -> bool:
    per_user = first.per_user.keys() == second.per_user.keys() and all(
        np.array_equal(first.per_user[name], second.per_user[name]) for name in first.per_user
    )
    return per_user and dict(first.catalogue) == dict(second.catalogue)


def test_model_matrix_and_stream_give_the_same(
    scores: NDArray[np.float32], task: RankingTask, everybody: Query
) -> None:
    evaluator = RankingEvaluator(task)
    matrix = evaluator.evaluate(scores)
    blocks = (scores[start : start + 7] for start in range(0, N_USERS, 7))
    assert same(matrix, evaluator.evaluate(blocks))
    assert same(matrix, evaluator.evaluate(Table(scores), everybody))
    assert same(matrix, evaluator.evaluate([scores[:0], scores[:N_USERS]]))


def test_a_model_is_asked_about_users_with_truth_only(
    scores: NDArray[np.float32], task: RankingTask, everybody: Query
) -> None:
    model, evaluator = Table(scores), RankingEvaluator(task)
    result = evaluator.evaluate(model, everybody)
    assert (
        [row for rows in model.asked for row in rows]
        == evaluator.users.tolist()
        == result.users.tolist()
    )
    assert max(map(len, model.asked)) == task.block
    assert result.n_users + result.n_skipped == N_USERS
    assert result.n_skipped >= len(range(0, N_USERS, 5))


def test_a_recommender_is_a_scorer(scores: NDArray[np.float32]) -> None:
    assert isinstance(Table(scores), Scorer)
    assert not isinstance(scores, Scorer)


def test_nothing_of_the_caller_is_modified(scores: NDArray[np.float32], task: RankingTask) -> None:
    kept = scores.copy(), task.truth.copy(), task.seen.copy()
    scores.setflags(write=False)
    evaluator = RankingEvaluator(task)
    evaluator.evaluate(scores)
    evaluator.evaluate([scores])
    assert np.array_equal(scores, kept[0])
    for given, before in ((task.truth, kept[1]), (task.seen, kept[2])):
        assert np.array_equal(given.toarray(), before.toarray())
        assert np.array_equal(given.indices, before.indices)


def test_a_model_may_hand_out_its_own_array(marks: Marks) -> None:
    class Keeper(Table):
        def score(self, query: Query) -> NDArray[np.float32]:
            return self.scores[: len(query)]

    model = Keeper(np.array([[3, 2, 1], [1, 2, 3]], dtype=np.float32))
    task = RankingTask(marks([[1], [1]], 3), marks([[0], [2]], 3), ks=(1,))
    for _ in range(2):
        found = RankingEvaluator(task).evaluate(model, Query.of(sp.csr_array((2, 3))))
        assert found.per_user["hit@1"].tolist() == [1, 1]
    assert model.scores.tolist() == [[3, 2, 1], [1, 2, 3]]


def test_users_without_truth_are_in_no_number(
    scores: NDArray[np.float32], task: RankingTask
) -> None:
    without = np.setdiff1d(np.arange(N_USERS), RankingEvaluator(task).users)
    changed = scores.copy()
    changed[without] = np.nan
    evaluator = RankingEvaluator(task)
    assert same(evaluator.evaluate(scores), evaluator.evaluate(changed))


def test_seen_and_barred_items_are_never_recommended(marks: Marks) -> None:
    task = RankingTask(marks([[3]], 5), marks([[0]], 5), np.array([0, 2, 3]), ks=(1, 2, 5))
    result = RankingEvaluator(task).evaluate(np.array([[9.0, 8, 7, 6, 5]]))
    assert result.per_user["hit@1"].tolist() == [0]
    assert result.per_user["mrr@2"].tolist() == [0.5]
    assert result.per_user["precision@5"].tolist() == [1 / 5]
    assert result.catalogue["coverage@5"] == 2 / 3  # items 2 and 3 of candidates 0, 2 and 3


def test_nothing_scoreable_is_zero_not_an_error(marks: Marks) -> None:
    task = RankingTask(marks([[1]], 3), popularity=np.ones(3, dtype=int))
    result = RankingEvaluator(task).evaluate(np.full((1, 3), -np.inf))
    assert set(result.summary().values()) == {0.0}


def test_interactions_count_whatever_their_rating(
    interactions: Callable[..., Interactions], marks: Marks
) -> None:
    truth = interactions([(0, 1, 0.0), (2, 0, 5.0)], (3, 2), RatingScale(0, 5))
    seen = interactions([(0, 0, 0.0)], (3, 2), RatingScale(0, 5))
    scores = np.array([[2.0, 1], [2, 1], [2, 1]])
    result = RankingEvaluator(RankingTask(truth, seen, ks=(1,))).evaluate(scores)
    assert result.users.tolist() == [0, 2]
    assert result.per_user["hit@1"].tolist() == [1, 1]


def test_repeated_entries_of_a_truth_count_once() -> None:
    truth = sp.csr_array(
        (np.ones(3), np.array([1, 1, 0]), np.array([0, 3])), shape=(1, 4)
    )  # item 1 is stored twice
    result = RankingEvaluator(RankingTask(truth, ks=(1,))).evaluate(np.array([[0, 1.0, 0, 0]]))
    assert result.per_user["recall@1"].tolist() == [0.5]
    assert truth.nnz == 3


def test_shapes_that_do_not_fit_are_named(task: RankingTask, everybody: Query) -> None:
    evaluator = RankingEvaluator(task)
    with pytest.raises(DataError, match=rf"user row 0 has shape \({N_USERS}, {N_ITEMS - 1}\)"):
        evaluator.evaluate(np.zeros((N_USERS, N_ITEMS - 1)))
    with pytest.raises(DataError, match=f"hold {N_USERS - 1} users, the truth has {N_USERS}"):
        evaluator.evaluate(np.zeros((N_USERS - 1, N_ITEMS)))
    with pytest.raises(DataError, match=r"user row 20 has shape \(10, 17\)"):
        evaluator.evaluate(np.zeros((10, N_ITEMS)) for _ in range(1000))
    with pytest.raises(DataError, match="shape"):
        evaluator.evaluate(np.zeros(N_ITEMS))
    with pytest.raises(DataError, match=r"shape \(4, 16\), the truth has 17 items"):
        evaluator.evaluate(Table(np.zeros((N_USERS, N_ITEMS - 1), dtype=np.float32)), everybody)
    with pytest.raises(DataError, match=f"query holds 3 users, the truth {N_USERS}"):
        evaluator.evaluate(Table(np.zeros(SHAPE, dtype=np.float32)), everybody.slice(0, 3))


def test_a_model_needs_a_query(task: RankingTask) -> None:
    with pytest.raises(ConfigError, match="query"):
        RankingEvaluator(task).evaluate(Table(np.zeros(SHAPE, dtype=np.float32)))


@pytest.mark.parametrize("as_stream", [False, True])
def test_nan_names_the_user(
    scores: NDArray[np.float32], task: RankingTask, as_stream: bool
) -> None:
    evaluator = RankingEvaluator(task)
    first, second = evaluator.users[5:7]
    scores[[first, second], 3] = np.nan
    source: Iterator[NDArray[np.float32]] | NDArray[np.float32] = scores
    if as_stream:
        source = (scores[start : start + 9] for start in range(0, N_USERS, 9))
    with pytest.raises(DataError, match=f"NaN, first at user row {first}\n"):
        evaluator.evaluate(source)


def test_a_task_that_cannot_be_evaluated(marks: Marks) -> None:
    truth = marks([[0], []], 3)
    for ks in ((), (0,)):
        with pytest.raises(ConfigError, match="ks"):
            RankingTask(truth, ks=ks)
    with pytest.raises(ConfigError, match="block"):
        RankingTask(truth, block=0)
    with pytest.raises(DataError, match="no user"):
        RankingEvaluator(RankingTask(marks([[], []], 3)))
    with pytest.raises(DataError, match="seen is"):
        RankingEvaluator(RankingTask(truth, seen=marks([[1]], 3)))
    with pytest.raises(DataError, match="popularity is"):
        RankingEvaluator(RankingTask(truth, popularity=np.ones(2, dtype=int)))
    with pytest.raises(DataError, match="2 candidates are not among 3 items") as caught:
        RankingEvaluator(RankingTask(truth, candidates=np.array([0, -1, 3])))
    assert caught.value.rows == ("item row -1", "item row 3")


def test_truth_that_is_masked_is_refused(marks: Marks) -> None:
    truth = marks([[0, 1], []], 3)
    with pytest.raises(DataError, match="1 are seen, 0 are no"):
        RankingEvaluator(RankingTask(truth, seen=marks([[1], [0]], 3)))
    with pytest.raises(DataError, match="0 are seen, 1 are no"):
        RankingEvaluator(RankingTask(truth, candidates=np.array([0, 2])))

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import stats

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Query, RatingPrediction

N, SHAPE = 4000, (60, 90)


class Oracle:
    """Predicts from a (U, I) table, and keeps what it was asked."""

    def __init__(
        self, table: NDArray[np.float32], std: NDArray[np.float32] | float | None = None
    ) -> None:
        self.table, self.std = table, std
        self.query: Query | None = None

    def predict_ratings(
        self, query: Query, rows: NDArray[np.integer], items: NDArray[np.integer]
    ) -> RatingPrediction:
        self.query = query
        mean = self.table[query.users[rows], items].astype(np.float32)
        std = None if self.std is None else np.broadcast_to(self.std, mean.shape)
        return RatingPrediction(mean, std)


@pytest.fixture
def everybody() -> Query:
    return Query(sp.csr_array(SHAPE, dtype=np.float32), np.arange(SHAPE[0], dtype=np.int32))


@pytest.fixture
def test_set(interactions: Callable[..., Interactions]) -> Interactions:
    rng = np.random.default_rng(0)
    pairs = rng.choice(50 * SHAPE[1], size=N, replace=False)
    ratings = rng.integers(1, 6, size=N)
    triples = [(p // SHAPE[1], p % SHAPE[1], r) for p, r in zip(pairs, ratings, strict=True)]
    return interactions(triples, SHAPE)


def table(seed: int, low: float, high: float) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(low, high, SHAPE).astype(np.float32)


def test_errors_are_those_of_clipped_predictions(test_set: Interactions, everybody: Query) -> None:
    predicted = table(1, -1, 7)
    result = evaluate_ratings(Oracle(predicted), test_set, everybody)
    clipped = np.clip(predicted[test_set.user, test_set.item], 1, 5)
    error = clipped.astype(np.float64) - test_set.rating
    assert result.rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-12)
    assert result.mae == pytest.approx(np.abs(error).mean(), abs=1e-12)
    assert result.n == N
    assert result.summary() == {"rmse": result.rmse, "mae": result.mae}


def test_sums_belong_to_users(test_set: Interactions, everybody: Query) -> None:
    predicted = table(2, 1, 5)
    model = Oracle(predicted)
    result = evaluate_ratings(model, test_set, everybody)
    assert model.query is not None
    assert model.query.users.tolist() == result.users.tolist() == list(range(50))
    for position in (0, 17, 49):
        mine = test_set.user == result.users[position]
        error = predicted[test_set.user[mine], test_set.item[mine]] - test_set.rating[mine]
        assert result.counts[position] == mine.sum()
        assert result.squared[position] == pytest.approx((error.astype(float) ** 2).sum())
        assert result.absolute[position] == pytest.approx(np.abs(error.astype(float)).sum())


def test_stated_uncertainty_is_scored(test_set: Interactions, everybody: Query) -> None:
    predicted = table(3, 1, 5)
    std = np.random.default_rng(4).uniform(0.5, 2, N).astype(np.float32)
    found = evaluate_ratings(Oracle(predicted, std), test_set, everybody).summary()
    mean = predicted[test_set.user, test_set.item].astype(float)
    normal = stats.norm(mean, std.astype(float))
    assert found["nll"] == pytest.approx(-normal.logpdf(test_set.rating).mean(), abs=1e-12)
    for level, name in ((0.8, "coverage_80"), (0.95, "coverage_95")):
        low, high = normal.interval(level)
        inside = (test_set.rating >= low) & (test_set.rating <= high)
        assert found[name] == pytest.approx(inside.mean(), abs=1e-12)


def test_honest_uncertainty_covers_what_it_says(
    interactions: Callable[..., Interactions], everybody: Query
) -> None:
    rng = np.random.default_rng(5)
    noise = np.clip(rng.normal(0, 0.4, SHAPE), -1.9, 1.9)
    triples = [(u, i, 3 + noise[u, i]) for u in range(SHAPE[0]) for i in range(SHAPE[1])]
    test = interactions(triples, SHAPE)
    model = Oracle(np.full(SHAPE, 3, dtype=np.float32), 0.4)
    found = evaluate_ratings(model, test, everybody).summary()
    assert found["coverage_80"] == pytest.approx(0.80, abs=0.02)
    assert found["coverage_95"] == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("value", "what"), [(np.nan, "mean"), (np.inf, "mean")])
def test_predictions_must_be_finite(
    test_set: Interactions, everybody: Query, value: float, what: str
) -> None:
    predicted = table(6, 1, 5)
    user, item = test_set.user[7], test_set.item[7]
    predicted[user, item] = value
    with pytest.raises(DataError, match=f"1 predictions have no usable {what}") as caught:
        evaluate_ratings(Oracle(predicted), test_set, everybody)
    assert caught.value.rows == (f"user row {user}, item row {item}: {value}",)


@pytest.mark.parametrize("std", [0.0, -1.0, np.nan, np.inf])
def test_standard_deviations_must_be_positive(
    test_set: Interactions, everybody: Query, std: float
) -> None:
    with pytest.raises(DataError, match=f"{N} predictions have no usable standard deviation"):
        evaluate_ratings(Oracle(table(7, 1, 5), std), test_set, everybody)


def test_queries_and_sets_that_do_not_fit(
    interactions: Callable[..., Interactions], test_set: Interactions, everybody: Query
) -> None:
    model = Oracle(table(8, 1, 5))
    with pytest.raises(DataError, match="no test rating"):
        evaluate_ratings(model, interactions([], SHAPE), everybody)
    with pytest.raises(DataError, match="query holds 59 users, the test set 60"):
        evaluate_ratings(model, test_set, everybody.slice(0, 59))


def test_as_many_predictions_as_asked(test_set: Interactions, everybody: Query) -> None:
    class Short(Oracle):
        def predict_ratings(
            self, query: Query, rows: NDArray[np.integer], items: NDArray[np.integer]
        ) -> RatingPrediction:
            return super().predict_ratings(query, rows[:-1], items[:-1])

    with pytest.raises(DataError, match=rf"mean has shape \({N - 1},\) for {N} test ratings"):
        evaluate_ratings(Short(table(9, 1, 5)), test_set, everybody)

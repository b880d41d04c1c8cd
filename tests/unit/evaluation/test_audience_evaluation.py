from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.audience import evaluate_audience
from recsys.queries.query import AudiencePrediction

N_USERS, N_ITEMS = 40, 30


@pytest.fixture
def test_set(interactions: Callable[..., Interactions]) -> Interactions:
    """Movie i has i ratings, but for the last five, which have none."""
    random = np.random.default_rng(0)
    triples = [(u, i, random.integers(1, 6)) for i in range(N_ITEMS - 5) for u in range(i)]
    return interactions(triples, (N_USERS, N_ITEMS))


def prediction(seed: int, vote_std: float = 0.7) -> AudiencePrediction:
    random = np.random.default_rng(seed)
    mean, std = random.uniform(0, 6, N_ITEMS), random.uniform(0.1, 0.9, N_ITEMS)
    return AudiencePrediction(mean.astype(np.float32), std.astype(np.float32), vote_std)


def test_figures_are_those_of_a_loop_over_movies(test_set: Interactions) -> None:
    predicted = prediction(1)
    result = evaluate_audience(predicted, test_set)
    error, votes, inside, pairs = [], [], [], []
    for movie in range(1, N_ITEMS - 5):
        given = test_set.rating[test_set.item == movie].astype(float)
        mean = min(max(float(predicted.mean[movie]), 1), 5)
        spread = np.sqrt(float(predicted.std[movie]) ** 2 + 0.7**2 / len(given))
        low, high = stats.norm(mean, spread).interval(0.8)
        error.append(mean - given.mean())
        votes.append(len(given))
        inside.append(low <= given.mean() <= high)
        pairs.append((mean, given.mean()))
    squared = np.square(error)
    assert result.items.tolist() == list(range(1, N_ITEMS - 5))
    assert result.votes.tolist() == votes
    expected = {
        "rmse": np.sqrt(squared.mean()),
        "weighted_rmse": np.sqrt((squared * votes).sum() / np.sum(votes)),
        "spearman": stats.spearmanr(*np.transpose(pairs)).statistic,
        "coverage_80": np.mean(inside),
    }
    assert result.summary() == pytest.approx(expected, abs=1e-12)
    assert list(result.summary()) == list(expected)


def test_only_the_movies_asked_for_are_evaluated(test_set: Interactions) -> None:
    asked = np.array([9, 4, 0, 27])
    assert evaluate_audience(prediction(2), test_set, asked).items.tolist() == [4, 9]


def test_movies_with_few_votes_can_be_left_out(test_set: Interactions) -> None:
    found = evaluate_audience(prediction(3), test_set, min_votes=20)
    assert found.votes.tolist() == [20, 21, 22, 23, 24]


@pytest.mark.parametrize("votes", [1, 4, 25])
def test_honest_spreads_cover_what_they_say_at_any_number_of_votes(
    interactions: Callable[..., Interactions], votes: int
) -> None:
    random = np.random.default_rng(votes)
    n_items = 4000
    truth = random.normal(3, 0.3, n_items)
    stars = truth[:, None] + random.normal(0, 0.4, (n_items, votes))
    triples = [(u, i, np.clip(stars[i, u], 1, 5)) for i in range(n_items) for u in range(votes)]
    test = interactions(triples, (votes, n_items))
    std = np.full(n_items, 0.3, dtype=np.float32)
    honest = AudiencePrediction(np.full(n_items, 3, dtype=np.float32), std, 0.4)
    assert evaluate_audience(honest, test).coverage == pytest.approx(0.8, abs=0.02)


def test_there_is_no_rank_correlation_of_equal_predictions(test_set: Interactions) -> None:
    equal = replace(prediction(4), mean=np.full(N_ITEMS, 3, dtype=np.float32))
    result = evaluate_audience(equal, test_set)
    assert result.spearman is None
    assert list(result.summary()) == ["rmse", "weighted_rmse", "coverage_80"]


@pytest.mark.parametrize(
    ("field", "values", "what"),
    [("mean", (np.nan, np.inf), "mean"), ("std", (0, -1, np.nan, np.inf), "standard deviation")],
)
def test_predictions_of_evaluated_movies_must_be_usable(
    test_set: Interactions, field: str, values: tuple[float, ...], what: str
) -> None:
    for value in values:
        changed = getattr(prediction(5), field).copy()
        changed[[7, N_ITEMS - 1]] = value
        with pytest.raises(DataError, match=f"1 movies have no usable audience {what}") as caught:
            evaluate_audience(replace(prediction(5), **{field: changed}), test_set)
        assert caught.value.rows == (f"item row 7: {changed[7]}",)


def test_predictions_that_do_not_fit(test_set: Interactions) -> None:
    whole = prediction(6)
    with pytest.raises(DataError, match=r"audience mean has shape \(29,\) for 30 movies"):
        evaluate_audience(replace(whole, mean=whole.mean[1:]), test_set)
    with pytest.raises(DataError, match=r"deviation has shape \(30, 1\) for 30 movies"):
        evaluate_audience(replace(whole, std=whole.std[:, None]), test_set)
    for vote_std in (-0.1, np.nan, np.inf):
        with pytest.raises(DataError, match="vote_std"):
            evaluate_audience(replace(whole, vote_std=vote_std), test_set)


def test_there_must_be_something_to_evaluate(test_set: Interactions) -> None:
    with pytest.raises(DataError, match="no movie with at least 1 test ratings"):
        evaluate_audience(prediction(7), test_set, np.array([0, N_ITEMS - 1]))

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.rating import evaluate_levels, evaluate_ratings, pit
from recsys.queries.query import LevelProbabilities, Query, RatingPrediction
from recsys.queries.rating_levels import RatingLevels

SHAPE = (100, 200)
N = SHAPE[0] * SHAPE[1]
STARS = np.arange(1.0, 6.0)
LEVELS = RatingLevels(tuple(STARS), (1.4, 2.3, 3.5, 4.6))
USER, ITEM = (grid.ravel() for grid in np.indices(SHAPE))


def four_deviations(share: float) -> float:
    """How far an honest coverage strays by chance, hardly ever more."""
    return 4 * float(np.sqrt(share * (1 - share) / N))


@pytest.fixture
def beliefs() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(3.4, 1.1, N), np.exp(random.normal(-0.1, 0.4, N))


@pytest.fixture
def drawn(interactions: Callable[..., Interactions], beliefs) -> Interactions:
    """Ratings drawn from exactly what is believed."""
    latent = np.random.default_rng(1).normal(*beliefs)
    ratings = 1 + np.searchsorted(LEVELS.thresholds, latent)
    return interactions(list(zip(USER, ITEM, ratings, strict=True)), SHAPE)


def stated(beliefs, factor: float = 1.0) -> LevelProbabilities:
    mean, std = beliefs
    return LevelProbabilities(STARS, LEVELS.probabilities(mean, factor * std))


def test_an_honest_forecast_covers_what_it_says(drawn, beliefs):
    found = evaluate_levels(stated(beliefs), drawn)
    for share in (0.50, 0.80, 0.90, 0.95):
        covered = found.figures[f"pit_{share * 100:.0f}"]
        assert covered == pytest.approx(share, abs=four_deviations(share))
    assert found.histogram == pytest.approx(np.full(10, 0.1), abs=four_deviations(0.1))
    assert found.histogram.sum() == pytest.approx(1)
    assert found.figures["pit_ks"] < 2 / np.sqrt(N)


@pytest.mark.parametrize(("factor", "sign"), [(0.6, -1), (1.7, 1)])
def test_a_dishonest_one_does_not(drawn, beliefs, factor, sign):
    honest, found = (
        evaluate_levels(stated(beliefs), drawn),
        evaluate_levels(stated(beliefs, factor), drawn),
    )
    for share in (0.50, 0.80, 0.90):
        assert sign * (found.figures[f"pit_{share * 100:.0f}"] - share) > 0.04
    assert sign * (0.1 - found.histogram[[0, -1]].mean()) > 0.02
    assert found.figures["level_nll"] > honest.figures["level_nll"] + 0.02
    assert found.figures["pit_ks"] > 3 * honest.figures["pit_ks"]


def test_a_shifted_one_does_not(drawn, beliefs):
    mean, std = beliefs
    found = evaluate_levels(stated((mean - 0.7, std)), drawn)
    assert found.histogram[-1] > 0.15
    assert found.histogram[0] < 0.05


def test_the_likelihood_is_scikit_learn_s(drawn, beliefs):
    metrics = pytest.importorskip("sklearn.metrics", reason="the oracle is scikit-learn")
    levels = stated(beliefs)
    expected = metrics.log_loss(drawn.rating, levels.probability, labels=STARS)
    assert evaluate_levels(levels, drawn).figures["level_nll"] == pytest.approx(expected, rel=1e-9)


def test_transforms_lie_where_the_level_does(drawn, beliefs):
    probability = stated(beliefs).probability
    index = drawn.rating.astype(int) - 1
    found, edges = pit(probability, index), np.cumsum(probability, axis=1)
    upper = edges[np.arange(N), index]
    lower = upper - probability[np.arange(N), index]
    assert (found >= lower - 1e-12).all()
    assert (found <= upper + 1e-12).all()
    within = (found - lower) / (upper - lower)
    assert stats.kstest(within[upper > lower + 1e-6], "uniform").pvalue > 0.001


def test_by_hand(interactions):
    test = interactions([(0, 0, 1), (0, 1, 5)], (1, 2))
    probability = np.array([[1.0, 0, 0, 0, 0], [0.25, 0.25, 0, 0, 0.5]])
    found = evaluate_levels(LevelProbabilities(STARS, probability), test)
    assert found.figures["level_nll"] == pytest.approx(np.log(2) / 2)
    assert 0.5 <= pit(probability, np.array([0, 4]))[1] <= 1


def test_what_was_impossible_costs_much_and_not_everything(interactions):
    test = interactions([(0, 0, 1)], (1, 1))
    found = evaluate_levels(LevelProbabilities(STARS, np.array([[0, 0.5, 0.5, 0, 0]])), test)
    assert 700 < found.figures["level_nll"] < 800


class Believer:
    def __init__(self, beliefs) -> None:
        self.beliefs = beliefs

    def predict_ratings(self, query, rows, items) -> RatingPrediction:
        mean, std = (part.reshape(SHAPE)[query.users[rows], items] for part in self.beliefs)
        return LEVELS.predict(mean, std)


@pytest.fixture
def everybody() -> Query:
    return Query(sp.csr_array(SHAPE, dtype=np.float32), np.arange(SHAPE[0], dtype=np.int32))


def test_ratings_are_evaluated_with_their_levels(drawn, beliefs, everybody):
    result = evaluate_ratings(Believer(beliefs), drawn, everybody)
    expected = evaluate_levels(stated(beliefs), drawn)
    assert dict(result.uncertainty) == {
        **{name: result.uncertainty[name] for name in ("nll", "coverage_80", "coverage_95")},
        **expected.figures,
    }
    np.testing.assert_array_equal(result.pit, expected.histogram)
    assert result.summary()["pit_90"] == expected.figures["pit_90"]
    again = evaluate_ratings(Believer(beliefs), drawn, everybody)
    assert again.summary() == result.summary()


def test_without_levels_there_is_no_histogram(drawn, beliefs, everybody):
    class Silent(Believer):
        def predict_ratings(self, query, rows, items):
            found = super().predict_ratings(query, rows, items)
            return RatingPrediction(found.mean, found.std)

    result = evaluate_ratings(Silent(beliefs), drawn, everybody)
    assert result.pit is None
    assert set(result.uncertainty) == {"nll", "coverage_80", "coverage_95"}


def test_ratings_that_are_no_level(interactions):
    test = interactions([(0, 0, 3), (0, 1, 3.5), (1, 0, 4.5)], (2, 2))
    levels = LevelProbabilities(STARS, np.full((3, 5), 0.2))
    with pytest.raises(DataError, match="2 test ratings are none of the levels") as caught:
        evaluate_levels(levels, test)
    assert caught.value.rows == ("user row 0, item row 1: 3.5", "user row 1, item row 0: 4.5")


@pytest.mark.parametrize("row", [[0.5] * 5, [-0.1, 0.3, 0.3, 0.3, 0.2], [np.nan, 0, 0, 0.5, 0.5]])
def test_probabilities_that_are_none(interactions, row):
    test = interactions([(0, 0, 3), (0, 1, 3)], (1, 2))
    levels = LevelProbabilities(STARS, np.array([[0.2] * 5, row]))
    with pytest.raises(DataError, match="1 predictions have level probabilities") as caught:
        evaluate_levels(levels, test)
    assert caught.value.rows == ("user row 0, item row 1: 3.0",)


def test_probabilities_of_other_pairs(interactions):
    test = interactions([(0, 0, 3)], (1, 1))
    with pytest.raises(DataError, match="of 2 pairs for 1 test ratings"):
        evaluate_levels(LevelProbabilities(STARS, np.full((2, 5), 0.2)), test)

# ruff: noqa: ARG002 - a predictor has these arguments whether it reads them or not

from __future__ import annotations

import numpy as np
import pytest
from recsys.benchmark.side_inputs import told_of_people, told_of_times
from recsys.recommenders.global_mean import GlobalMean

from recsys.errors import DataError
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Query, RatingPrediction
from recsys.testing.worlds import two_genre_world


class Clock:
    """Predicts from the time alone, where it is told."""

    name = "clock"

    def fit(self, train, valid, catalogue):
        return self

    def predict(self, query, rows, items):
        return RatingPrediction(np.full(len(items), 1, dtype=np.float32))

    def predict_at(self, query, rows, items, times):
        return RatingPrediction((1 + times % 5).astype(np.float32))


class Acquainted(Clock):
    people = None

    def with_people(self, people):
        told = Acquainted()
        told.people = people
        return told


def test_the_times_are_those_of_the_truth():
    world = two_genre_world()
    truth, query = world.test, Query.known(world.train)
    told = evaluate_ratings(told_of_times(Clock(), truth), truth, query)
    error = (1 + truth.time % 5) - truth.rating
    assert told.rmse == pytest.approx(np.sqrt(np.mean(error**2)))
    assert evaluate_ratings(Clock(), truth, query).rmse != pytest.approx(told.rmse)


def test_only_the_judged_pairs_have_times():
    truth, query = two_genre_world().test, Query.known(two_genre_world().train)
    predictor = told_of_times(Clock(), truth)
    with pytest.raises(DataError, match="all of them together"):
        predictor.predict(query, truth.user[:5], truth.item[:5])


def test_who_does_not_ask_is_not_told(tmp_path):
    model = GlobalMean()
    assert told_of_times(model, two_genre_world().test) is model
    assert told_of_people(model, tmp_path) is model


def test_people_come_from_the_folder_of_the_data(tmp_path):
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n")
    assert told_of_people(Acquainted(), tmp_path).people["1"].age == 24

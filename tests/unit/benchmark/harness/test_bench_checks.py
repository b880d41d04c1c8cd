"""A check that nothing can fail would be none: each is tried with what it is there to catch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.benchmark import list_checks, rating_checks
from recsys.benchmark.checks import BOUNDS, CheckError, check, require, separation, unseen
from recsys.benchmark.evaluating import evaluate_tasks
from recsys.benchmark.oracles import RandomConfig, RandomScores
from recsys.benchmark.protocols import SplitSeed
from recsys.queries.query import RatingPrediction
from recsys.recommenders.closed_form.ease import Ease, EaseConfig
from recsys.recommenders.item_knn import ItemKNN

CASES = [("ro", ("warm", "rating")), ("cold-items", ("cold",)), ("cold-users", ("fold-in",))]


def checked(model, data, tasks):
    model.fit(data.split)
    return check(model, data, evaluate_tasks(model, data, "test", tasks))


@pytest.mark.parametrize(("fold", "tasks"), CASES)
def test_an_honest_model_passes_and_its_values_are_told(material, fold, tasks):
    values = checked(ItemKNN(), material.split(SplitSeed(fold, 1)), tasks)
    assert values["perfect"] == pytest.approx(1)
    assert values["worst"] == 0
    assert 0 < values["model"] < 1
    assert values["truth_in_history"] == values["test_in_train"] == values["test_in_valid"] == 0
    assert ("rating/model" in values) == ("rating" in tasks)
    assert ("rated_cold" in values) == ("cold" in tasks)
    assert ("known_held_out" in values) == ("fold-in" in tasks)
    assert all(
        name in BOUNDS or name.endswith("model") or name == "rating/worst" for name in values
    )


def test_a_test_pair_in_another_part_is_found(material):
    split = material.split(SplitSeed("ro", 1)).split
    leaky = split.train.join(split.test.select(np.arange(3)))
    values = separation(leaky, split.valid, split.test)
    assert values == {"test_in_train": 3, "test_in_valid": 0}
    with pytest.raises(CheckError, match="test_in_train is 3"):
        require(values)
    assert separation(split.train, split.test, split.test)["test_in_valid"] == len(split.test)


def test_what_is_to_be_found_may_not_be_told(material):
    data = material.split(SplitSeed("cold-users", 1))
    split = data.split
    kinds = list(data.lists("test").values())
    query = kinds[0].query
    told = replace(query, histories=query.histories + kinds[0].task.truth)
    values = unseen(split.train, split.valid, [kinds[0]._replace(query=told)], data)
    assert values["truth_in_history"] == kinds[0].task.truth.nnz
    known = unseen(split.train.join(data.choosing), split.valid, kinds, data)
    assert known["known_held_out"] == len(data.choosing)


def test_a_rated_movie_is_not_cold(material):
    data = material.split(SplitSeed("cold-items", 1))
    split = data.split
    kinds = list(data.lists("test").values())
    some = split.test.select(np.arange(4))
    values = unseen(split.train.join(some), split.valid, kinds, data)
    assert values["rated_cold"] == 4


class Broken(Ease):
    def __init__(self):
        super().__init__(EaseConfig(l2=10))


class ByPlace(Broken):
    def score(self, query):
        sign = np.where(np.arange(len(query)) % 3, 1, -1).astype(np.float32)
        return super().score(query) * sign[:, None]


class ByBatch(Broken):
    """Scores relative to whoever else is lists about."""

    def score(self, query):
        scores = super().score(query)
        return (scores - scores.mean(axis=0)) * np.float32(1)


class Moody(Broken):
    def score(self, query):
        self.mood = getattr(self, "mood", 0) + 1
        scores = super().score(query)
        return scores + np.random.default_rng(self.mood).normal(size=scores.shape)


@pytest.mark.parametrize("broken", [ByPlace, ByBatch, Moody])
def test_scores_that_depend_on_who_else_is_asked_about_are_refused(material, broken):
    with pytest.raises(CheckError, match=r"block is|order is"):
        checked(broken(), material.split(SplitSeed("ro", 1)), ("warm",))


class Reversed(Broken):
    def score(self, query):
        scores = super().score(query)
        return scores if len(query) < 10 or query.users[0] < query.users[-1] else scores[::-1]


def test_scores_that_depend_on_the_order_of_users_are_refused(material):
    with pytest.raises(CheckError, match="order is"):
        checked(Reversed(), material.split(SplitSeed("ro", 1)), ("warm",))


class Threaded(Broken):
    def score(self, query):
        from threadpoolctl import threadpool_info

        many = max(library["num_threads"] for library in threadpool_info()) > 1
        return super().score(query) * (-1 if many else 1)


def test_scores_that_depend_on_threads_are_refused(material):
    from threadpoolctl import threadpool_limits as limited_threads

    with limited_threads(1), pytest.raises(CheckError, match="threads is"):
        checked(Threaded(), material.split(SplitSeed("ro", 1)), ("warm",))


def test_a_tie_that_falls_otherwise_for_one_user_in_a_hundred_is_rounding():
    require({"block": 0.01, "order": 0.02, "threads": 0.0})
    with pytest.raises(CheckError, match=r"threads is 0\.03"):
        require({"threads": 0.03})


def test_drawn_labels_are_hit_by_chance_and_no_more(material):
    data = material.split(SplitSeed("ro", 1))
    lists = data.lists("test")[""]
    users, task = list_checks.sample(lists.task)
    found = []
    for seed in range(30):
        model = RandomScores(RandomConfig(seed)).fit(data.split)
        found.append(list_checks.shuffled(task, model.score(lists.query.select(users))))
    assert abs(np.mean(found)) < 1
    assert 0.5 < np.std(found) < 1.6


def test_labels_that_are_not_drawn_at_random_are_noticed(material, monkeypatch):
    data = material.split(SplitSeed("ro", 1))
    truth = list_checks._truth(list_checks.sample(data.lists("test")[""].task)[1])
    monkeypatch.setattr(list_checks, "_drawn", lambda *_: truth)
    with pytest.raises(CheckError, match="shuffled is"):
        checked(Broken(), data, ("warm",))


class Pessimist(ItemKNN):
    def predict_ratings(self, query, rows, items):
        found = super().predict_ratings(query, rows, items)
        return RatingPrediction(found.mean - (rows % 2).astype(np.float32))


def test_stars_that_depend_on_who_else_is_asked_about_are_refused(material):
    with pytest.raises(CheckError, match="rating/"):
        checked(Pessimist(), material.split(SplitSeed("ro", 1)), ("rating",))


def test_permuted_stars_are_predicted_by_chance(material):
    rng = np.random.default_rng(0)
    found = [rating_checks.shuffled(rng.normal(size=500), rng.normal(size=500)) for _ in range(200)]
    assert abs(np.mean(found)) < 0.3
    assert np.std(found) == pytest.approx(1, abs=0.2)
    assert rating_checks.shuffled(np.ones(5), np.arange(5.0)) == 0


def test_a_permutation_that_is_none_is_noticed(material, monkeypatch):
    class Same:
        def permutation(self, values):
            return values

        def choice(self, _, size, **__):
            return np.arange(size)

    monkeypatch.setattr(rating_checks, "stream", lambda *_: Same())
    with pytest.raises(CheckError, match="rating/shuffled"):
        checked(ItemKNN(), material.split(SplitSeed("ro", 1)), ("rating",))


@pytest.mark.parametrize(
    "bad",
    [
        {"perfect": 0.99},
        {"worst": 0.01},
        {"rating/perfect": 0.1},
        {"shuffled": -6.0},
        {"perfect": float("nan")},
    ],
)
def test_every_value_has_its_bounds(bad):
    with pytest.raises(CheckError, match=next(iter(bad))):
        require(bad)


def test_the_model_lies_between_the_worst_and_the_perfect():
    require({"perfect": 1.0, "worst": 0.0, "model": 0.3})
    with pytest.raises(CheckError, match=r"model is 1\.2"):
        require({"perfect": 1.0, "worst": 0.0, "model": 1.2})
    require({"rating/perfect": 0.0, "rating/worst": 2.0, "rating/model": 0.9})
    with pytest.raises(CheckError, match="rating/model is 3"):
        require({"rating/perfect": 0.0, "rating/worst": 2.0, "rating/model": 3.0})

"""The harness evaluates as the project does everywhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.benchmark.evaluating import evaluate_tasks
from recsys.benchmark.protocols import SplitSeed
from recsys.recommenders.item_knn import ItemKNN


def fitted(data):
    return ItemKNN().fit(data.split)


def grouped(found, group):
    named = found.named().items()
    return {n.partition(".")[2]: v for n, v in named if n.startswith(f"{group}.")}


@pytest.mark.parametrize("part", ["valid", "test"])
@pytest.mark.parametrize("fold", ["ro", "cold-items", "leave-last"])
def test_figures_are_those_of_the_projects_evaluate_tasks(material, fold, part):
    data = material.split(SplitSeed(fold, 3))
    model = fitted(data)
    found, rules = evaluate_tasks(model, data, part, ("warm", "rating")), data.evaluator(part)
    expected = rules.ranking(model)
    assert grouped(found, "ranking") == expected.summary()
    assert found.n_users == expected.n_users
    overall = rules.overall(model)
    assert grouped(found, "overall") == (overall.summary() if overall else {})
    assert (overall is None) == (fold != "cold-items")
    assert found.rating.summary() == rules.rating(model).summary()


def test_lists_are_evaluated_of_users_of_whom_something_is_known(material):
    whole = material.split(SplitSeed("ro", 1))
    split = whole.split
    train = split.train.select(np.flatnonzero(split.train.user >= 5))
    data = replace(whole, split=replace(split, train=train))
    for part in ("valid", "test"):
        found = evaluate_tasks(fitted(data), data, part, ("warm",))
        assert found.users.min() == 5
        assert found.n_users == evaluate_tasks(fitted(whole), whole, part, ("warm",)).n_users - 5
    assert np.isin(data.of_known_users(split.test).user, train.user).all()
    assert len(whole.of_known_users(split.test)) == len(split.test)


def test_values_of_users_make_up_the_figures(material):
    data = material.split(SplitSeed("ro", 3))
    found = evaluate_tasks(fitted(data), data, "test", ("warm", "rating"))
    users = found.per_user()
    assert users["ndcg@10"].mean() == pytest.approx(found.named()["ranking.ndcg@10"])
    squared = np.average(users["squared_error"], weights=users["n_ratings"])
    assert np.sqrt(squared) == pytest.approx(found.rating.rmse)
    assert users["n_ratings"].sum() == len(data.split.test)


def test_held_out_users_are_named_by_their_likes(material):
    data = material.split(SplitSeed("cold-users", 3))
    found = evaluate_tasks(fitted(data), data, "test", ("fold-in",))
    metrics = grouped(found, "ranking")
    assert {f"ndcg@10/given-{n}" for n in (1, 3, 5, 10)} <= set(metrics)
    assert len({metrics[f"ndcg@10/given-{n}"] for n in (1, 3, 5, 10)}) == 4
    assert set(found.per_user()) == {
        f"{metric}@10/given-{n}" for metric in ("ndcg", "recall") for n in (1, 3, 5, 10)
    }
    assert found.rating is None


def test_cold_movies_are_told_apart_from_all(material):
    data = material.split(SplitSeed("cold-items", 3))
    found = evaluate_tasks(fitted(data), data, "test", ("cold",))
    assert {"ndcg@10", "overall/ndcg@10"} <= set(found.per_user())
    assert not any(name.startswith("overall") for name in found.on_valid())


def test_seconds_are_those_of_scoring_every_user_once(material):
    data = material.split(SplitSeed("ro", 3))
    model, lists = fitted(data), []
    score = model.score
    model.score = lambda query: lists.extend(query.users) or score(query)
    assert evaluate_tasks(model, data, "test", ("warm",)).score_seconds > 0
    assert lists == list(range(len(data.split.train.users)))


def test_refitting_learns_from_valid_and_tests_the_same(material):
    data = material.split(SplitSeed("random-90-10", 3))
    whole = data.refit_on_train_valid().split
    assert len(whole.train) == len(data.split.train) + len(data.split.valid)
    assert not len(whole.valid)
    assert whole.test.fingerprint == data.split.test.fingerprint
    apart = data.split.train.matrix() + data.split.valid.matrix()
    assert (whole.train.matrix() != apart).nnz == 0
    masks = [g.lists("test")[""].task.seen for g in (data, data.refit_on_train_valid())]
    assert (masks[0] != masks[1]).nnz == 0

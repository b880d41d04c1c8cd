"""The harness judges as the project does everywhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from recsys.recommenders.item_knn.model import ItemKNN

from recsys.benchmark.grounds import joined
from recsys.benchmark.judging import N_RATINGS, SQUARED_ERROR, judge
from recsys.benchmark.protocols import Cell


def fitted(ground):
    split = ground.split
    return ItemKNN().fit(split.train, split.valid, ground.catalogue)


@pytest.mark.parametrize("part", ["valid", "test"])
@pytest.mark.parametrize("fold", ["ro", "cold-items", "leave-last"])
def test_figures_are_those_of_the_projects_judge(material, fold, part):
    ground = material.ground(Cell(fold, 3))
    model = fitted(ground)
    found, rules = judge(model, ground, part, ("warm", "rating")), ground.judge(part)
    expected = rules.ranking(model)
    assert found.ranking() == expected.summary()
    assert found.n_users == expected.n_users
    overall = rules.overall(model)
    assert found.overall() == (overall.summary() if overall else None)
    assert (found.overall() is None) == (fold != "cold-items")
    assert found.rating.summary() == rules.rating(model).summary()


def test_lists_are_judged_of_users_of_whom_something_is_known(material):
    whole = material.ground(Cell("ro", 1))
    split = whole.split
    train = split.train.select(np.flatnonzero(split.train.user >= 5))
    ground = replace(whole, split=replace(split, train=train))
    for part in ("valid", "test"):
        found = judge(fitted(ground), ground, part, ("warm",))
        assert found.users.min() == 5
        assert found.n_users == judge(fitted(whole), whole, part, ("warm",)).n_users - 5
    assert np.isin(ground.of_known_users(split.test).user, train.user).all()
    assert len(whole.of_known_users(split.test)) == len(split.test)


def test_values_of_users_make_up_the_figures(material):
    ground = material.ground(Cell("ro", 3))
    found = judge(fitted(ground), ground, "test", ("warm", "rating"))
    users = found.per_user()
    assert users["ndcg@10"].mean() == pytest.approx(found.ranking()["ndcg@10"])
    squared = np.average(users[SQUARED_ERROR], weights=users[N_RATINGS])
    assert np.sqrt(squared) == pytest.approx(found.rating.rmse)
    assert users[N_RATINGS].sum() == len(ground.split.test)


def test_newcomers_are_named_by_their_likes(material):
    ground = material.ground(Cell("cold-users", 3))
    found = judge(fitted(ground), ground, "test", ("fold-in",))
    metrics = found.ranking()
    assert {f"ndcg@10/likes={n}" for n in (1, 3, 5, 10)} <= set(metrics)
    assert len({metrics[f"ndcg@10/likes={n}"] for n in (1, 3, 5, 10)}) == 4
    assert set(found.per_user()) == {
        f"{metric}@10/likes={n}" for metric in ("ndcg", "recall") for n in (1, 3, 5, 10)
    }
    assert found.rating is None


def test_cold_movies_are_told_apart_from_all(material):
    ground = material.ground(Cell("cold-items", 3))
    found = judge(fitted(ground), ground, "test", ("cold",))
    assert {"ndcg@10", "overall/ndcg@10"} <= set(found.per_user())
    assert found.metrics() == found.ranking()


def test_seconds_are_those_of_scoring_every_user_once(material):
    ground = material.ground(Cell("ro", 3))
    model, asked = fitted(ground), []
    score = model.score
    model.score = lambda query: asked.extend(query.users) or score(query)
    assert judge(model, ground, "test", ("warm",)).score_seconds > 0
    assert asked == list(range(len(ground.split.train.users)))


def test_refitting_learns_from_valid_and_tests_the_same(material):
    ground = material.ground(Cell("random-90-10", 3))
    whole = ground.refitted.split
    assert len(whole.train) == len(ground.split.train) + len(ground.split.valid)
    assert not len(whole.valid)
    assert whole.test.fingerprint == ground.split.test.fingerprint
    apart = ground.split.train.matrix() + ground.split.valid.matrix()
    assert (whole.train.matrix() != apart).nnz == 0
    masks = [g.asked("test")[""].task.seen for g in (ground, ground.refitted)]
    assert (masks[0] != masks[1]).nnz == 0


def test_joined_interactions_keep_their_times(material):
    split = material.ground(Cell("ro", 3)).split
    both = joined(split.valid, split.test)
    n = len(split.valid)
    np.testing.assert_array_equal(both.time[:n], split.valid.time)
    np.testing.assert_array_equal(both.item[n:], split.test.item)

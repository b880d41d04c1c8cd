from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest
from recsys.benchmark.contender import Contender, grid
from recsys.benchmark.document import Trial

from recsys.benchmark import tuning
from recsys.benchmark.tuning import Budget, best_of, is_over, points_of, tried
from recsys.errors import ConfigError, DataError

SPACE = grid(a=(1, 2, 3))


def contender(space):
    return Contender("x", "classic", frozenset({"warm"}), lambda *_: None, space)


def trial(score, seconds=1.0):
    return Trial(options={}, score=score, seconds=seconds)


def test_points_are_tried_in_order_as_far_as_the_budget_goes():
    assert points_of(contender(SPACE), Budget(trials=8)) == SPACE
    assert points_of(contender(SPACE), Budget(trials=2)) == SPACE[:2]


@pytest.mark.parametrize(("space", "trials"), [(({},), 8), (SPACE, 1)])
def test_a_single_point_is_not_tried(space, trials):
    assert points_of(contender(space), Budget(trials=trials)) == ()


@pytest.mark.parametrize("nothing", [{"trials": 0}, {"seconds": 0}, {"seconds": float("nan")}])
def test_a_budget_of_nothing_is_refused(nothing):
    with pytest.raises(ConfigError, match="at least one trial"):
        Budget(**nothing)


def test_what_fails_is_recorded_and_the_next_is_tried():
    def score(options):
        if options["a"] == 1:
            raise DataError("no data")
        return float("nan") if options["a"] == 2 else 0.5

    found = list(tried(SPACE, score, 0, Budget()))
    assert [t.options for t in found] == list(SPACE)
    assert [t.score for t in found] == [None, None, 0.5]
    assert [t.failure for t in found] == ["no data", "its score is nan", None]


def test_a_bug_is_named_by_its_kind():
    found = next(tried(SPACE, lambda _: 1 / 0, 0, Budget()))
    assert found.failure == "ZeroDivisionError: division by zero"


def test_no_trial_begins_when_the_seconds_are_spent(monkeypatch):
    ticks = count(0, 2)
    monkeypatch.setattr(tuning, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    assert len(list(tried(SPACE, lambda _: 1.0, 0, Budget(seconds=3)))) == 2
    assert len(list(tried(SPACE, lambda _: 1.0, 2, Budget(seconds=3)))) == 1
    assert not list(tried(SPACE, lambda _: 1.0, 9, Budget(seconds=9)))


def test_it_is_over_when_points_or_seconds_are():
    budget = Budget(trials=8, seconds=10)
    assert not is_over([trial(1)], SPACE, budget)
    assert is_over([trial(1)] * 3, SPACE, budget)
    assert is_over([trial(1, seconds=10)], SPACE, budget)
    assert is_over([], (), budget)


def test_the_best_is_the_first_of_the_highest():
    trials = [trial(None), trial(0.2), trial(0.5, 1), trial(0.5, 2)]
    assert best_of(trials) is trials[2]
    assert best_of(trials[:1]) is None

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest

from recsys.benchmark import tuning
from recsys.benchmark.entries import Entry
from recsys.benchmark.results import Trial
from recsys.benchmark.spaces import grid
from recsys.benchmark.tuning import Budget, best_of, tried
from recsys.errors import ConfigError, DataError

SPACE = grid(a=(1, 2, 3))


def entry(space):
    return Entry("x", "classic", frozenset({"warm"}), None, lambda *_: None, space=space)


def trial(score, seconds=1.0):
    return Trial(hyper_parameters={}, score=score, seconds=seconds)


def test_configurations_are_tried_in_order_as_far_as_the_budget_goes():
    assert Budget(trials=8).configurations(entry(SPACE)) == SPACE
    assert Budget(trials=2).configurations(entry(SPACE)) == SPACE[:2]


@pytest.mark.parametrize(("space", "trials"), [(({},), 8), (SPACE, 1)])
def test_a_single_configuration_is_not_tried(space, trials):
    assert Budget(trials=trials).configurations(entry(space)) == ()


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
    assert [t.hyper_parameters for t in found] == list(SPACE)
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


def test_it_is_over_when_configurations_or_seconds_are():
    budget = Budget(trials=8, seconds=10)
    assert not budget.is_spent([trial(1)], SPACE)
    assert budget.is_spent([trial(1)] * 3, SPACE)
    assert budget.is_spent([trial(1, seconds=10)], SPACE)
    assert budget.is_spent([], ())


def test_the_best_is_the_first_of_the_highest():
    trials = [trial(None), trial(0.2), trial(0.5, 1), trial(0.5, 2)]
    assert best_of(trials) is trials[2]
    assert best_of(trials[:1]) is None

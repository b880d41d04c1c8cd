"""What a process does, done in this one."""

from __future__ import annotations

import pytest

from recsys.benchmark.checks import CheckError
from recsys.benchmark.jobs import Environment, Job, work
from recsys.benchmark.protocols import SplitSeed
from recsys.benchmark.results import Run, Trial
from recsys.errors import ConfigError

REGISTRY = "bench_toys"


@pytest.fixture
def ran(toys, protocol_of):
    def do(name, split="ro", given=None, **more) -> Run:
        protocol = protocol_of(split, **more)
        job = Job("run", protocol, name, SplitSeed(split, 2), REGISTRY, given or {})
        environment, found = list(work(job))
        assert isinstance(environment, Environment)
        assert environment.hardware.threads == 1
        assert isinstance(found, Run)
        return found

    return do


def groups(run):
    return {name.partition(".")[0] for name in run.metrics}


def test_a_run_holds_all_that_is_told_of_it(ran):
    found = ran("plain", given={"l2": 5.0})
    assert (found.seed, found.split.name, found.split.seed) == (2, "ro", 2)
    metrics = found.metrics
    assert 0 < metrics["parameters"] <= 60 * 59
    assert metrics["seconds.fit"] > 0
    assert metrics["seconds.score"] > 0
    assert 0 < metrics["ranking.ndcg@10"] < 1
    assert metrics["valid.ndcg@10"] != metrics["ranking.ndcg@10"]
    assert "rating" not in groups(found)
    values = found.per_user["ndcg@10"].values()
    assert len(values) == metrics["n_users"]
    assert values.mean() == pytest.approx(metrics["ranking.ndcg@10"])
    assert metrics["peak_mib"] > 10
    assert found.checks["perfect"] == pytest.approx(1)
    assert found.reference == {}


def test_a_model_is_asked_what_it_can_do(ran):
    assert "ranking" not in groups(ran("bias"))
    assert {"ranking", "rating"} <= groups(ran("item-knn"))


def test_what_learns_from_valid_is_not_evaluated_on_it(ran):
    refit, usual = (
        ran("bias", "random-90-10", refits_on_train_valid=refits) for refits in (True, False)
    )
    assert "valid" not in groups(refit)
    assert "valid" in groups(usual)
    assert refit.metrics["rating.rmse"] != usual.metrics["rating.rmse"]


def test_an_oracle_is_shown_the_test(ran):
    seer, plain = ran("true-popularity", "cold-items"), ran("plain", "cold-items")
    assert seer.metrics["ranking.ndcg@10"] > plain.metrics["ranking.ndcg@10"]
    assert "valid" not in groups(seer)


def test_another_program_tells_what_its_fit_came_to(ran):
    found = ran("elsewhere")
    assert found.reference == {"ndcg@10": 0.5, "native/ndcg@10": 0.4}
    told = ("seconds.fit", "seconds.score", "parameters", "epochs")
    assert [found.metrics[name] for name in told] == [11, 12, 13, 14]


def test_a_run_that_fails_a_check_is_none(ran):
    with pytest.raises(CheckError, match="sanity check"):
        ran("by place")


def test_an_unknown_model_is_named(ran):
    with pytest.raises(ConfigError, match="'plane'") as caught:
        ran("plane")
    assert "plain" in str(caught.value)


@pytest.mark.parametrize("split", ["ro", "cold-items", "cold-users"])
def test_configurations_are_tried_on_valid_of_the_first_seed(toys, fits, protocol_of, split):
    space = toys["tuned"].space[:2]
    job = Job("tuning", protocol_of(split), "tuned", SplitSeed(split, 1), REGISTRY, {}, space)
    _, *trials = work(job)
    assert all(isinstance(trial, Trial) for trial in trials)
    assert [trial.hyper_parameters for trial in trials] == list(space)
    assert all(0 < trial.score < 1 for trial in trials)
    assert fits() == {"tuned-1-l2=10.0": 1, "tuned-1-l2=1.0": 1}

"""What a process does, done in this one."""

from __future__ import annotations

import pytest
from recsys.benchmark.document import Run, Trial
from recsys.benchmark.gates import GateError
from recsys.benchmark.job import RunJob, Subject, Surroundings, TuningJob, work

from recsys.benchmark.protocols import Cell
from recsys.benchmark.tuning import Budget
from recsys.errors import ConfigError

REGISTRY = "bench_toys"


@pytest.fixture
def ran(toys, protocol_of):
    def do(name, split="ro", options=None, **more) -> Run:
        protocol = protocol_of(split, **more)
        job = RunJob(Subject(protocol, name, REGISTRY), Cell(split, 2), options or {})
        surroundings, found = list(work(job))
        assert isinstance(surroundings, Surroundings)
        assert surroundings.hardware.threads == 1
        assert isinstance(found, Run)
        return found

    return do


def test_a_run_holds_all_that_is_told_of_it(ran):
    found = ran("plain", options={"l2": 5.0})
    assert (found.seed, found.split.name, found.split.seed) == (2, "ro", 2)
    row = found.row
    assert (row.model, row.seed) == ("plain", None)
    assert 0 < row.parameters <= 60 * 59
    assert row.seconds.fit > 0
    assert row.seconds.score > 0
    assert 0 < row.ranking["ndcg@10"] < 1
    assert row.valid["ndcg@10"] != row.ranking["ndcg@10"]
    assert row.rating is None
    assert len(found.per_user["ndcg@10"].values()) == row.n_users
    assert found.per_user["ndcg@10"].values().mean() == pytest.approx(row.ranking["ndcg@10"])
    assert found.peak_mib > 10
    assert found.gates["perfect"] == pytest.approx(1)
    assert found.reference == {}


def test_a_contender_is_asked_what_it_can_do(ran):
    assert ran("bias").row.ranking is None
    both = ran("knn").row
    assert both.ranking
    assert both.rating
    assert ran("drawn").row.seed == 2


def test_what_learns_from_valid_is_not_judged_on_it(ran):
    parts = [ran("bias", "random-90-10", refits=refits).row for refits in (True, False)]
    assert parts[0].valid is None
    assert parts[1].valid
    assert parts[0].rating != parts[1].rating


def test_an_oracle_is_shown_the_test(ran):
    seer, plain = ran("seer", "cold-items"), ran("plain", "cold-items")
    assert seer.row.ranking["ndcg@10"] > plain.row.ranking["ndcg@10"]
    assert seer.row.valid is None


def test_another_program_tells_what_its_fit_came_to(ran):
    found = ran("elsewhere")
    assert found.reference == {"ndcg@10": 0.5, "native/ndcg@10": 0.4}
    row = found.row
    told = (row.seconds.fit, row.seconds.score, row.parameters, row.epochs)
    assert told == (11, 12, 13, 14)


def test_a_run_that_fails_a_gate_is_none(ran):
    with pytest.raises(GateError, match="sanity check"):
        ran("by place")


def test_an_unknown_contender_is_named(ran):
    with pytest.raises(ConfigError, match="'plane'") as caught:
        ran("plane")
    assert "plain" in str(caught.value)


@pytest.mark.parametrize("split", ["ro", "cold-items", "cold-users"])
def test_points_are_tried_on_valid_of_the_first_seed(toys, fits, protocol_of, split):
    points = toys["tuned"].space[:2]
    job = TuningJob(Subject(protocol_of(split), "tuned", REGISTRY), points, 0.0, Budget())
    _, *trials = work(job)
    assert all(isinstance(trial, Trial) for trial in trials)
    assert [trial.options for trial in trials] == [dict(point) for point in points]
    assert fits() == {"tuned-1-l2=10.0": 1, "tuned-1-l2=1.0": 1}


def test_test_ratings_change_nothing_that_is_chosen(toys, protocol_of, monkeypatch):
    """The same scores on valid, whatever the test part holds."""
    from recsys.benchmark import job as module

    def scores():
        subject = Subject(protocol_of(), "tuned", REGISTRY)
        _, *trials = work(TuningJob(subject, toys["tuned"].space[:2], 0.0, Budget()))
        return [trial.score for trial in trials]

    honest = scores()
    ground = module.Material.ground

    def without_test(self, cell):
        from dataclasses import replace

        whole = ground(self, cell)
        half = whole.split.test.select(slice(None, None, 2))
        return replace(whole, split=replace(whole.split, test=half))

    monkeypatch.setattr(module.Material, "ground", without_test)
    assert scores() == honest
    assert all(0 < score < 1 for score in honest)


def test_stars_are_chosen_by_their_error(toys, protocol_of):
    subject = Subject(protocol_of("random-90-10"), "bias", REGISTRY)
    _, trial = work(TuningJob(subject, ({},), 0.0, Budget()))
    assert -2 < trial.score < 0

"""Caching, resuming and failing, with jobs done in this process."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from recsys.benchmark import runs
from recsys.benchmark.jobs import work
from recsys.benchmark.protocols import SplitSeed
from recsys.benchmark.results import ModelDocument, Run, file_name
from recsys.benchmark.runs import fingerprint_of
from recsys.benchmark.schedule import Progress, Rules, plan, work_off
from recsys.benchmark.split_data import BenchmarkData
from recsys.benchmark.tuning import Budget
from recsys.errors import RecsysError
from recsys.recommenders.closed_form.ease import EaseConfig
from recsys.subprocesses import ProcessDied

REGISTRY = "bench_toys"


def here(job, tell):
    """Does a job in this process, as ``Processes`` does in another."""
    try:
        for message in work(job):
            tell(message)
    except RecsysError:
        raise
    except Exception as error:
        raise RecsysError(f"{type(error).__name__}: {error}") from error


@pytest.fixture
def benchmark(toys, protocol_of, tmp_path):
    """Runs a benchmark; what it came to and what it said."""

    def run(*names, protocols=None, execute=here, **rules):
        given = {"results": tmp_path / "results", "workers": 1, "registry": REGISTRY}
        chosen, lines = Rules(**(given | rules)), []
        lists = protocols or [protocol_of().shortened(2)]
        states, failures = plan(lists, names, chosen, lines.append)
        outcome = work_off(states, chosen, execute, lines.append)
        return replace(outcome, failures=failures + outcome.failures), lines

    return run


@pytest.fixture
def document(tmp_path):
    def load(name, protocol="toy-ro"):
        path = tmp_path / "results" / protocol / f"{file_name(name)}.json"
        return ModelDocument.load(path)

    return load


def test_a_benchmark_leaves_a_document_each(benchmark, document, fits):
    outcome, lines = benchmark("tuned", "plain")
    assert (outcome.failures, outcome.left) == ([], 0)
    assert outcome.fits == 4 + 1 + 2 + 1 + 2, "each is fitted to shuffled ratings once"
    found = document("tuned")
    assert [run.seed for run in found.runs] == [1, 2]
    assert found.tuning.chosen == max(found.tuning.trials, key=lambda t: t.score).hyper_parameters
    assert (found.tuning.seed, found.tuning.n_configurations, len(found.tuning.trials)) == (1, 4, 4)
    assert (found.protocol, found.model, found.family) == ("toy-ro", "tuned", "classic")
    assert found.hardware.threads == 1
    assert found.versions["numpy"]
    assert fits()[f"tuned-2-l2={found.tuning.chosen['l2']}"] == 1
    assert (found.permutation.seed, found.permutation.split) == (1, "ro")
    assert found.permutation.checks["deviations"] < 5
    assert document("plain").tuning.trials == []
    assert "10/10" in lines[-1]
    assert "left" in lines[-1]


def test_what_is_there_is_not_measured_again(benchmark, fits):
    benchmark("tuned", "plain")
    before = fits()
    outcome, _ = benchmark("tuned", "plain")
    assert outcome.fits == 0
    assert fits() == before


def test_more_seeds_are_added_to_those_that_are_there(benchmark, document, fits, protocol_of):
    benchmark("tuned")
    before = fits()
    benchmark("tuned", protocols=[protocol_of()])
    assert [run.seed for run in document("tuned").runs] == [1, 2, 3]
    assert sum((fits() - before).values()) == 1
    benchmark("tuned", protocols=[protocol_of().shortened(1)])
    assert len(document("tuned").runs) == 3, "fewer seeds take nothing away"


def test_another_budget_is_another_measurement(benchmark, document, fits):
    benchmark("tuned")
    benchmark("tuned", budget=Budget(trials=2))
    found = document("tuned")
    assert (len(found.tuning.trials), found.tuning.max_trials) == (2, 2)
    assert fits()["tuned-1-l2=1.0"] >= 2


class KilledError(Exception):
    """The whole benchmark ends here."""


@pytest.mark.parametrize("after", [1, 3, 5, 6])
def test_a_benchmark_that_is_killed_goes_on_where_it_was(benchmark, document, fits, after):
    kept = Counter()

    def dying(job, tell):
        for message in work(job):
            tell(message)
            kept["messages"] += type(message).__name__ != "Environment"
            if kept["messages"] == after:
                raise KilledError

    benchmark("tuned", execute=dying)
    begun = document("tuned")
    assert len(begun.tuning.trials) + (begun.permutation is not None) + len(begun.runs) == after
    outcome, _ = benchmark("tuned")
    assert outcome.failures == []
    whole = document("tuned")
    assert (len(whole.tuning.trials), len(whole.runs)) == (4, 2)
    assert whole.tuning.trials[: len(begun.tuning.trials)] == begun.tuning.trials
    assert whole.permutation is not None
    assert sum(fits().values()) == 7, "nothing is fitted twice"


def test_one_failure_stops_nothing_but_its_own_rows(benchmark, document):
    outcome, lines = benchmark("refuses", "plain", "by place")
    assert len(outcome.failures) == 2
    assert "ValueError: no, thank you" in outcome.failures[0]
    assert "permutation test" in outcome.failures[0]
    assert "sanity check" in outcome.failures[1]
    assert "ro, seed 1" in outcome.failures[1]
    assert len(document("plain").runs) == 2
    assert any("refuses failed" in line for line in lines)


def test_what_finds_test_ratings_after_a_permutation_gets_no_run(
    benchmark, document, protocol_of, monkeypatch
):
    import bench_toys

    test = BenchmarkData.of(protocol_of()).split(SplitSeed("ro", 1)).split.test
    monkeypatch.setattr(bench_toys.Leaky, "told", test)
    outcome, _ = benchmark("leaky", "plain")
    assert len(outcome.failures) == 1
    assert (
        "leaky: permutation test: a sanity check failed: permuted/personal" in outcome.failures[0]
    )
    assert document("leaky").runs == []
    assert "permuted/personal is" in document("leaky").permutation.failure
    again, _ = benchmark("leaky")
    assert (again.fits, again.failures) == (0, outcome.failures)
    assert len(document("plain").runs) == 2


def test_runs_of_before_are_not_ranked_where_a_permutation_test_tells_of_a_leak(
    benchmark, document, protocol_of, monkeypatch, tmp_path
):
    import bench_toys

    benchmark("plain")
    test = BenchmarkData.of(protocol_of()).split(SplitSeed("ro", 1)).split.test
    monkeypatch.setattr(bench_toys.Leaky, "told", test)
    benchmark("leaky")
    leaky = document("leaky").model_copy(
        update={"runs": document("plain").runs, "permutation": None}
    )
    leaky.save(tmp_path / "results" / "toy-ro" / "leaky.json")
    outcome, _ = benchmark("leaky")
    assert "permuted/personal" in outcome.failures[0]
    found = document("leaky")
    assert (len(found.runs), found.is_ranked) == (2, False)


def test_documents_of_before_get_their_permutation_test_alone(benchmark, document, tmp_path):
    benchmark("plain")
    before = {"commit": "before", "created": date(2026, 1, 2), "versions": {"numpy": "1"}}
    old = document("plain").model_copy(update=before | {"permutation": None})
    old.save(tmp_path / "results" / "toy-ro" / "plain.json")
    outcome, lines = benchmark("plain")
    assert outcome.fits == 1
    assert any("permutation test: ndcg@10" in line for line in lines)
    found = document("plain")
    assert found.permutation is not None
    assert found.runs == old.runs
    assert {n: getattr(found, n) for n in before} == before, "as when its runs were made"


def test_an_oracle_is_not_fitted_to_shuffled_ratings(benchmark, document, protocol_of):
    benchmark("true-popularity", protocols=[protocol_of("cold-items").shortened(1)])
    found = document("true-popularity", "toy-cold-items")
    assert (found.permutation, len(found.runs)) == (None, 1)


def test_configurations_that_fail_are_not_chosen(benchmark, document):
    outcome, _ = benchmark("refuses large")
    found = document("refuses large")
    assert outcome.failures == []
    assert [trial.failure is None for trial in found.tuning.trials] == [True, True, False, False]
    assert found.tuning.chosen["l2"] < 50


def test_where_no_configuration_can_be_fitted_there_is_no_run_and_another_start_tries_again(
    benchmark, fits
):
    outcome, _ = benchmark("refuses tuning")
    assert "no configuration could be fitted: ValueError" in outcome.failures[0]
    assert set(fits().values()) == {1}
    benchmark("refuses tuning")
    assert set(fits().values()) == {2}


def test_a_process_that_dies_takes_one_configuration_with_it(benchmark, document):
    def dying(job, tell):
        for message in work(job):
            if getattr(message, "hyper_parameters", {}).get("l2") == 1.0:
                raise ProcessDied("signal 9")
            tell(message)

    outcome, _ = benchmark("tuned", execute=dying)
    assert outcome.failures == []
    trials = document("tuned").tuning.trials
    assert [trial.failure for trial in trials] == [None, "signal 9", None, None]


def test_no_fit_starts_after_the_hours_are_over(benchmark, fits):
    outcome, _ = benchmark("tuned", "plain", max_hours=0.0)
    assert (outcome.fits, outcome.left, outcome.failures) == (0, 10, [])
    assert not fits()


def test_what_cannot_be_measured_here_is_passed_over_and_it_is_said(
    benchmark, protocol_of, tmp_path
):
    nowhere = protocol_of("leave-last", data_dir=str(tmp_path / "nothing"))
    lists = [nowhere, protocol_of().shortened(1)]
    outcome, lines = benchmark("plain", "absent", "poster", protocols=lists)
    assert outcome.failures == []
    assert outcome.fits == 2
    assert any("toy-leave-last: passed over" in line and "\n" not in line for line in lines)
    assert any("absent: passed over: no no_such_module" in line for line in lines)
    assert any("poster: passed over: no poster" in line for line in lines)


def test_data_that_cannot_be_used_is_a_failure(benchmark, protocol_of, toy_folder):
    bad = protocol_of(overrides=("data.on_bad_row=error", "features.metadata.fields={nowhere: 1}"))
    outcome, _ = benchmark("plain", protocols=[bad])
    assert len(outcome.failures) == 1
    assert "toy-ro" in outcome.failures[0]


def test_a_file_that_is_no_document_is_told_and_left(benchmark, tmp_path):
    path = tmp_path / "results" / "toy-ro" / "plain.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    outcome, _ = benchmark("plain", "tuned")
    assert len(outcome.failures) == 1
    assert "plain.json" in outcome.failures[0]
    assert outcome.fits == 4 + 1 + 2
    assert path.read_text() == "{}"


def figures(run: Run):
    return {name: v for name, v in run.metrics.items() if name.startswith("ranking.")}


def test_several_at_a_time_come_to_the_same(benchmark, document, tmp_path):
    benchmark("tuned", "plain", "drawn")
    one = [figures(run) for run in document("drawn").runs]
    results = tmp_path / "others"
    outcome, _ = benchmark("tuned", "plain", "drawn", results=results, workers=3)
    assert outcome.failures == []
    found = ModelDocument.load(results / "toy-ro" / "drawn.json")
    assert [figures(run) for run in found.runs] == one


def test_another_harness_measures_anew(toys, protocol_of, monkeypatch):
    case = toys["plain"], protocol_of(), Budget()
    first = fingerprint_of(*case)
    monkeypatch.setattr(runs, "HARNESS", runs.HARNESS + 1)
    assert fingerprint_of(*case) != first


def test_the_fingerprint_is_of_what_decides_the_numbers(toys, protocol_of):
    plain, protocol, budget = toys["tuned"], protocol_of(), Budget()
    first = fingerprint_of(plain, protocol, budget)
    same = [
        (plain, replace(protocol, title="Another"), budget),
        (plain, protocol.shortened(2), budget),
        (replace(plain, source="elsewhere"), protocol, budget),
    ]
    assert {fingerprint_of(*case) for case in same} == {first}
    others = [
        (replace(plain, space=plain.space[1:]), protocol, budget),
        (replace(plain, settings=lambda: "x"), protocol, budget),
        (replace(plain, name="x"), protocol, budget),
        (plain, replace(protocol, refits_on_train_valid=True), budget),
        (plain, replace(protocol, seeds=(5, 6)), budget),
        (plain, replace(protocol, overrides=("features.metadata.dim=3",)), budget),
        (plain, protocol, Budget(seconds=1)),
    ]
    assert len({first, *(fingerprint_of(*case) for case in others)}) == len(others) + 1
    training = replace(protocol, overrides=("training.epochs=3",))
    apart = json.dumps(fingerprint_of(plain, training, budget))
    assert apart != json.dumps(first), "an override is part of the protocol"


class Sized:
    def __init__(self, config):
        self.config = config


def test_the_fingerprint_is_of_defaults_that_no_option_names(toys, protocol_of):
    plain, protocol, budget = toys["plain"], protocol_of(), Budget()
    one, same, other = (
        replace(plain, make=lambda *_, l2=l2: Sized(EaseConfig(l2=l2))) for l2 in (1.0, 1.0, 2.0)
    )
    found = [fingerprint_of(case, protocol, budget) for case in (one, same, other)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("changed", [{}, {"fingerprint": "of other settings"}])
def test_what_was_measured_on_other_movies_is_never_replaced(benchmark, tmp_path, changed):
    benchmark("plain")
    path = tmp_path / "results" / "toy-ro" / "plain.json"
    content = json.loads(path.read_text(encoding="utf-8")) | {"movies": "others"} | changed
    content["runs"] = content["runs"][:1]
    path.write_text(json.dumps(content), encoding="utf-8")
    before = path.read_bytes()
    outcome, _ = benchmark("plain")
    assert "other ratings or movies: delete it" in outcome.failures[0]
    assert path.read_bytes() == before


def test_time_left_is_guessed_from_like_fits(toys, protocol_of, tmp_path):
    rules = Rules(tmp_path, registry="bench_toys")
    protocols = [protocol_of(), protocol_of("leave-last")]
    states, _ = plan(protocols, ["plain", "drawn"], rules, lambda *_: None)
    plain, drawn, plain_later, drawn_later = states
    progress = Progress(states, workers=2)
    assert "left" not in progress.line("x"), "nothing is known yet"
    progress.add(plain, 10)
    assert progress.left() == 16 * 10 / 2
    progress.add(drawn, 100)
    assert progress.left() == (8 * 10 + 8 * 100) / 2, "by model, under other protocols too"
    progress.add(plain_later, 40)
    assert progress.left() == (4 * 10 + 4 * 40 + 8 * 100) / 2, "by its own, where there are some"
    drawn_later.failure = "x"
    assert progress.left() == (4 * 10 + 4 * 40 + 4 * 100) / 2
    assert str(timedelta(seconds=300)) in progress.line("x")
    assert progress.line("x").startswith("[3/")

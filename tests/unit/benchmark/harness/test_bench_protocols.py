from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.benchmark.ablations import EVERY_PROTOCOL
from recsys.benchmark.entries import ENTRIES, Entry
from recsys.benchmark.metrics import HEADLINE
from recsys.benchmark.protocols import PROTOCOLS, QUICK_PROTOCOLS, SplitSeed
from recsys.benchmark.split_data import BenchmarkData, configuration, located
from recsys.data.splits import SPLIT_NAMES
from recsys.errors import DataError
from recsys.recommenders.base import Facts


def entry(*, random=False, stops_early=False, **more):
    facts = Facts("statistics", "x", random=random, stops_early=stops_early)
    given = {"name": "x", "family": "classic", "tasks": frozenset({"warm", "rating"})}
    return Entry(**({"facts": facts, "make": None} | given | more))


def test_the_protocols_are_those_that_are_promised():
    assert set(PROTOCOLS) == {
        *("ml-ro", "ml-u", "ml-90-10", "ml-global-time", "ml-leave-last", "ml-cold"),
        *("ml-cold-users", "mmtf-ro", "mmtf-cold", "ml-1m", "ml-25m", "recbole-2020"),
    }
    assert list(PROTOCOLS)[-2:] == ["ml-1m", "ml-25m"], "large ones come last"
    assert set(QUICK_PROTOCOLS) < set(PROTOCOLS)
    folds = {fold for protocol in PROTOCOLS.values() for fold in protocol.folds}
    assert folds <= {*SPLIT_NAMES, "cold-users"}


def test_headlines_say_which_way_is_better():
    signs = {
        name: (protocol.headline.path, protocol.headline.sign)
        for name, protocol in PROTOCOLS.items()
    }
    assert signs["ml-ro"] == ("ranking.ndcg@10", 1)
    assert signs["ml-u"] == ("rating.rmse", -1)
    assert signs["ml-cold-users"] == ("ranking.ndcg@10/given-5", 1)


def test_ranking_has_ten_paired_seeds_where_the_split_is_drawn():
    for protocol in PROTOCOLS.values():
        if protocol.draws == "all" and protocol.name != "ml-25m":
            assert len(protocol.seeds) == 10
    assert PROTOCOLS["ml-ro"].seeds == tuple(range(2020, 2030))


def test_a_model_is_tuned_by_the_first_task_that_it_can_do():
    both = PROTOCOLS["ml-ro"]
    assert both.headline_of(entry()).path == "ranking.ndcg@10"
    stars = entry(tasks=frozenset({"rating"}))
    assert both.headline_of(stars) == HEADLINE["rating"]
    assert both.tasks_of(entry(tasks=frozenset({"cold"}))) == ()


def test_equal_runs_are_not_made_twice():
    drawn, fixed, folds = (PROTOCOLS[n] for n in ("ml-ro", "ml-leave-last", "ml-u"))
    assert len(drawn.splits_of(entry())) == 10
    assert len(fixed.splits_of(entry())) == 1
    assert len(fixed.splits_of(entry(random=True))) == 3
    assert folds.splits_of(entry()) == tuple(SplitSeed(f"u{k}", 2020) for k in range(1, 6))
    assert len(folds.splits_of(entry(random=True))) == 10
    assert len(folds.splits_of(entry(stops_early=True))) == 10, "valid is drawn, and left out"


def test_fewer_seeds_are_tuned_on_the_same_split():
    whole = PROTOCOLS["ml-u"]
    short = whole.shortened(1, 2)
    assert short.splits_of(entry(random=True)) == (SplitSeed("u1", 2020), SplitSeed("u2", 2020))
    assert short.tuning_split == whole.tuning_split
    assert whole.shortened() == whole


def test_every_base_can_be_read():
    for protocol in PROTOCOLS.values():
        for base in protocol.bases:
            assert configuration(replace(protocol, bases=(base,))).data.name


def test_the_first_base_whose_sources_are_there_is_taken(protocol_of, toy_folder, tmp_path):
    richer = tmp_path / "richer.yaml"
    richer.write_text(
        f"extends: {toy_folder / 'toy.yaml'}\nsources: {{posters: {{path: $NOWHERE_AT_ALL/p}}}}\n"
    )
    bases = (str(richer), str(toy_folder / "toy.yaml"))
    assert located(protocol_of(bases=bases)).bases == bases[1:]
    posters = tmp_path / "posters"
    posters.mkdir()
    richer.write_text(
        f"extends: {toy_folder / 'toy.yaml'}\nsources: {{posters: {{path: {posters}}}}}\n"
    )
    assert located(protocol_of(bases=bases)).bases == bases[:1]


def test_absent_data_is_told_in_a_line(protocol_of, tmp_path):
    with pytest.raises(DataError, match="data is not there") as caught:
        located(protocol_of(data_dir=str(tmp_path)))
    assert "toy.yaml" in str(caught.value)
    with pytest.raises(DataError):
        located(protocol_of(data_dir="$NO_SUCH_VARIABLE/mmtf-14k"))


def test_mmtf_is_looked_for_where_the_real_data_is(monkeypatch, tmp_path):
    monkeypatch.setenv("RECSYS_REAL_DATA", str(tmp_path))
    assert PROTOCOLS["mmtf-ro"].folder == tmp_path / "mmtf-14k"


@pytest.mark.realdata
def test_real_protocols_find_their_data(real_data, monkeypatch):
    monkeypatch.setenv("RECSYS_REAL_DATA", str(real_data))
    monkeypatch.setenv("RECSYS_DATA_DIR", str(real_data))
    for name in ("ml-ro", "mmtf-cold"):
        found = located(PROTOCOLS[name])
        assert found.bases == PROTOCOLS[name].bases[:1]
    assert np.isin(["ml-100k-multimodal"], located(PROTOCOLS["ml-u"]).bases).all()


def test_every_variant_is_another_configuration_and_has_a_row_of_its_own():
    for protocol in EVERY_PROTOCOL.values():
        rows = [one.name for one in protocol.own]
        assert len(set(rows)) == len(rows)
        assert all(protocol.tasks_of(one) for one in protocol.own)
        joint = [one for one in protocol.own if one.model == "joint"]
        made = {(repr(one.make({}, 1).config), one.keeps) for one in joint}
        assert len(made) == len(joint)


def test_who_is_left_out_is_a_model_and_is_asked_nothing():
    by_name = {entry.name: entry for entry in ENTRIES}
    left_out = [(p, name) for p in PROTOCOLS.values() for name in p.excludes]
    assert left_out
    for protocol, name in left_out:
        assert protocol.tasks_of(by_name[name]) == ()
        assert set(protocol.tasks) & by_name[name].tasks, "leaving it out changes nothing"


def test_everybody_is_measured_somewhere():
    for entry in ENTRIES:
        assert any(protocol.tasks_of(entry) for protocol in PROTOCOLS.values())


def test_where_nothing_is_tuned_the_first_configuration_is_taken():
    from recsys.benchmark.runs import RunState
    from recsys.benchmark.tuning import Budget

    protocol = PROTOCOLS["recbole-2020"]
    asked = [one for one in ENTRIES if protocol.tasks_of(one)]
    assert {one.family for one in asked} == {"recbole", "ours"}
    for one in asked:
        state = RunState(one, protocol, Budget(), Path("nowhere"))
        assert state.is_tuned
        seeds = protocol.seeds if one.facts.random else protocol.seeds[:1]
        assert [split.seed for split in state.missing()] == list(seeds)
        assert all(job.hyper_parameters == one.space[0] for job in state.jobs())


def test_one_split_may_serve_every_seed(protocol_of):
    drawn, kept = (BenchmarkData.of(protocol_of(split_seed=seed)) for seed in (None, 2))
    first, second = (kept.split(SplitSeed("ro", seed)).split for seed in (1, 2))
    assert (
        first.fingerprint == second.fingerprint == drawn.split(SplitSeed("ro", 2)).split.fingerprint
    )
    assert first.fingerprint != drawn.split(SplitSeed("ro", 1)).split.fingerprint

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recsys.benchmark.contender import Contender
from recsys.benchmark.grounds import Material, configuration, located

from recsys.benchmark.protocols import HEADLINES, PROTOCOLS, QUICK_PROTOCOLS, Cell
from recsys.data.splits import SPLIT_NAMES
from recsys.errors import DataError


def contender(**more):
    given = {"name": "x", "family": "classic", "tasks": frozenset({"warm", "rating"}), "make": None}
    return Contender(**(given | more))


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
        name: (protocol.headline.name, protocol.headline.sign)
        for name, protocol in PROTOCOLS.items()
    }
    assert signs["ml-ro"] == ("ndcg@10", 1)
    assert signs["ml-u"] == ("rmse", -1)
    assert signs["ml-cold-users"] == ("ndcg@10/likes=5", 1)


def test_ranking_has_ten_paired_seeds_where_the_division_is_drawn():
    for protocol in PROTOCOLS.values():
        if protocol.draws == "all" and protocol.name != "ml-25m":
            assert len(protocol.seeds) == 10
    assert PROTOCOLS["ml-ro"].seeds == tuple(range(2020, 2030))


def test_a_contender_is_tuned_by_the_first_task_that_it_can_do():
    both = PROTOCOLS["ml-ro"]
    assert both.headline_of(contender()).name == "ndcg@10"
    stars = contender(tasks=frozenset({"rating"}))
    assert both.headline_of(stars) == HEADLINES["rating"]
    assert both.tasks_of(contender(tasks=frozenset({"cold"}))) == ()


def test_equal_runs_are_not_made_twice():
    drawn, fixed, folds = (PROTOCOLS[n] for n in ("ml-ro", "ml-leave-last", "ml-u"))
    assert len(drawn.cells_of(contender())) == 10
    assert len(fixed.cells_of(contender())) == 1
    assert len(fixed.cells_of(contender(random=True))) == 3
    assert folds.cells_of(contender()) == tuple(Cell(f"u{k}", 2020) for k in range(1, 6))
    assert len(folds.cells_of(contender(random=True))) == 10
    assert len(folds.cells_of(contender(stops_early=True))) == 10, "valid is drawn, and left out"


def test_fewer_seeds_are_tuned_on_the_same_division():
    whole = PROTOCOLS["ml-u"]
    short = whole.shortened(1, 2)
    assert short.cells_of(contender(random=True)) == (Cell("u1", 2020), Cell("u2", 2020))
    assert short.tuning_cell == whole.tuning_cell
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


def test_who_is_left_out_is_a_contender_and_is_asked_nothing():
    from recsys.benchmark.contenders import CONTENDERS

    by_name = {contender.name: contender for contender in CONTENDERS}
    left_out = [(p, name) for p in PROTOCOLS.values() for name in p.leaves_out]
    assert left_out
    for protocol, name in left_out:
        assert protocol.tasks_of(by_name[name]) == ()
        assert set(protocol.tasks) & by_name[name].tasks, "leaving it out changes nothing"


def test_everybody_is_measured_somewhere():
    from recsys.benchmark.contenders import CONTENDERS

    for contender in CONTENDERS:
        assert any(protocol.tasks_of(contender) for protocol in PROTOCOLS.values())


def test_where_nothing_is_tuned_the_first_point_is_taken():
    from recsys.benchmark.contenders import CONTENDERS
    from recsys.benchmark.standing import Standing

    from recsys.benchmark.tuning import Budget

    protocol = PROTOCOLS["recbole-2020"]
    asked = [one for one in CONTENDERS if protocol.tasks_of(one)]
    assert {one.family for one in asked} == {"recbole", "ours"}
    for one in asked:
        standing = Standing(one, protocol, Budget(), Path("nowhere"))
        assert standing.is_tuned
        seeds = protocol.seeds if one.random else protocol.seeds[:1]
        assert [cell.seed for cell in standing.missing()] == list(seeds)
        assert all(job.options == one.space[0] for job in standing.jobs())


def test_one_division_may_serve_every_seed(protocol_of):
    drawn, kept = (Material.of(protocol_of(split_seed=seed)) for seed in (None, 2))
    first, second = (kept.ground(Cell("ro", seed)).split for seed in (1, 2))
    assert first.fingerprint == second.fingerprint == drawn.ground(Cell("ro", 2)).split.fingerprint
    assert first.fingerprint != drawn.ground(Cell("ro", 1)).split.fingerprint

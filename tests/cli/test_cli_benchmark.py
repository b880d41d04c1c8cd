from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from recsys.benchmark import ablations, protocols
from recsys.benchmark.protocols import Protocol
from recsys.benchmark.results import ModelDocument

CONFIG = """
name: toy
data: {name: tiny}
features: {text: null, metadata: {dim: 4}, poster: null}
evaluation: {ks: [5, 10], block: 16}
"""


@pytest.fixture
def toy(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of results; the only protocols there are, are on the tiny data set."""
    pytest.importorskip("sklearn", reason="movies are encoded, which needs the train extra")
    config = tmp_path / "toy.yaml"
    config.write_text(CONFIG, encoding="utf-8")

    def protocol(name: str, *tasks: Any, fold: str) -> Protocol:
        data = str(tiny_data)
        return Protocol(name, name, tasks, (fold,), (str(config),), (1, 2, 3), data_dir=data)

    found = [
        protocol("toy-ro", "warm", "rating", fold="ro"),
        protocol("toy-cold", "cold", fold="cold-items"),
    ]
    known = MappingProxyType({p.name: p for p in found})
    monkeypatch.setattr(protocols, "PROTOCOLS", known)
    monkeypatch.setattr(ablations, "EVERY_PROTOCOL", known)
    monkeypatch.setattr(protocols, "QUICK_PROTOCOLS", ("toy-ro",))
    return tmp_path / "results"


def test_protocols_and_models_are_listed(run: Any, toy: Path) -> None:
    listed = json.loads(run("benchmark", "list", "--format", "json").stdout)
    assert [entry["name"] for entry in listed["protocols"]] == ["toy-ro", "toy-cold"]
    assert listed["protocols"][0]["compared_by"] == "NDCG@10"
    names = {entry["name"]: entry for entry in listed["models"]}
    assert {"joint", "ease", "popularity"} <= set(names)
    assert names["ease"]["configurations"] > 1
    table = run("benchmark", "list").stdout
    assert "toy-cold" in table
    assert "content-knn-plain:text" in table


def test_what_is_measured_is_kept_and_progress_goes_to_stderr(run: Any, toy: Path) -> None:
    asked = ("benchmark", "run", "--protocols", "toy-ro", "--models", "popularity,global-mean")
    options = ("--seeds", 1, "--results", toy)
    done = run(*asked, *options)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "[4/4" in done.stderr, "a permutation test and a run each"
    assert sorted(path.name for path in toy.rglob("*.json")) == [
        "global-mean.json",
        "popularity.json",
    ]
    document = ModelDocument.load(toy / "toy-ro" / "popularity.json")
    assert [run.seed for run in document.runs] == [1]
    assert "measured  0 fits" in run(*asked, *options).stderr


def test_quick_results_have_a_folder_of_their_own(run: Any, toy: Path) -> None:
    done = run("benchmark", "run", "--quick", "--models", "ease", "--results", toy)
    assert done.exit_code == 0, done.output
    (path,) = toy.rglob("*.json")
    assert path == toy / "quick" / "toy-ro" / "ease.json"
    document = ModelDocument.load(path)
    assert [run.seed for run in document.runs] == [1, 2]
    assert (document.tuning.trials, document.tuning.max_trials) == ([], 1)


def test_a_failure_is_told_at_the_end_and_by_the_exit_code(run: Any, toy: Path) -> None:
    options = ("--models", "content-knn-plain,random", "--seeds", 1, "--results", toy)
    bad = toy / "toy-cold" / "content-knn-plain.json"
    bad.parent.mkdir(parents=True)
    bad.write_text("no document", encoding="utf-8")
    done = run("benchmark", "run", "--protocols", "toy-cold", *options)
    assert done.exit_code == 1
    assert "error: not measured: toy-cold content-knn-plain" in done.stderr
    assert (toy / "toy-cold" / "random.json").is_file()


def test_patterns_stand_for_names(run: Any, toy: Path) -> None:
    found = run(
        *("benchmark", "run", "--protocols", "toy-c*", "--models", "content-knn-plain:*"),
        *("--max-hours", 0, "--results", toy),
    )
    assert found.exit_code == 0, found.output
    assert "content-knn-plain:poster: passed over: no poster here" in found.stderr
    assert "fits are left" in found.stderr


@pytest.mark.parametrize(
    ("option", "value", "close"),
    [("--protocols", "toy-rro", "toy-ro"), ("--models", "eese", "ease")],
)
def test_an_unknown_name_is_told_with_the_nearest(
    run: Any, toy: Path, option: str, value: str, close: str
) -> None:
    done = run("benchmark", "run", option, value, "--results", toy)
    assert done.exit_code == 2
    assert value in done.stderr
    assert close in done.stderr

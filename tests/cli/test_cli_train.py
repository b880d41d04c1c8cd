from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.bundle import load_bundle
from recsys.cli import train as verb
from recsys.config.experiment import ExperimentConfig

pytest.importorskip("torch", reason="training needs torch")


def test_bundle_log_and_measurements_are_left(trained: Any) -> None:
    contents = load_bundle(trained.bundle).contents
    assert contents.config.training.epochs == 2
    epochs = [json.loads(line)["epoch"] for line in trained.log.read_text().splitlines()]
    assert epochs == [1, 2]
    assert json.loads(trained.result.stdout) == json.loads(
        contents.metrics.model_dump_json(exclude={"overall"})
    )


def test_progress_is_on_standard_error_alone(trained: Any) -> None:
    told = trained.result.stderr
    topics = [line.split()[0] for line in told.splitlines()]
    assert topics == [
        "note:",
        "data",
        "split",
        "text",
        "metadata",
        "training",
        "epoch",
        "bundle",
        "log",
    ]
    assert "tiny, not ml-100k" in told
    assert str(trained.log) in told
    assert trained.result.stdout.startswith("{")


def test_log_and_bundle_are_replaced_together(
    run: Any, tiny_data: Path, tiny_options: Any, tmp_path: Path
) -> None:
    out, log = tmp_path / "b", tmp_path / "b.log.jsonl"
    first = run("train", "--data", tiny_data, "--out", out, "--split", "all", *tiny_options)
    assert first.exit_code == 0
    assert first.stdout == ""
    assert "nothing was measured" in first.stderr
    before = load_bundle(out).manifest.version
    epoch = ("--set", "training.epochs=1", "--format", "json")
    assert run("train", "--data", tiny_data, "--out", out, *tiny_options, *epoch).exit_code == 0
    assert load_bundle(out).manifest.version != before
    assert len(log.read_text().splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "b.log.jsonl"]


def test_a_failed_training_leaves_what_was_there(
    run: Any, trained: Any, tiny_data: Path, tiny_options: Any
) -> None:
    before = trained.log.read_text()
    wrong = ("--set", 'training.monitor={"ndcg@99": 1.0}')
    result = run("train", "--data", tiny_data, "--out", trained.bundle, *tiny_options, *wrong)
    assert result.exit_code != 0
    assert "ndcg@99" in result.stderr
    assert trained.log.read_text() == before
    assert load_bundle(trained.bundle)


def test_all_of_the_split_may_be_json(
    run: Any, tiny_data: Path, tiny_options: Any, tmp_path: Path
) -> None:
    options = ("--split", "all", "--format", "json", *tiny_options)
    result = run("train", "--data", tiny_data, "--out", tmp_path / "b", *options)
    assert json.loads(result.stdout) is None


def _resolved(run: Any, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> ExperimentConfig:
    seen: list[ExperimentConfig] = []
    monkeypatch.setattr(verb, "_run", lambda experiment, *_: seen.append(experiment))
    monkeypatch.setattr(verb, "_show", lambda *_: None)
    assert run("train", *arguments).exit_code == 0
    return seen[0]


def test_seed_is_of_training_and_split(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = _resolved(run, monkeypatch, "--seed", 5, "--split", "u1")
    assert (config.seed, config.split.seed, config.split.name) == (5, 5, "u1")


def test_set_wins_over_seed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = _resolved(run, monkeypatch, "--seed", 5, "--set", "split.seed=6")
    assert (config.seed, config.split.seed) == (5, 6)


def test_default_seeds_are_those_of_the_configuration(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _resolved(run, monkeypatch) == ExperimentConfig()


def test_bad_rows_are_refused_unless_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _resolved(run, monkeypatch).data.on_bad_row == "error"
    config = _resolved(run, monkeypatch, "--on-bad-row", "quarantine")
    assert config.data.on_bad_row == "quarantine"


def test_a_stated_data_set_is_not_exchanged(
    run: Any, monkeypatch: pytest.MonkeyPatch, tiny_data: Path
) -> None:
    stated = _resolved(run, monkeypatch, "--data", tiny_data, "--set", "data.name=ml-1m")
    assert stated.data.name == "ml-1m"
    assert _resolved(run, monkeypatch, "--data", tiny_data).data.name == "tiny"


def test_a_folder_of_something_else_is_refused_before_any_work(run: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    result = run("train", "--data", tmp_path / "nowhere", "--out", tmp_path, "--set", "data.name=x")
    assert result.exit_code == 4
    assert "not a bundle" in result.stderr
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_missing_library_names_its_extra(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = run("train")
    assert result.exit_code == 2
    assert "recsys[train]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["--config", "defualt"], 2, "default"),
        (["--set", "training.epoch=3"], 2, "epochs"),
        (["--set", "training.epochs"], 2, "section.key=value"),
        (["--seed", "x"], 2, "seed"),
        (["--data", "nowhere", "--out", "b"], 3, "nowhere"),
    ],
)
def test_what_cannot_be_trained_is_named(
    run: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("train", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert named in result.stderr


def test_files_beside_a_bundle() -> None:
    assert verb.beside(Path("runs/x"), ".log.jsonl") == Path("runs/x.log.jsonl")
    assert verb.beside(Path("runs/x/"), ".results.json") == Path("runs/x.results.json")

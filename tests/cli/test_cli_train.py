from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from recsys.cli import train as verb
from recsys.config.experiment import ExperimentConfig
from recsys.recommenders.saving import load

pytest.importorskip("torch", reason="training needs torch")


def test_bundle_log_and_measurements_are_left(trained: Any) -> None:
    contents = load(trained.bundle).contents
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
    assert "nothing was evaluated" in first.stderr
    before = load(out).manifest.version
    epoch = ("--set", "training.epochs=1", "--format", "json")
    assert run("train", "--data", tiny_data, "--out", out, *tiny_options, *epoch).exit_code == 0
    assert load(out).manifest.version != before
    assert len(log.read_text().splitlines()) == 1
    board = ["b.tensorboard"] if find_spec("tensorboard") else []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "b.log.jsonl", *board]


def test_a_failed_training_leaves_what_was_there(
    run: Any, trained: Any, tiny_data: Path, tiny_options: Any
) -> None:
    before = trained.log.read_text()
    wrong = ("--set", 'training.monitor={"ndcg@99": 1.0}')
    result = run("train", "--data", tiny_data, "--out", trained.bundle, *tiny_options, *wrong)
    assert result.exit_code != 0
    assert "ndcg@99" in result.stderr
    assert trained.log.read_text() == before
    assert load(trained.bundle)
    assert not verb.beside(trained.bundle, ".checkpoint").exists()


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
    monkeypatch.setattr(verb, "find_spec", lambda _: None)
    result = run("train")
    assert result.exit_code == 2
    assert "recsys[train]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["--config", "defualt"], 2, "default"),
        (["--set", "training.epoch=3"], 2, "epochs"),
        (["--set", "training.epochs"], 2, "key=value"),
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


def test_files_beside_a_bundle_that_is_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path / "x")
    assert verb.beside(Path(), ".results.json") == tmp_path.resolve() / "x.results.json"


def test_files_beside_a_bundle() -> None:
    assert verb.beside(Path("runs/x"), ".log.jsonl") == Path("runs/x.log.jsonl")
    assert verb.beside(Path("runs/x/"), ".results.json") == Path("runs/x.results.json")


class KilledError(Exception):
    pass


@pytest.fixture
def cut_off(
    run: Any, tiny_data: Path, tiny_options: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Runs ``recsys train``, which fails with ``error`` in its first or a later epoch."""

    def train(*arguments: object, in_epoch: int | None = None, error: type = KilledError) -> Any:
        from recsys.recommenders.joint.training.loop import _Loop

        original = _Loop._record

        def record(self: Any) -> dict[str, float]:
            if self.state.epoch == in_epoch:
                raise error
            return original(self)

        with monkeypatch.context() as patch:
            patch.setattr(_Loop, "_record", record)
            seconds = ("--set", "training.checkpoint_seconds=0")
            given = ("--data", tiny_data, "--out", tmp_path / "b", *tiny_options, *seconds)
            return run("train", *given, *arguments)

    return train


def _weights(bundle: Path) -> bytes:
    return (bundle / "model.safetensors").read_bytes()


def test_a_training_that_was_cut_off_goes_on(cut_off: Any, tmp_path: Path) -> None:
    checkpoint, log = tmp_path / "b.checkpoint", tmp_path / "b.log.jsonl"
    assert cut_off().exit_code == 0
    expected, records = _weights(tmp_path / "b"), log.read_text()
    assert cut_off(in_epoch=2).exit_code == 1
    assert (checkpoint / "checkpoint.json").is_file()
    assert len((checkpoint / "log.jsonl").read_text().splitlines()) == 1
    result = cut_off("--resume")
    assert result.exit_code == 0
    assert "after 1 epochs and" in result.stderr
    assert _weights(tmp_path / "b") == expected
    assert log.read_text() == records
    assert not checkpoint.exists()


def test_resuming_nothing_starts_and_says_so(cut_off: Any, tmp_path: Path) -> None:
    result = cut_off("--resume")
    assert result.exit_code == 0
    assert "there is no checkpoint" in result.stderr
    assert "starts from the beginning" in result.stderr


def test_what_was_cut_off_is_discarded_without_resume(cut_off: Any, tmp_path: Path) -> None:
    assert cut_off(in_epoch=2).exit_code == 1
    result = cut_off("--seed", 3)
    assert result.exit_code == 0
    assert "is discarded when training starts" in result.stderr
    assert not (tmp_path / "b.checkpoint").exists()


def test_another_training_does_not_go_on_from_it(cut_off: Any, tmp_path: Path) -> None:
    assert cut_off(in_epoch=2).exit_code == 1
    result = cut_off("--resume", "--seed", 3)
    assert result.exit_code == 2
    assert "seed: 0 there, 3 here" in result.stderr
    assert (tmp_path / "b.checkpoint" / "checkpoint.json").is_file()


def test_a_torn_checkpoint_is_refused_before_any_work(cut_off: Any, tmp_path: Path) -> None:
    assert cut_off(in_epoch=2).exit_code == 1
    document = tmp_path / "b.checkpoint" / "checkpoint.json"
    document.write_bytes(document.read_bytes()[:-9])
    result = cut_off("--resume")
    assert result.exit_code == 3
    assert str(document) in result.stderr
    assert "data " not in result.stderr
    assert cut_off().exit_code == 0


def test_ctrl_c_says_how_to_go_on(cut_off: Any) -> None:
    result = cut_off(in_epoch=2, error=KeyboardInterrupt)
    assert result.exit_code == 130
    assert "the same command with --resume goes on" in result.stderr


def test_ctrl_c_before_there_is_anything_to_go_on_from(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.cli.stages.ready_split", interrupted)
    result = run("train", "--out", tmp_path / "b")
    assert result.exit_code == 130
    assert "--resume" not in result.stderr
    assert list(tmp_path.glob("b*")) == []


def test_a_gpu_that_is_not_there_is_refused_before_any_work(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = run(
        "train",
        "--data",
        "nowhere",
        "--out",
        tmp_path / "b",
        "--set",
        "training.device=cuda",
        "--set",
        "data.name=x",
    )
    assert result.exit_code == 2
    assert "training.device=auto or cpu" in result.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is a signal elsewhere")
def test_a_real_ctrl_c_keeps_the_state(tiny_data: Path, tiny_options: Any, tmp_path: Path) -> None:
    log = tmp_path / "b.checkpoint" / "log.jsonl"
    long = ("--set", "training.epochs=100000", "--set", "training.patience=100000")
    command = ("train", "--data", tiny_data, "--out", tmp_path / "b", *tiny_options, *long)
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen(
        [sys.executable, "-m", "recsys", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        # A suite that runs in the background of a shell passes on that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        while process.poll() is None and not (log.is_file() and log.stat().st_size):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
    assert process.returncode == 130, told
    assert "the same command with --resume goes on" in told
    assert (tmp_path / "b.checkpoint" / "checkpoint.json").is_file()

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.recommenders.saving import load

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("optuna", reason="the search needs optuna")

SPACE = "training.learning_rate: {low: 0.001, high: 0.01, log: true}\nfusion.kind: {choices: [sum]}"


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "space.yaml"
    path.write_text(SPACE)
    return path


@pytest.fixture
def tune(run: Any, tiny_data: Path, tiny_options: Any, space: Path, tmp_path: Path) -> Any:
    def _tune(*arguments: object) -> Any:
        given = ("--data", tiny_data, "--space", space, "--out", tmp_path / "study")
        return run("tune", *given, *tiny_options, *arguments)

    return _tune


def test_the_best_configuration_can_be_trained(
    run: Any, tune: Any, tiny_data: Path, tmp_path: Path
) -> None:
    result = tune("--trials", 2, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found == json.loads((tmp_path / "study" / "tuning.json").read_text())
    assert (found["schema_version"], found["spent"]["trials"]) == (1, 2)
    best = tmp_path / "study" / "best.yaml"
    trained = run("train", "--config", best, "--data", tiny_data, "--out", tmp_path / "b")
    assert trained.exit_code == 0, trained.output
    rate = load(tmp_path / "b").contents.config.training.learning_rate
    assert rate == found["trials"][found["best"]]["values"]["training.learning_rate"]


def test_the_table_shows_the_best_trials_side_by_side(tune: Any) -> None:
    result = tune("--trials", 2)
    title, head, _, *rows = result.stdout.splitlines()
    assert "best on valid of split ro, seed 2020, of 2 trials" in title
    assert sorted(head.split()) == ["0", "1", "trial", "trial"]
    names = [row.split()[0] for row in rows]
    keys = ["training.learning_rate", "fusion.kind"]
    assert names == ["score", "ndcg@10", "rmse", "seconds", *keys]
    assert float(rows[0].split()[1]) >= float(rows[0].split()[2])


def test_progress_is_on_standard_error_alone(tune: Any) -> None:
    told = tune("--trials", 1, "--format", "json").stderr.splitlines()
    topics = [line.split()[0] for line in told]
    assert topics == ["note:", "data", "split", "text", "metadata", "trial", "best"]
    assert "number 0 complete, score" in told[-2]
    assert "the best so far (1 of 1)" in told[-2]


def test_interrupted_it_can_be_resumed(tune: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from recsys.recommenders.joint.recommender import JointRecommender

    train, calls = JointRecommender._fit, []

    def once_only(self: JointRecommender, data: Any) -> Any:
        calls.append(data)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return train(self, data)

    monkeypatch.setattr(JointRecommender, "_fit", once_only)
    result = tune("--trials", 2)
    assert (result.exit_code, result.stdout) == (130, "")
    assert "--resume" in result.stderr
    monkeypatch.undo()
    assert tune("--trials", 2).exit_code == 2
    again = tune("--trials", 2, "--resume", "--format", "json")
    assert again.exit_code == 0, again.output
    states = [trial["state"] for trial in json.loads(again.stdout)["trials"]]
    assert states == ["complete", "interrupted", "complete"]


def test_another_configuration_does_not_resume(tune: Any) -> None:
    assert tune("--trials", 1).exit_code == 0
    result = tune("--trials", 1, "--resume", "--seed", 3)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "another configuration" in result.stderr


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("training.epoch: {low: 1, high: 2, int: true}", "did you mean 'epochs'?"),
        ("training.epochs: {low: 0, high: 2, int: true}", "training.epochs: "),
        ("seed: {low: 0, high: 2, int: true}", "evaluated by"),
        ("training.epochs: 3", "choices"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_before_any_work(
    tune: Any, space: Path, content: str, named: str, tmp_path: Path
) -> None:
    space.write_text(content)
    result = tune("--trials", 1)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr
    assert not [line for line in result.stderr.splitlines() if line.startswith("data")]
    assert not (tmp_path / "study").exists()


def test_an_unknown_space_names_the_nearest(run: Any) -> None:
    result = run("tune", "--space", "jiont")
    assert result.exit_code == 2
    assert "joint" in result.stderr


def test_the_budget_has_a_default(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    from recsys.cli import tune as verb

    budgets = []

    def stopped(_: object, space: str, budget: Any, *rest: object) -> None:
        budgets.append(budget)
        raise KeyboardInterrupt

    monkeypatch.setattr(verb, "_run", stopped)
    for options in ((), ("--trials", 3), ("--seconds", 60), ("--trials", 3, "--seconds", 60)):
        assert run("tune", *options).exit_code == 130
    found = [(budget.trials, budget.seconds) for budget in budgets]
    assert found == [(30, None), (3, None), (None, 60.0), (3, 60.0)]


def test_missing_library_names_its_extra(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from recsys.cli import tune as verb

    monkeypatch.setattr(verb, "find_spec", lambda _: None)
    result = run("tune")
    assert result.exit_code == 2
    assert "recsys[tune]" in result.stderr

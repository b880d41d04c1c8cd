from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import load_experiment
from recsys.resources import names, read_text


def test_default_configuration_is_the_defaults_of_the_code() -> None:
    assert load_experiment("default") == ExperimentConfig()


def test_default_configuration_spells_everything_out() -> None:
    stated = yaml.safe_load(read_text("configs", "default.yaml"))
    assert stated == ExperimentConfig().model_dump(mode="json")
    assert _keys(stated) == _keys(ExperimentConfig().model_dump(mode="json"))


def _keys(tree: Any) -> Any:
    """Names in their order, at every depth."""
    return [(key, _keys(value)) for key, value in tree.items()] if isinstance(tree, dict) else []


def test_every_rating_may_count() -> None:
    config = load_experiment("all-ratings")
    assert config.user.liked_min_rating == 1
    assert config.user.rating_slope > 0


def test_list_names_every_configuration_and_what_it_is(run: Any) -> None:
    lines = run("config", "list").stdout.splitlines()[2:]
    assert [f"{line.split()[0]}.yaml" for line in lines] == names("configs")
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("name", [n.removesuffix(".yaml") for n in names("configs")])
def test_what_is_shown_can_be_read_again(run: Any, tmp_path: Path, name: str) -> None:
    shown = run("config", "show", name, "--set", "training.epochs=3").stdout
    (tmp_path / "again.yaml").write_text(shown, encoding="utf-8")
    expected = load_experiment(name, ["training.epochs=3"])
    assert load_experiment(tmp_path / "again.yaml") == expected


def test_validate(run: Any, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("name: mine\ntraining: {epochs: 3}\n")
    bad.write_text("training: {epoch: 3}\n")
    assert "mine" in run("config", "validate", good).stdout
    result = run("config", "validate", bad)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'epochs'?" in result.stderr
    assert run("config", "validate", tmp_path / "none.yaml").exit_code == 2

"""Configurations that start from another one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from recsys import resources
from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import dump_experiment, load_experiment, read_extended, read_mapping
from recsys.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def _write(name: str, **content: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content))
        return path

    return _write


def refusal(source) -> str:
    with pytest.raises(ConfigError) as caught:
        load_experiment(source)
    return str(caught.value)


def test_mappings_merge_and_everything_else_replaces(write):
    write("base.yaml", a={"x": 1, "y": {"p": 1, "q": 2}}, b=[1, 2], c=3, d={"x": 1}, e=None, f=5)
    path = write(
        "mine.yaml",
        extends="base.yaml",
        a={"y": {"q": 7, "r": 8}, "z": 9},
        b=[5],
        d=None,
        e={"x": 1},
        f={"x": 2},
    )
    assert read_extended(path) == {
        "a": {"x": 1, "y": {"p": 1, "q": 7, "r": 8}, "z": 9},
        "b": [5],
        "c": 3,
        "d": None,
        "e": {"x": 1},
        "f": {"x": 2},
    }


def test_a_shipped_configuration_is_extended_by_its_name(write):
    path = write("mine.yaml", extends="all-ratings", training={"epochs": 3})
    assert load_experiment(path) == load_experiment("all-ratings", ["training.epochs=3"])


def test_overrides_win_over_all_of_a_chain(write):
    write("base.yaml", seed=1, training={"epochs": 2, "batch_size": 3})
    write("middle.yaml", extends="base.yaml", training={"epochs": 4})
    path = write("mine.yaml", extends="middle.yaml", seed=5)
    found = load_experiment(path, ["training.batch_size=6"])
    assert (found.seed, found.training.epochs, found.training.batch_size) == (5, 4, 6)


def test_files_are_looked_for_from_the_one_that_names_them(write, tmp_path, monkeypatch):
    write("base.yaml", seed=8)
    write("deep/middle.yaml", extends="../base.yaml")
    path = write("mine.yaml", extends="deep/middle.yaml")
    monkeypatch.chdir(tmp_path / "deep")
    assert load_experiment(path).seed == 8
    assert load_experiment(Path("..") / "mine.yaml").seed == 8


def test_an_absolute_path_is_taken_as_it_is(write, tmp_path):
    base = write("elsewhere/base.yaml", seed=8)
    assert load_experiment(write("mine.yaml", extends=str(base))).seed == 8


def test_a_shipped_configuration_extends_no_file_of_the_working_folder(
    tmp_path, monkeypatch, write
):
    folder = tmp_path / "configs"
    write("configs/quick.yaml", extends="base")
    write("configs/base.yaml", seed=3)
    (tmp_path / "base").write_text("seed: 4")
    monkeypatch.setattr(resources, "material", lambda _: folder)
    monkeypatch.chdir(tmp_path)
    assert load_experiment("quick").seed == 3


def test_extends_is_no_part_of_an_experiment(write):
    config = load_experiment(write("mine.yaml", extends="default"))
    assert config == ExperimentConfig()
    assert "extends" not in dump_experiment(config)
    with pytest.raises(ConfigError, match="unknown key 'extends'"):
        load_experiment(overrides=["extends=default"])


def test_a_mapping_that_is_no_configuration_extends_nothing(write):
    assert read_mapping(write("space.yaml", extends="default")) == {"extends": "default"}


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_cycle_is_refused_and_spelt_out(write, length):
    names = [f"c{n}.yaml" for n in range(length)]
    paths = [
        write(name, extends=following)
        for name, following in zip(names, [*names[1:], names[0]], strict=True)
    ]
    message = refusal(paths[0])
    assert "extends itself" in message
    assert " extends ".join(map(str, [*paths, paths[0]])) in message


def test_a_cycle_is_seen_through_other_spellings_of_a_path(write):
    path = write("deep/mine.yaml", extends="../deep/mine.yaml")
    assert "extends itself" in refusal(path)


def test_extending_one_configuration_twice_is_no_cycle(write):
    write("base.yaml", seed=2)
    one, other = (write(name, extends="base.yaml") for name in ("one.yaml", "other.yaml"))
    assert load_experiment(one) == load_experiment(other)


@pytest.mark.parametrize("named", [None, "", 3, ["default"], {"name": "default"}])
def test_what_is_extended_is_one_name(write, named):
    message = refusal(write("mine.yaml", extends=named))
    assert f"extends is {named!r}" in message
    assert "mine.yaml" in message


def test_what_is_not_there_is_refused_by_the_file_that_names_it(write):
    message = refusal(write("mine.yaml", extends="absent.yaml"))
    assert "mine.yaml: extends 'absent.yaml': no configuration file at" in message
    assert "ml-100k-multimodal" in refusal(write("mine.yaml", extends="ml-100k-multimodel"))


def test_a_mistake_in_what_is_extended_names_its_file(write):
    (write("base.yaml").parent / "base.yaml").write_text("training: [")
    assert "base.yaml is not YAML" in refusal(write("mine.yaml", extends="base.yaml"))

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from recsys import resources
from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import load_experiment, with_values
from recsys.config.search import Choices, Interval, SearchSpace, load_space, space_names
from recsys.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def _write(content: str) -> Path:
        path = tmp_path / "space.yaml"
        path.write_text(content)
        return path

    return _write


def refusal(call, *args) -> str:
    with pytest.raises(ConfigError) as caught:
        call(*args)
    return str(caught.value)


def test_a_range_and_a_list_are_read(write):
    space = load_space(
        write(
            "training.learning_rate: {low: 1e-4, high: 1e-2, log: true}\n"
            "model.ranking_dim: {low: 8, high: 64, int: true}\n"
            "fusion.kind: {choices: [sum, gated]}\n"
        )
    )
    rate, dim, kind = space.root.values()
    assert rate == Interval(low=0.0001, high=0.01, log=True)
    assert (dim.low, dim.high, dim.whole, dim.log) == (8, 64, True, False)
    assert kind == Choices(choices=("sum", "gated"))
    space.require_fits(ExperimentConfig())


def test_a_choice_may_be_anything_a_configuration_holds(write):
    text = "features.text: {choices: [null, {backend: tfidf}]}\nevaluation.ks: {choices: [[5]]}"
    kinds = [dimension.choices for dimension in load_space(write(text)).root.values()]
    assert kinds == [(None, {"backend": "tfidf"}), ([5],)]


def test_what_is_written_is_read_again(write):
    space = load_space("joint")
    assert load_space(write(json.dumps(space.model_dump(mode="json")))) == space


def test_a_space_cannot_be_altered():
    with pytest.raises(ValueError, match="frozen"):
        load_space("joint").root["training.learning_rate"].low = 1


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{}", "at least 1 item"),
        ("", "at least 1 item"),
        ("seed: 3", "seed: "),
        ("seed: {low: 1}", "seed: high: Field required"),
        ("seed: {low: 1, high: 2, lgo: true}", "seed: lgo: "),
        ("seed: {low: 2, high: 2}", "not below"),
        ("seed: {low: 0, high: 2, log: true}", "no logarithm"),
        ("seed: {low: 0.5, high: 2, int: true}", "whole numbers"),
        ("seed: {low: .nan, high: 2}", "finite"),
        ("seed: {low: 1, high: .inf}", "finite"),
        ("seed: {choices: []}", "at least 1 item"),
        ("seed: {choices: [1, 2, 1]}", "there twice"),
        ("seed: {choices: [1, 2], low: 1}", "seed: low: "),
        ("seed: {choices: [2020-01-02]}", "seed: choices"),
        ("1: {low: 1, high: 2}", "1: "),
        ("- a", "a mapping is needed"),
        ("seed: [", "not YAML"),
    ],
)
def test_what_is_no_space_is_refused(write, content, named):
    path = write(content)
    message = refusal(load_space, path)
    assert message.startswith(str(path))
    assert named in message


def space_of(text: str) -> SearchSpace:
    return SearchSpace.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("training.epoch: {low: 1, high: 9, int: true}", "did you mean 'epochs'?"),
        ("trainning.epochs: {low: 1, high: 9, int: true}", "did you mean 'training'?"),
        ("training.epochs.x: {low: 1, high: 9}", "'epochs' is a value, not a section"),
        ("training.epochs: {low: 1, high: 9}", "training.epochs: "),  # not whole in between
        ("training.epochs: {low: 0, high: 9, int: true}", "training.epochs: "),
        ("training.history_dropout: {low: 0.5, high: 1.5}", "training.history_dropout: "),
        ("fusion.kind: {choices: [sum, gate]}", "fusion.kind: "),
        ("training.calibrate: {low: 0, high: 1}", "training.calibrate: "),
        ("training: {choices: [{epochs: 3}, {epoch: 3}]}", "did you mean 'epochs'?"),
    ],
)
def test_a_space_that_does_not_fit_is_refused(text, named):
    assert named in refusal(space_of(text).require_fits, ExperimentConfig())


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("seed", [0, 1]),
        ("data.name", ["ml-1m"]),
        ("split.seed", [1, 2]),
        ("split", [{"name": "u1"}]),
        ("evaluation.ks", [[5], [10]]),
        ("training.monitor", [{"rmse": -1}]),
        ("training.monitor.rmse", [-1, -2]),
        ("training", [{"monitor": {"rmse": -1}}]),
    ],
)
def test_what_trials_are_evaluated_by_is_not_searched(key, choices):
    space = SearchSpace.model_validate({key: {"choices": choices}})
    assert f"{key} changes what trials are evaluated by" in refusal(
        space.require_fits, ExperimentConfig()
    )


def test_a_space_is_held_against_the_very_experiment():
    space = space_of("features.text.hub: {choices: [a/b]}")
    space.require_fits(ExperimentConfig())
    tfidf = load_experiment(overrides=["features.text.backend=tfidf"])
    assert "give one of" in refusal(space.require_fits, tfidf)


def test_the_order_of_the_keys_is_no_part_of_the_fingerprint():
    one = space_of("{seed: {low: 1, high: 2}, name: {choices: [a]}}")
    other = space_of("{name: {choices: [a]}, seed: {high: 2, low: 1}}")
    assert one.fingerprint == other.fingerprint
    for changed in ("{choices: [b]}", "{choices: [a, b]}", "{low: 1, high: 2}"):
        different = space_of(f"{{seed: {{low: 1, high: 2}}, name: {changed}}}")
        assert different.fingerprint != one.fingerprint


@pytest.mark.parametrize("name", space_names())
def test_every_shipped_space_fits_the_default(name):
    load_space(name).require_fits(load_experiment("default"))


def test_spaces_are_no_configurations():
    assert "joint" in space_names()
    assert not {f"{name}.yaml" for name in space_names()} & set(resources.names("configs"))


def test_an_unknown_name_names_the_nearest():
    assert "did you mean: joint?" in refusal(load_space, "jiont")


@pytest.mark.parametrize("name", ["absent.yaml", "some/where"])
def test_a_file_that_is_not_there_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert refusal(load_space, name) == f"no configuration file at {name}"


def test_values_are_exchanged_and_the_others_kept():
    base = load_experiment(overrides=["seed=7", "training.epochs=4"])
    changed = with_values(base, {"training.epochs": 9, "user.rating_slope": 0.5}, "here")
    assert (changed.seed, changed.training.epochs, changed.user.rating_slope) == (7, 9, 0.5)
    assert base.training.epochs == 4
    assert with_values(base, {}, "here") == base


def test_a_section_goes_before_the_keys_inside_it():
    values = {"training.epochs": 9, "training": {"epochs": 3, "patience": 2}}
    loop = with_values(ExperimentConfig(), values, "here").training
    assert (loop.epochs, loop.patience) == (9, 2)


def test_values_that_do_not_fit_say_where_they_come_from():
    message = refusal(with_values, ExperimentConfig(), {"training.epochs": 0}, "trial 3")
    assert message.startswith("trial 3: training.epochs: ")

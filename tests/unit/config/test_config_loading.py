from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from recsys import resources
from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import REMOVED_KEYS, dump_experiment, load_experiment
from recsys.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def _write(content: str | bytes) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "quick.yaml").write_text("name: quick\ntraining:\n  epochs: 3\n")
    monkeypatch.setattr(resources, "material", lambda kind: tmp_path / kind)


def refusal(call, *args) -> str:
    with pytest.raises(ConfigError) as caught:
        call(*args)
    return str(caught.value)


def test_nothing_given_is_the_defaults():
    assert load_experiment() == ExperimentConfig()


def test_a_file_states_only_what_differs(write):
    found = load_experiment(write("seed: 7\nmodel:\n  ranking_dim: 3\n"))
    assert (found.seed, found.model.ranking_dim) == (7, 3)
    default = ExperimentConfig()
    changed = default.model.model_copy(update={"ranking_dim": 3})
    assert found == default.model_copy(update={"seed": 7, "model": changed})


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "---\n"])
def test_an_empty_file_is_the_defaults(write, content):
    assert load_experiment(write(content)) == ExperimentConfig()


def test_the_path_may_be_text(write):
    assert load_experiment(str(write("seed: 7"))).seed == 7


def test_an_override_wins_over_the_file(write):
    path = write("seed: 7\ntraining:\n  epochs: 4\n  batch_size: 9\n")
    found = load_experiment(path, ["training.epochs=5", "split.name=u1"])
    assert (found.seed, found.training.epochs, found.training.batch_size) == (7, 5, 9)
    assert found.split.name == "u1"


def test_the_last_of_two_overrides_wins():
    assert load_experiment(overrides=["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("training.learning_rate=5e-3", ("training", "learning_rate"), 0.005),
        ("training.monitor={rmse: -1}", ("training", "monitor"), {"rmse": -1.0}),
        ("evaluation.ks=[1, 3]", ("evaluation", "ks"), (1, 3)),
        ("features.text=null", ("features", "text"), None),
        ("features.text.backend=tfidf", ("features", "text", "backend"), "tfidf"),
        (" data.name = ml-1m", ("data", "name"), "ml-1m"),
        ("name=a=b", ("name",), "a=b"),
    ],
)
def test_the_value_of_an_override_is_yaml(override, path, value):
    found = load_experiment(overrides=[override])
    for part in path:
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize("override", ["training.epochs", "=3", " =3"])
def test_an_override_without_key_or_value_is_refused(override):
    assert "key=value" in refusal(load_experiment, None, [override])


def test_an_override_cannot_go_into_a_value(write):
    message = refusal(load_experiment, write("training: 3"), ["training.epochs=5"])
    assert "'training' is a value, not a section" in message


@pytest.mark.parametrize(
    ("key", "closest"),
    [
        ("trainning", "training"),
        ("training.epoch", "epochs"),
        ("training.learningrate", "learning_rate"),
        ("losses.rankin", "ranking"),
        ("features.txt", "text"),
        ("features.text.max_token", "max_tokens"),
        ("features.metadata.min_movie", "min_movies"),
    ],
)
def test_an_unknown_key_names_the_nearest(key, closest):
    message = refusal(load_experiment, None, [f"{key}=3"])
    assert f"unknown key {key!r}, did you mean {closest!r}?" in message


def test_an_unknown_key_that_resembles_nothing_names_them_all():
    message = refusal(load_experiment, None, ["losses.xyzzy=3"])
    assert "known keys here: ranking, distillation, rating, genre" in message


def test_every_mistake_is_named_at_once_with_its_place(write):
    path = write("sed: 3\ntraining:\n  epochs: 0\nsplit:\n  seed: many\n")
    message = refusal(load_experiment, path)
    assert message.startswith(f"{path}: ")
    assert "unknown key 'sed', did you mean 'seed'?" in message
    assert "training.epochs: Input should be greater than 0, got 0" in message
    assert "split.seed: " in message
    assert "got 'many'" in message


@pytest.mark.parametrize(
    "override",
    [
        "seed=1.5",
        "name=3",
        "training=3",
        "training=null",
        "training.history_dropout=1",
        "training.history_dropout=0",
        "training.learning_rate=0",
        "training.learning_rate=.nan",
        "training.monitor={}",
        "training.monitor={rmse: .inf}",
        "user.liked_min_rating=.nan",
        "user.popularity_exponent=1.5",
        "losses.ranking=-1",
        "losses={ranking: 0, distillation: 0, rating: 0, genre: 0, audience: 0}",
        "evaluation.ks=[]",
        "evaluation.ks=[10, 0]",
        "data.on_bad_row=ignore",
    ],
)
def test_a_value_that_does_not_fit_is_refused(override):
    key = override.partition("=")[0]
    assert f"defaults: {key}" in refusal(load_experiment, None, [override])


def test_a_field_that_names_genres_is_refused():
    message = refusal(load_experiment, None, ["features.metadata.fields={genre: 1}"])
    assert "labels and never inputs" in message


@pytest.mark.parametrize(
    "content",
    [
        "training: [",
        "a: b: c",
        "\ttraining:",
        b"name: \xff\xfe\xfa",
        "name: \x00",
        "split: {seed: 2020-13-45}",
        "? {a: 1}\n: 2",
    ],
)
def test_a_file_that_is_not_yaml_is_refused(write, content):
    path = write(content)
    assert refusal(load_experiment, path).startswith(f"{path} is not YAML: ")


def test_an_override_that_is_not_yaml_is_refused():
    message = refusal(load_experiment, None, ["training.epochs=["])
    assert "override 'training.epochs=['" in message
    assert "not YAML" in message


@pytest.mark.parametrize(
    ("content", "kind"), [("- a\n- b", "list"), ("hello", "str"), ("3", "int")]
)
def test_a_file_that_holds_no_mapping_is_refused(write, content, kind):
    path = write(content)
    assert refusal(load_experiment, path) == f"{path} holds a {kind}, a mapping is needed"


def test_keys_that_are_not_text_are_refused(write):
    assert "mine.yaml" in refusal(load_experiment, write("1: 2"))


@pytest.mark.parametrize("name", ["absent.yaml", "absent.yml", "some/where", "some/where.yaml"])
def test_a_file_that_is_not_there_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert refusal(load_experiment, name) == f"no configuration file at {name}"


def test_a_shipped_configuration_is_found_by_name(shipped):
    found = load_experiment("quick", ["seed=5"])
    assert (found.name, found.training.epochs, found.seed) == ("quick", 3, 5)


def test_an_unknown_shipped_name_names_the_nearest(shipped):
    assert "quick.yaml" in refusal(load_experiment, "quik")


@pytest.mark.parametrize("name", resources.names("configs"))
def test_every_shipped_configuration_loads(name):
    assert isinstance(load_experiment(name.removesuffix(".yaml")), ExperimentConfig)


def test_the_shipped_default_states_the_defaults():
    assert load_experiment("default") == ExperimentConfig()


def test_what_is_dumped_spells_out_every_default_and_loads(write):
    config = load_experiment(overrides=["name=ünïcode", "training.epochs=3", "features.text=null"])
    text = dump_experiment(config)
    sections = ExperimentConfig.model_fields.keys() - {"recommender"}
    assert all(f"\n{section}:" in f"\n{text}" for section in sections)
    assert load_experiment(write(text)) == config


@dataclass(frozen=True)
class Pair:
    one: str
    other: str


def fingerprints(write, pair: Pair) -> tuple[str, str]:
    return tuple(load_experiment(write(text)).fingerprint for text in (pair.one, pair.other))


@pytest.mark.parametrize(
    "pair",
    [
        Pair("name: a", "name: b"),
        Pair("seed: 3\nsplit: {name: u1}", "split: {name: u1}\nseed: 3"),
        Pair("split: {name: u1, seed: 1}", "split: {seed: 1, name: u1}"),
        Pair("training: {monitor: {a: 1, b: 2}}", "training: {monitor: {b: 2, a: 1}}"),
        Pair("seed: 3", "seed: '3'"),
        Pair("losses: {ranking: 1}", "losses: {ranking: 1.0}"),
    ],
)
def test_equal_experiments_have_one_fingerprint(write, pair):
    one, other = fingerprints(write, pair)
    assert one == other


@pytest.mark.parametrize(
    "pair",
    [
        Pair("seed: 3", "seed: 4"),
        Pair("evaluation: {ks: [1, 2]}", "evaluation: {ks: [2, 1]}"),
        Pair("features: {text: null}", "features: {}"),
        Pair("training: {monitor: {a: 1}}", "training: {monitor: {a: 2}}"),
        Pair("model: {temperature: 1}", "teacher: {temperature: 1}"),
    ],
)
def test_different_experiments_have_different_fingerprints(write, pair):
    one, other = fingerprints(write, pair)
    assert one != other


def test_a_configuration_cannot_be_altered():
    with pytest.raises(ValueError, match="frozen"):
        ExperimentConfig().seed = 3


def test_an_override_may_fill_a_section_that_was_null(write):
    path = write("sources: {posters: null}")
    found = load_experiment(path, ["sources.posters.path=pictures"])
    assert str(found.sources.posters.path) == "pictures"


@pytest.mark.parametrize("removed", [key for key in REMOVED_KEYS if ".items." not in key])
def test_a_key_that_was_removed_is_refused_with_what_to_do_instead(write, removed):
    key, _, value = removed.partition("=")
    document = f"{value or 1}"
    for name in reversed(key.split(".")):
        document = f"{{{name}: {document}}}"
    path = write(document)
    told = f"{removed} was removed: {REMOVED_KEYS[removed]}"
    assert told in refusal(load_experiment, path)
    assert told in refusal(load_experiment, None, [f"{key}={value or 1}"])


def test_a_key_of_a_table_that_was_renamed_names_the_new_one(write):
    path = write("sources: {items: [{path: x.csv, id_column: id, oracles: true}]}")
    told = refusal(load_experiment, path)
    assert "sources.items.oracles was removed: write leakage_prone" in told


def test_a_shipped_configuration_that_was_removed_names_the_overrides_to_take():
    told = refusal(load_experiment, "asp-gated")
    assert "asp-gated was removed" in told
    assert "--set sharing.scheme=asp --set fusion.kind=gated" in told

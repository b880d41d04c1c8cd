"""What holds for every configuration and for every text that claims to be one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from laws import examples

from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import dump_experiment, load_experiment
from recsys.errors import ConfigError


def alternatives(value):
    """Values that may stand where this default stands."""
    if isinstance(value, dict):
        return st.fixed_dictionaries({key: alternatives(inner) for key, inner in value.items()})
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, float):
        return st.floats(0.01, 0.99)
    if isinstance(value, int):
        return st.integers(3, 2**31)
    return st.just(value)


# Sections whose numbers have bounds of their own keep their defaults.
BOUNDED = {"name", "features", "sources", "placement"}
VALUES = alternatives(ExperimentConfig().model_dump(mode="json", exclude=BOUNDED))
CONFIGS = st.builds(lambda name, values: ExperimentConfig(name=name, **values), st.text(), VALUES)
OPTIONS = st.sampled_from(["seed", "training", "epochs", "split", "name", "1", "~", "!!int a"])
YAML = st.recursive(
    OPTIONS | st.floats().map(str) | st.dates().map(str),
    lambda inner: st.dictionaries(OPTIONS, inner, max_size=4).map(
        lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
    ),
    max_leaves=6,
)


def loaded(text: bytes) -> ExperimentConfig:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_bytes(text)
        return load_experiment(path)


@examples(50)
@given(config=CONFIGS)
def test_what_is_dumped_loads_as_it_was(config):
    again = loaded(dump_experiment(config).encode())
    assert again == config
    assert again.fingerprint == config.fingerprint


@examples(50)
@given(config=CONFIGS, name=st.text())
def test_the_name_is_no_part_of_the_fingerprint(config, name):
    assert config.model_copy(update={"name": name}).fingerprint == config.fingerprint


@examples(50)
@given(config=CONFIGS, data=st.data())
def test_the_order_of_the_keys_is_no_part_of_the_fingerprint(config, data):
    values = config.model_dump(mode="json")
    assert ExperimentConfig(**shuffled(values, data)).fingerprint == config.fingerprint


@examples(150)
@given(text=YAML.map(str.encode) | st.binary(max_size=20) | st.text(max_size=20).map(str.encode))
def test_every_text_is_a_configuration_or_a_configuration_error(text):
    try:
        found = loaded(text)
    except ConfigError as error:
        found = str(error)
    assert isinstance(found, ExperimentConfig) or "config.yaml" in found


def shuffled(values, data):
    if not isinstance(values, dict):
        return values
    keys = data.draw(st.permutations(list(values)))
    return {key: shuffled(values[key], data) for key in keys}

"""From YAML files and dotted overrides to a checked ``ExperimentConfig``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard, get_args

import yaml
from pydantic import BaseModel, ValidationError

from recsys.config.experiment import ExperimentConfig
from recsys.config.reading import read_extended
from recsys.errors import ConfigError, nearest

OF_JOINT = {
    "user",
    "fusion",
    "sharing",
    "model",
    "losses",
    "teacher",
    "placement",
    "alignment",
    "training",
}
"""The sections that are hyper-parameters of the joint model."""


def load_experiment(
    source: str | Path | None = None, overrides: Iterable[str] = ()
) -> ExperimentConfig:
    """The experiment of a file, of a shipped name such as ``default``, or of the defaults alone.

    Args:
        source: path of a YAML file, or the name of a shipped configuration; with ``extends`` at its
            top it starts from another one, see ``read_extended``.
        overrides: ``section.key=value``; the value is read as YAML.

    Raises:
        ConfigError: a file is missing or not YAML, a key is unknown (the nearest valid one is
            named), or a value does not fit.
    """
    where = str(source or "defaults")
    document = read_extended(source) if source is not None else {}
    for override in overrides:
        _apply(document, override)
    return _validate(document, where)


def dump_experiment(config: ExperimentConfig) -> str:
    """The configuration as YAML, every default spelt out, as ``load_experiment`` reads it.

    The sections of the joint model are left out for another model.
    """
    others = set() if config.recommender.name == "joint" else OF_JOINT
    return yaml.safe_dump(config.model_dump(mode="json", exclude=others), sort_keys=False)


def with_values(
    experiment: ExperimentConfig, values: Mapping[str, Any], where: str
) -> ExperimentConfig:
    """An experiment with some of its values exchanged.

    Args:
        experiment: all other values.
        values: by ``section.key``; a whole section goes before the keys inside it.
        where: they come from, for messages.

    Raises:
        ConfigError: a key is unknown (the nearest valid one is named), or a value does not fit.
    """
    document = experiment.model_dump(mode="json")
    for key in sorted(values):
        _place(document, key, values[key], where)
    return _validate(document, where)


def _apply(document: dict[str, Any], override: str) -> None:
    key, equals, raw = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"override {override!r} is not of the form section.key=value")
    try:
        value = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"override {override!r}: the value is not YAML: {error}") from error
    _place(document, key.strip(), value, f"override {override!r}")


def _place(document: dict[str, Any], key: str, value: Any, where: str) -> None:
    *sections, last = key.split(".")
    place = document
    for section in sections:
        if place.get(section) is None:  # null, or not stated
            place[section] = {}
        place = place[section]
        if not isinstance(place, dict):
            raise ConfigError(f"{where}: {section!r} is a value, not a section")
    place[last] = value


def _validate(document: Mapping[str, Any], where: str) -> ExperimentConfig:
    try:
        return ExperimentConfig.model_validate(document)
    except ValidationError as error:
        problems = [
            _explain(problem["type"], problem["loc"], problem) for problem in error.errors()
        ]
        raise ConfigError(f"{where}: " + "; ".join(problems)) from None


def _explain(kind: str, location: tuple[Any, ...], problem: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in location)
    if kind != "extra_forbidden":
        return f"{key}: {problem['msg']}, got {problem['input']!r}"
    known = _keys_at(location[:-1])
    closest = nearest(str(location[-1]), known, n=1)
    if closest:
        return f"unknown key {key!r}, did you mean {closest[0]!r}?"
    return f"unknown key {key!r}" + (f", known keys here: {', '.join(known)}" if known else "")


def _keys_at(location: tuple[Any, ...]) -> list[str]:
    """The keys of the section at a place; none where it is not one section alone."""
    section: Any = ExperimentConfig
    for part in location:
        if _is_section(section) and str(part) in section.model_fields:
            section = section.model_fields[str(part)].annotation
        found = [kind for kind in _parts(section) if _is_section(kind)]
        section = found[0] if len(found) == 1 else section
    return list(section.model_fields) if _is_section(section) else []


def _parts(annotation: object) -> Iterator[object]:
    """An annotation, and those inside its unions, collections and ``Annotated``."""
    yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _is_section(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

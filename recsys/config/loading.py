"""From YAML files and dotted overrides to a checked ``ExperimentConfig``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard, get_args

import yaml
from pydantic import BaseModel, ValidationError

from recsys.config.experiment import ExperimentConfig
from recsys.errors import ConfigError, nearest
from recsys.resources import read_text


def load_experiment(
    source: str | Path | None = None, overrides: Iterable[str] = ()
) -> ExperimentConfig:
    """The experiment of a file, of a shipped name such as ``default``, or of the defaults alone.

    Args:
        source: path of a YAML file, or the name of a shipped configuration.
        overrides: ``section.key=value``; the value is read as YAML.

    Raises:
        ConfigError: the file is missing or not YAML, a key is unknown (the nearest valid one is
            named), or a value does not fit.
    """
    where = str(source or "defaults")
    document = _read(source) if source is not None else {}
    for override in overrides:
        _apply(document, override)
    return _validate(document, where)


def dump_experiment(config: ExperimentConfig) -> str:
    """The whole configuration as YAML, every default spelt out, as ``load_experiment`` reads it."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def _read(source: str | Path) -> dict[str, Any]:
    path = Path(source)
    if path.is_file():
        return _parse(path.read_bytes(), str(source))
    if path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        raise ConfigError(f"no configuration file at {path}")
    return _parse(read_text("configs", f"{source}.yaml"), str(source))


def _parse(text: str | bytes, where: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2020-13-45
        raise ConfigError(f"{where} is not YAML: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{where} holds a {type(document).__name__}, a mapping is needed")
    return document


def _apply(document: dict[str, Any], override: str) -> None:
    key, equals, raw = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"override {override!r} is not of the form section.key=value")
    *sections, last = key.strip().split(".")
    place = document
    for section in sections:
        if place.get(section) is None:  # null, or not stated
            place[section] = {}
        place = place[section]
        if not isinstance(place, dict):
            raise ConfigError(f"override {override!r}: {section!r} is a value, not a section")
    try:
        place[last] = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"override {override!r}: the value is not YAML: {error}") from error


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

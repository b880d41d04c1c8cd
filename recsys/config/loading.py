"""From YAML files that may extend one another, and overrides, to an ``ExperimentConfig``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeGuard, get_args

import yaml
from pydantic import ValidationError

from recsys.config.experiment import ExperimentConfig
from recsys.documents import Document
from recsys.errors import ConfigError, nearest
from recsys.resources import read_text

EXTENDS: Final = "extends"
"""The key that names the configuration to start from; it is no part of an experiment."""

_SOUND: Final = "encode the sound elsewhere, and import the vectors under sources.features"

REMOVED_KEYS: Final[Mapping[str, str]] = {
    "sources.items.oracles": "write leakage_prone",
    "user.recency_half_life_days": "leave it out: lists without it were better",
    "user.attention_dim": "leave it out: no difference was shown",
    "features.audio.kind=pretrained": _SOUND,
    "features.audio.kind=both": _SOUND,
    "features.audio.pretrained": _SOUND,
    "fusion.kind=attention": "take sum, or concat, which is better in genres",
    "sharing.reversal": "leave it out: gradient reversal rises from 0 to 1 over the training",
    "sharing.reversal_gamma": "leave it out: it is 10, as in Ganin et al.",
    "training.balancing": "set the weights in losses; sharing.scheme=sp gains more in genres",
    "training.gradnorm_alpha": "set the weights in losses; sharing.scheme=sp gains more in genres",
    "training.compile": "leave it out: what is learnt is the same",
}
"""Keys, and values, that configurations of earlier versions had, and what to do instead."""

_Place = Path | str
"""Of a file, or the name of a shipped one."""


def read_mapping(source: str | Path, *folder: str) -> dict[str, Any]:
    """The keys and values of a YAML file.

    Args:
        source: path of the file, or the name of a shipped one.
        folder: inside ``configs`` that the shipped ones lie in.

    Raises:
        ConfigError: there is no such file, or it is not a mapping in YAML.
    """
    return _read(_locate(source, Path()), *folder)


def read_extended(source: str | Path) -> dict[str, Any]:
    """The keys and values of a configuration, and those of what it extends that it does not state.

    ``extends: NAME`` starts from a shipped configuration, or from a file that is looked for in the
    folder of the one that says so; that one may extend another in turn. Mappings are merged at
    every depth; everything else, lists and null among it, takes the place of what was there.

    Args:
        source: path of a YAML file, or the name of a shipped configuration.

    Raises:
        ConfigError: a file is missing or not a mapping in YAML, or it extends itself.
    """
    place = _locate(source, Path())
    chain = [_identity(place)]
    document = _read(place)
    while EXTENDS in document:
        place = _base(document.pop(EXTENDS), place)
        chain.append(_identity(place))
        if chain[-1] in chain[:-1]:
            names = " extends ".join(str(link) for link in chain)
            raise ConfigError(f"a configuration extends itself: {names}")
        document = _merged(_read(place), document)
    return document


def _base(named: object, place: _Place) -> _Place:
    if not isinstance(named, str) or not named:
        raise ConfigError(
            f"{place}: {EXTENDS} is {named!r}",
            hint="name one shipped configuration, or the file of one",
        )
    try:
        return _locate(named, place.parent if isinstance(place, Path) else None)
    except ConfigError as error:
        raise ConfigError(f"{place}: {EXTENDS} {named!r}: {error}") from None


def _locate(source: str | Path, folder: Path | None) -> _Place:
    """A file, where there is a folder to look for it, or else a name."""
    path = Path(source) if folder is None else folder / source
    if folder is not None and path.is_file():
        return path
    if path.suffix in {".yaml", ".yml"} or len(Path(source).parts) > 1:
        raise ConfigError(f"no configuration file at {path}")
    return str(source)


def _identity(place: _Place) -> _Place:
    return place.resolve() if isinstance(place, Path) else place


def _read(place: _Place, *folder: str) -> dict[str, Any]:
    if isinstance(place, Path):
        return _parse(place.read_bytes(), str(place))
    scheme, dash, fusion = place.partition("-")
    if dash and scheme in ("fs", "sp", "asp"):
        raise ConfigError(
            f"the configuration {place} was removed",
            hint="take ml-100k-multimodal with "
            f"--set sharing.scheme={scheme} --set fusion.kind={fusion}",
        )
    return _parse(read_text("configs", *folder, f"{place}.yaml"), place)


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


def _merged(base: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with what is stated in its place."""
    whole = dict(base)
    for key, value in stated.items():
        there = whole.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            whole[key] = _merged(there, value)
        else:
            whole[key] = value
    return whole


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
        _place(document, *parse_override(override), f"override {override!r}")
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


def parse_override(override: str) -> tuple[str, Any]:
    """The key of ``key=value``, and its value read as YAML.

    Raises:
        ConfigError: it is not of that form.
    """
    key, equals, raw = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"override {override!r} is not of the form key=value")
    try:
        return key.strip(), yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"override {override!r}: the value is not YAML: {error}") from error


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
    bare = ".".join(part for part in location if isinstance(part, str))  # without places in lists
    for removed in (bare, f"{bare}={problem['input']}"):
        if removed in REMOVED_KEYS:
            return f"{removed} was removed: {REMOVED_KEYS[removed]}"
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
        if _is_section(section) and str(part) in section.key_types():
            section = section.key_types()[str(part)]
        found = [kind for kind in _parts(section) if _is_section(kind)]
        section = found[0] if len(found) == 1 else section
    return list(section.key_types()) if _is_section(section) else []


def _parts(annotation: object) -> Iterator[object]:
    """An annotation, and those inside its unions, collections and ``Annotated``."""
    yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _is_section(annotation: object) -> TypeGuard[type[Document]]:
    return isinstance(annotation, type) and issubclass(annotation, Document)

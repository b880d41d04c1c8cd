"""YAML files as mappings, and configurations that start from another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from recsys.errors import ConfigError
from recsys.resources import read_text

EXTENDS: Final = "extends"
"""The key that names the configuration to start from; it is no part of an experiment."""

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

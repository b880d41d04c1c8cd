"""The texts that come with the program: recipes of data sets, configurations of experiments.

In a checkout they lie in the folders ``datasets/`` and ``configs/`` of its root; a wheel carries a
copy made when it was built.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from recsys.errors import ConfigError, did_you_mean

Kind = Literal["datasets", "configs"]

BUILT_COPY = "_material"


def material(kind: Kind) -> Traversable:
    """The folder of one kind of material.

    Raises:
        ConfigError: the installation lacks it.
    """
    for root in (files("recsys") / BUILT_COPY, Path(__file__).resolve().parents[1]):
        if (root / kind).is_dir():
            return root / kind
    raise ConfigError(
        f"this installation has no folder {kind!r}",
        hint="install recsys from its wheel, or run it from a checkout",
    )


def names(kind: Kind) -> list[str]:
    """What there is of one kind, sorted: folders of data sets, files of configurations."""
    return sorted(
        entry.name
        for entry in material(kind).iterdir()
        if (entry / "recipe.yaml").is_file() or entry.name.endswith(".yaml")
    )


def read_text(kind: Kind, *path: str) -> str:
    """The text of one file, such as ``read_text("datasets", "ml-100k", "recipe.yaml")``.

    Raises:
        ConfigError: there is no such file; the error names the nearest one.
    """
    entry = material(kind).joinpath(*path)
    if not entry.is_file():
        known = names(kind)
        raise ConfigError(
            f"there is no {'/'.join((kind, *path))} in this installation",
            hint=did_you_mean(path[0], known, f"see {', '.join(known)}"),
        )
    return entry.read_text(encoding="utf-8")

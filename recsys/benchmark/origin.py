"""What program made a measurement."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import recsys
from recsys.evaluation import environment

_LIBRARIES: Final = ("scipy", "implicit", "myfm", "recbole", "scikit-learn")
_PACKAGE: Final = Path(recsys.__file__).parent


@cache
def commit(package: Path = _PACKAGE) -> str | None:
    """The commit of the program; with "+" where its files are not those of the commit.

    None where the package is not part of a repository, or git is absent. Looked up once: files
    that change while a benchmark runs are not the ones it was started with.
    """
    root = package.parent
    head = _git(root, "rev-parse", "--show-toplevel", "HEAD")
    if head is None or len(head) != 2 or Path(head[0]).resolve() != root.resolve():
        return None
    changed = _git(root, "status", "--porcelain", "--", package.name, "configs", "datasets")
    return head[1] + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> list[str] | None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = environment.versions()
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return tuple(found.items())


def versions() -> dict[str, str]:
    """Versions of Python, this package, and the libraries that contenders come from."""
    return dict(_versions())

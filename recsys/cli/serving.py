"""From options to an engine and a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.output import note
from recsys.errors import BundleError, ConfigError

if TYPE_CHECKING:
    from recsys.engine import Engine, Profile


def require_bundle(path: Path) -> None:
    """Refuse a bundle that is not there, and say how to make one.

    Raises:
        BundleError: there is nothing at ``path``.
    """
    if not path.exists():
        raise BundleError(
            f"there is no bundle at {path}",
            hint=f"train one with: recsys train --out {path}, or name the folder of another with "
            "--bundle DIR or in RECSYS_BUNDLE",
        )


def open_engine(path: Path) -> Engine:
    """The engine of a bundle.

    Raises:
        BundleError: there is no bundle, or it cannot be trusted.
    """
    require_bundle(path)
    from recsys.engine import Engine

    return Engine.load(path)


def require_one_person(user: str | None, like: list[str] | None) -> None:
    """Refuse both a user and liked movies, and neither.

    Raises:
        ConfigError: it is so.
    """
    if (user is None) == (not like):
        problem = (
            "neither a user nor a liked movie is given"
            if user is None
            else "--user and --like exclude each other"
        )
        raise ConfigError(
            problem,
            hint="give a user of the training data with --user ID, or what somebody likes with "
            "--like MOVIE (repeatable)",
        )


def person(engine: Engine, user: str | None, like: list[str] | None) -> Profile:
    """The known user, or somebody who likes these movies; the latter are said on standard error.

    Raises:
        UnknownIdError: the user or a movie is unknown; the error names the nearest.
    """
    if user is not None:
        return engine.user(user)
    profile = engine.profile(like or [])
    titles = (engine.catalogue.display_title(int(row)) for row in profile.rated)
    note(f"for somebody who likes {', '.join(titles)}")
    return profile


def who(user: str | None) -> str:
    """A person in a heading."""
    return f"user {user}" if user is not None else "you"


def titled(title: str, year: int | None) -> str:
    """A movie in a table."""
    return title if year is None else f"{title} ({year})"

"""Options that several verbs share, so that they mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from recsys.cli.output import DocumentFormat, Format


def option(flag: str, text: str, **more: Any) -> Any:
    """An option such as ``--data DIR``: its name and what stands for its value, and its help."""
    name, _, metavar = flag.partition(" ")
    return typer.Option(name, metavar=metavar or None, help=text, **more)


def argument(metavar: str, text: str) -> Any:
    """An argument: what stands for its value, and its help."""
    return typer.Argument(metavar=metavar, help=text)


DEFAULT_BUNDLE: Final = Path("runs/default")
SPLITS: Final = "u1 … u5, ro, leave-last, global-time, random-90-10, cold-items or all"

OnBadRow = Literal["error", "quarantine"]
"""What becomes of a ratings file with rows that cannot be used."""

BundleOption = Annotated[
    Path, option("--bundle DIR", "What 'recsys train --out DIR' wrote.", envvar="RECSYS_BUNDLE")
]
DataOption = Annotated[
    Path | None,
    option(
        "--data DIR",
        "Folder of the data set, or the one above it. Without it: RECSYS_DATA_DIR, the cache, and "
        "(MovieLens-100K) RecBole's wheel.",
    ),
]
DatasetOption = Annotated[
    str | None, option("--dataset NAME", "Default: what --data holds, MovieLens-100K without it.")
]
OnBadRowOption = Annotated[
    OnBadRow, option("--on-bad-row [error|quarantine]", "Refuse bad rows, or set them aside.")
]
FormatOption = Annotated[
    Format, option("--format [table|json|csv]", "A table, one JSON document, or CSV with a header.")
]
DocumentFormatOption = Annotated[
    DocumentFormat, option("--format [table|json]", "A table for people, or one JSON document.")
]
UserOption = Annotated[str | None, option("--user ID", "A user of the training data.")]
LikeOption = Annotated[
    list[str] | None,
    option("--like MOVIE", "Instead of --user, a liked title, 'title (year)' or id; repeatable."),
]
CountOption = Annotated[int, option("--k N", "How many movies.", min=1)]
SetOption = Annotated[
    list[str] | None,
    option("--set KEY=VALUE", "Change a value, such as training.epochs=20; repeatable."),
]

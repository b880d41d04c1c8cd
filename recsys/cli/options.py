"""Options that several verbs share, so that they mean the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from recsys.cli.output import DocumentFormat, Format

DEFAULT_BUNDLE: Final = Path("runs/default")


class OnBadRow(StrEnum):
    """What becomes of a ratings file with rows that cannot be used."""

    ERROR = "error"
    QUARANTINE = "quarantine"


BundleOption = Annotated[
    Path,
    typer.Option(
        "--bundle",
        metavar="DIR",
        envvar="RECSYS_BUNDLE",
        help="The trained model: a folder that 'recsys train --out DIR' wrote.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of the data set, or the one above it. Without it the data set is looked for "
        "in RECSYS_DATA_DIR, in the cache, and (MovieLens-100K) in RecBole's wheel.",
        show_default=False,
    ),
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="Which data set. Default: the one that --data holds, MovieLens-100K without it.",
        show_default=False,
    ),
]
OnBadRowOption = Annotated[
    OnBadRow,
    typer.Option(
        "--on-bad-row",
        metavar="[error|quarantine]",
        help="Refuse a ratings file with rows that cannot be used, or keep every good row and "
        "report the bad ones.",
    ),
]
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        metavar="[table|json|csv]",
        help="A table for people, one JSON document, or CSV with a header.",
    ),
]
DocumentFormatOption = Annotated[
    DocumentFormat,
    typer.Option(
        "--format", metavar="[table|json]", help="A table for people, or one JSON document."
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option("--user", metavar="ID", help="A user of the training data.", show_default=False),
]
LikeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--like",
        metavar="MOVIE",
        help="A movie somebody likes, by title, 'title (year)' or id; repeatable. Instead of "
        "--user: nobody has to be known.",
        show_default=False,
    ),
]
CountOption = Annotated[int, typer.Option("--k", min=1, metavar="N", help="How many movies.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one value of the configuration, such as training.epochs=20; repeatable.",
        show_default=False,
    ),
]

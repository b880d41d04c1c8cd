"""Options that several verbs share, so that they mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from recsys.cli.output import DocumentFormat, Format

DEFAULT_BUNDLE: Final = Path("runs/default")
BUNDLE_VARIABLE: Final = "RECSYS_BUNDLE"

BundleOption = Annotated[
    Path,
    typer.Option(
        "--bundle",
        metavar="DIR",
        envvar=BUNDLE_VARIABLE,
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
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format", help="A table for people, one JSON document, or CSV with a header.", metavar="F"
    ),
]
DocumentFormatOption = Annotated[
    DocumentFormat,
    typer.Option("--format", help="A table for people, or one JSON document.", metavar="F"),
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
        help="A movie you like, by title, 'title (year)' or id; give it once a movie. Instead of "
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

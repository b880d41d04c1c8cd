"""Options of ``recsys features import``: where the vectors are, and what becomes of bad rows."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Key(StrEnum):
    """What the ids of a file name."""

    ITEM = "item"
    FILM = "film"


class OnUnknownId(StrEnum):
    """What becomes of a row about no movie of the data set."""

    ERROR = "error"
    DROP = "drop"


class OnWrongDim(StrEnum):
    """What becomes of a row of another width."""

    ERROR = "error"
    MASK = "mask"


class OnNonfinite(StrEnum):
    """What becomes of a row with NaN or infinite values."""

    ERROR = "error"
    MASK = "mask"
    MEDIAN = "median"


class OnDuplicate(StrEnum):
    """What becomes of rows of one id that differ."""

    ERROR = "error"
    FIRST = "first"
    MASK = "mask"


class OnFlatRow(StrEnum):
    """What becomes of a row of equal values."""

    ERROR = "error"
    KEEP = "keep"
    MASK = "mask"


class OnFlatColumn(StrEnum):
    """What becomes of a file with a column of equal values."""

    ERROR = "error"
    KEEP = "keep"


ModalityOption = Annotated[
    str,
    typer.Option(
        "--modality",
        metavar="NAME",
        help="What the vectors are of: text, poster, video, audio, or a name of your own.",
        show_default=False,
    ),
]
FileOption = Annotated[
    Path,
    typer.Option(
        "--file",
        metavar="FILE",
        help="The vectors: .parquet, .csv, .npy with --ids, or RecBole's .…emb.",
        show_default=False,
    ),
]
IdsOption = Annotated[
    Path | None,
    typer.Option(
        "--ids",
        metavar="FILE",
        help="For .npy, the id of each row: .txt (one a line), .csv, .json or .parquet.",
        show_default=False,
    ),
]
MaskOption = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        metavar="FILE",
        help="For .npy, a .npy that is False at rows that stand for no vector.",
        show_default=False,
    ),
]
IdColumnOption = Annotated[
    str | None,
    typer.Option(
        "--id-column",
        metavar="NAME",
        help="For .parquet, the column of ids. Default: the first.",
        show_default=False,
    ),
]
KeyOption = Annotated[
    Key,
    typer.Option(
        "--key",
        metavar="[item|film]",
        help="What the ids name: movies of the data set, or films by the ids that MovieLens 1M "
        "and later data sets share.",
    ),
]
OnUnknownIdOption = Annotated[
    OnUnknownId,
    typer.Option(
        "--on-unknown-id", metavar="[error|drop]", help="Rows about no movie of the data set."
    ),
]
OnWrongDimOption = Annotated[
    OnWrongDim,
    typer.Option("--on-wrong-dim", metavar="[error|mask]", help="Rows of another width."),
]
OnNonfiniteOption = Annotated[
    OnNonfinite,
    typer.Option(
        "--on-nonfinite",
        metavar="[error|mask|median]",
        help="Rows with NaN or infinite values; median puts the column's median in their place.",
    ),
]
OnDuplicateOption = Annotated[
    OnDuplicate,
    typer.Option(
        "--on-duplicate", metavar="[error|first|mask]", help="Rows of one id that differ."
    ),
]
OnZeroRowOption = Annotated[
    OnFlatRow,
    typer.Option("--on-zero-row", metavar="[error|keep|mask]", help="Rows that are all zero."),
]
OnConstantRowOption = Annotated[
    OnFlatRow,
    typer.Option(
        "--on-constant-row", metavar="[error|keep|mask]", help="Rows whose values are all equal."
    ),
]
OnConstantColumnOption = Annotated[
    OnFlatColumn,
    typer.Option(
        "--on-constant-column",
        metavar="[error|keep]",
        help="Columns that are the same for every movie.",
    ),
]
TableOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE.parquet",
        help="Where to write the vectors of the movies of the data set, for "
        "'sources.features.NAME: {source: file, path: FILE.parquet}' of a configuration.",
        show_default=False,
    ),
]

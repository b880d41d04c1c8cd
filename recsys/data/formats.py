"""Which formats can be read, and how one is recognised from the files of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.data.dataset import Dataset, Reading
from recsys.data.interactions import RatingScale
from recsys.data.readers import atomic, movielens_1m, movielens_100k, movielens_csv, table
from recsys.errors import DataError

FormatName = Literal["ml-100k", "ml-1m", "movielens-csv", "recbole", "table"]


@dataclass(frozen=True)
class Format:
    """One way in which files hold ratings and movies.

    Attributes:
        recognise: the data set's name, if a folder holds this format.
        read: reads such a folder.
        scale: of the ratings, unless the caller or a recipe knows better.
    """

    recognise: Callable[[Path], str | None]
    read: Callable[[Path, Reading], Dataset]
    scale: RatingScale


def _recognise_table(folder: Path) -> str | None:
    return folder.resolve().name if table.recognise(folder) else None


def _read_table(folder: Path, reading: Reading) -> Dataset:
    files = table.recognise(folder)
    if files is None:
        raise DataError(f"{folder} holds no ratings file with columns user, item, rating")
    return table.read(folder, files, reading)


_STARS, _HALF_STARS = RatingScale(1, 5), RatingScale(0.5, 5)

FORMATS: dict[FormatName, Format] = {
    "ml-100k": Format(movielens_100k.recognise, movielens_100k.read, _STARS),
    "ml-1m": Format(movielens_1m.recognise, movielens_1m.read, _STARS),
    "recbole": Format(atomic.recognise, atomic.read, _STARS),
    "movielens-csv": Format(movielens_csv.recognise, movielens_csv.read, _HALF_STARS),
    "table": Format(_recognise_table, _read_table, _STARS),
}


@dataclass(frozen=True)
class Found:
    """A folder whose format is known.

    Attributes:
        folder: where the files are.
        format: their format.
        name: what the files, or the folder, call the data set.
    """

    folder: Path
    format: FormatName
    name: str


def recognise(folder: Path) -> Found | None:
    """The format of the files in a folder, if any is known."""
    for format_, known in FORMATS.items():
        name = known.recognise(folder) if folder.is_dir() else None
        if name is not None:
            return Found(folder, format_, name)
    return None

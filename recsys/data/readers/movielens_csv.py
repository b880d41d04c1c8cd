"""MovieLens since 2014 (20M, 25M, 32M, latest): ``ratings.csv`` and ``movies.csv``."""

from __future__ import annotations

from pathlib import Path

from recsys.data.dataset import Dataset, Reading
from recsys.data.readers import table

RATINGS, MOVIES = "ratings.csv", "movies.csv"

_COLUMNS = table.RatingColumns(user="userId", item="movieId", rating="rating", time="timestamp")
_MOVIES = table.ItemsFile(file=MOVIES, item="movieId", title="title", genres="genres")


def recognise(folder: Path) -> str | None:
    """The name of the folder if it holds this format."""
    path = folder / RATINGS
    found = path.is_file() and {"userId", "movieId"} <= set(table.column_names(path))
    return folder.resolve().name if found else None


def read(folder: Path, reading: Reading) -> Dataset:
    """Read ``ratings.csv`` and, if it is there, ``movies.csv``.

    Raises:
        DataError: a file cannot be used as it is.
    """
    items = _MOVIES if (folder / MOVIES).is_file() else None
    files = table.TableFiles(ratings=RATINGS, columns=_COLUMNS, items=items)
    return table.read(folder, files, reading)

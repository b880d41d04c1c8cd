"""MovieLens-1M as GroupLens publishes it: ``ratings.dat`` and ``movies.dat``, split at ``::``."""

from __future__ import annotations

from pathlib import Path

from recsys.data.dataset import Dataset, Reading, assemble
from recsys.data.movies import Movie, split_genres, split_title
from recsys.data.rawtable import Layout, read_delimited

RATINGS, MOVIES = "ratings.dat", "movies.dat"

_RATINGS = Layout("::", "latin-1", columns=("user", "item", "rating", "time"))
_MOVIES = Layout("::", "latin-1", columns=("id", "title", "genres"))


def recognise(folder: Path) -> str | None:
    """The name of the data set if the folder holds this format."""
    return "ml-1m" if (folder / RATINGS).is_file() else None


def read(folder: Path, reading: Reading) -> Dataset:
    """Read ``ratings.dat`` and, if it is there, ``movies.dat``.

    Raises:
        DataError: a file cannot be used as it is.
    """
    raw = read_delimited(folder / RATINGS, _RATINGS)
    path = folder / MOVIES
    return assemble(raw, read_movies(path) if path.is_file() else [], path, reading)


def read_movies(path: Path) -> list[Movie]:
    """The lines of ``movies.dat``."""
    columns = read_delimited(path, _MOVIES).strict()
    movies = zip(columns["id"], columns["title"], columns["genres"], strict=True)
    return [Movie(i, *split_title(title), split_genres(text, "|")) for i, title, text in movies]

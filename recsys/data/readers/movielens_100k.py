"""MovieLens-100K as GroupLens publishes it: ``u.data`` and ``u.item``."""

from __future__ import annotations

from pathlib import Path

from recsys.data.dataset import Dataset, Reading, assemble
from recsys.data.movies import Movie, split_genres, split_title
from recsys.data.rawtable import Layout, read_delimited

RATINGS, MOVIES = "u.data", "u.item"

_RATINGS = Layout("\t", "latin-1", columns=("user", "item", "rating", "time"))
# The order of the flags in u.item, as u.genre lists it.
_FLAGS = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_MOVIES = Layout("|", "latin-1", columns=("id", "title", "released", "video", "url", *_FLAGS))


def recognise(folder: Path) -> str | None:
    """The name of the data set if the folder holds this format."""
    return "ml-100k" if (folder / RATINGS).is_file() else None


def read(folder: Path, reading: Reading) -> Dataset:
    """Read ``u.data`` and, if it is there, ``u.item``.

    Raises:
        DataError: a file cannot be used as it is.
    """
    raw = read_delimited(folder / RATINGS, _RATINGS)
    path = folder / MOVIES
    return assemble(raw, read_movies(path) if path.is_file() else [], path, reading)


def read_movies(path: Path) -> list[Movie]:
    """The lines of ``u.item``."""
    columns = read_delimited(path, _MOVIES).strict()
    flags = zip(*(columns[name] for name in _FLAGS), strict=True)
    movies = zip(columns["id"], columns["title"], flags, strict=True)
    return [Movie(id_, *split_title(title), _labels(row)) for id_, title, row in movies]


def _labels(flags: tuple[str, ...]) -> tuple[str, ...]:
    chosen = (name for name, flag in zip(_FLAGS, flags, strict=True) if flag.strip() == "1")
    return split_genres("|".join(chosen), "|")

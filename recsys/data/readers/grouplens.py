"""MovieLens 100K and 1M as GroupLens publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.data.dataset import Dataset, Reading, assemble
from recsys.data.movies import Movie, movies_of
from recsys.data.rawtable import Layout, read_delimited

# The order of the flags in u.item, as u.genre lists it.
_FLAGS = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_RATINGS = ("user", "item", "rating", "time")


@dataclass(frozen=True)
class GroupLens:
    """Names and layouts of the files of one data set.

    Attributes:
        name: of the data set.
        ratings: file of ratings, tab-separated or split at ``::``.
        movies: file of movies, which may be absent.
        movies_layout: its columns; genres are one, or a flag each.
    """

    name: str
    ratings: str
    ratings_layout: Layout
    movies: str
    movies_layout: Layout

    def recognise(self, folder: Path) -> str | None:
        """The name of the data set if the folder holds it."""
        return self.name if (folder / self.ratings).is_file() else None

    def read(self, folder: Path, reading: Reading) -> Dataset:
        """Read the ratings and, if they are there, the movies.

        Raises:
            DataError: a file cannot be used as it is.
        """
        raw = read_delimited(folder / self.ratings, self.ratings_layout)
        path = folder / self.movies
        return assemble(raw, self.read_movies(path) if path.is_file() else [], path, reading)

    def read_movies(self, path: Path) -> list[Movie]:
        """The lines of the file of movies."""
        columns = read_delimited(path, self.movies_layout).strict()
        if "genres" not in columns:
            flags = zip(*(columns[name] for name in _FLAGS), strict=True)
            columns["genres"] = ["|".join(_chosen(row)) for row in flags]
        return movies_of(columns, ("id", "title", None, "genres"), "|")


def _chosen(flags: tuple[str, ...]) -> list[str]:
    return [name for name, flag in zip(_FLAGS, flags, strict=True) if flag.strip() == "1"]


ML_100K = GroupLens(
    "ml-100k",
    "u.data",
    Layout("\t", "latin-1", _RATINGS),
    "u.item",
    Layout("|", "latin-1", ("id", "title", "released", "video", "url", *_FLAGS)),
)
ML_1M = GroupLens(
    "ml-1m",
    "ratings.dat",
    Layout("::", "latin-1", _RATINGS),
    "movies.dat",
    Layout("::", "latin-1", ("id", "title", "genres")),
)

"""Any CSV or Parquet file of ratings, and perhaps one of movies, whose columns the caller names.

MovieLens since 2014 (20M, 25M, 32M, latest) is such a pair, ``ratings.csv`` and ``movies.csv``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recsys.data.dataset import Dataset, Reading, assemble
from recsys.data.items_join import read_items_file
from recsys.data.movies import Movie, movies_of
from recsys.data.rawtable import (
    Encoding,
    Layout,
    RawTable,
    parquet_columns,
    read_delimited,
    read_parquet,
)
from recsys.documents import Document
from recsys.errors import DataError


class RatingColumns(Document):
    """Names of the columns of a ratings file; ``time`` is None where there is none."""

    user: str = "user"
    item: str = "item"
    rating: str = "rating"
    time: str | None = None

    def present(self) -> dict[str, str]:
        """Our names and the file's."""
        return {ours: theirs for ours, theirs in self.model_dump().items() if theirs is not None}


class ItemsFile(Document):
    """A movie file and the names of its columns; None for what it does not have.

    Where there is no ``year`` column, a year in brackets at the end of the title is taken.
    """

    file: str
    item: str = "item"
    title: str | None = "title"
    year: str | None = None
    genres: str | None = None
    separator: str = "|"


class TableFiles(Document):
    """Which files of a folder to read, and what their columns are called."""

    ratings: str
    columns: RatingColumns = RatingColumns()
    items: ItemsFile | None = None
    encoding: Encoding = "utf-8"

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files."""
        return (self.ratings, self.items.file) if self.items else (self.ratings,)


MOVIELENS = TableFiles(
    ratings="ratings.csv",
    columns=RatingColumns(user="userId", item="movieId", rating="rating", time="timestamp"),
    items=ItemsFile(file="movies.csv", item="movieId", genres="genres"),
)


def movielens(folder: Path) -> TableFiles | None:
    """``MOVIELENS``, if a folder holds it; ``movies.csv`` may be absent."""
    path = folder / MOVIELENS.ratings
    if not (path.is_file() and {"userId", "movieId"} <= set(column_names(path))):
        return None
    has_movies = (folder / "movies.csv").is_file()
    return MOVIELENS if has_movies else MOVIELENS.model_copy(update={"items": None})


def plain(folder: Path) -> TableFiles | None:
    """The files of a folder whose ratings have columns ``user``, ``item`` and ``rating``."""
    for name in ("ratings.csv", "ratings.parquet"):
        have = column_names(folder / name) if (folder / name).is_file() else ()
        if {"user", "item", "rating"} <= set(have):
            columns = RatingColumns(time="time" if "time" in have else None)
            return TableFiles(ratings=name, columns=columns)
    return None


def column_names(path: Path) -> tuple[str, ...]:
    """The columns of a CSV or Parquet file."""
    if path.suffix == ".parquet":
        return parquet_columns(path)
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        return tuple(name.strip().strip('"') for name in stream.readline().split(","))


def read(folder: Path, files: TableFiles, reading: Reading) -> Dataset:
    """Read the named columns of the named files.

    Raises:
        DataError: a column is not there, or a file cannot be used as it is.
    """
    raw = _raw(folder / files.ratings, files.encoding).select(files.columns.present())
    if files.items is None:
        return assemble(raw, [], raw.path, reading)
    path = folder / files.items.file
    return assemble(raw, read_movies(path, files.items, files.encoding), path, reading)


def _raw(path: Path, encoding: Encoding) -> RawTable:
    if path.suffix == ".parquet":
        return read_parquet(path)
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return read_delimited(path, Layout(delimiter, encoding, quoted=True))


def read_movies(path: Path, names: ItemsFile, encoding: Encoding = "utf-8") -> list[Movie]:
    """The movies of a CSV or Parquet file.

    Raises:
        DataError: a column is not there, or a line is broken.
    """
    wanted = (names.item, names.title, names.year, names.genres)
    columns = _movie_columns(path, [name for name in wanted if name is not None], encoding)
    return movies_of(columns, wanted, names.separator)


def _movie_columns(
    path: Path, wanted: list[str], encoding: Encoding
) -> Mapping[str, Sequence[str]]:
    """Unlike a rating, the text about a movie may hold line ends within its quotes."""
    if path.suffix == ".parquet":
        table = read_parquet(path).select({name: name for name in wanted}).table
        return {name: table[name].fill_null("").to_pylist() for name in wanted}
    rows = read_items_file(path, wanted, encoding)
    if rows.malformed:
        raise DataError(
            f"{path}: {len(rows.malformed)} rows are broken",
            rows=rows.malformed,
            hint="correct these lines",
        )
    return rows.columns

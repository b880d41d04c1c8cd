"""Any CSV or Parquet file of ratings, and perhaps one of movies, whose columns the caller names."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from recsys.data.dataset import Dataset, Reading, assemble
from recsys.data.movies import Movie, split_genres, title_and_year
from recsys.data.parquet import parquet_columns, read_parquet
from recsys.data.rawtable import Layout, RawTable, read_delimited, require_columns
from recsys.data.textfile import Encoding, decode, read_bytes
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


def recognise(folder: Path) -> TableFiles | None:
    """The files of a folder whose ratings have columns ``user``, ``item`` and ``rating``."""
    for name in ("ratings.csv", "ratings.parquet"):
        have = column_names(folder / name) if (folder / name).is_file() else []
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
    return read_delimited(path, Layout(_delimiter(path), encoding, quoted=True))


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix == ".tsv" else ","


def read_movies(path: Path, names: ItemsFile, encoding: Encoding = "utf-8") -> list[Movie]:
    """The movies of a CSV or Parquet file.

    Raises:
        DataError: a column is not there, or a line is broken.
    """
    columns = _movie_columns(path, encoding)
    wanted = [names.item, names.title, names.year, names.genres]
    require_columns(path, list(columns), [name for name in wanted if name is not None])
    empty = [""] * len(columns[names.item])
    rows = zip(*(empty if name is None else columns[name] for name in wanted), strict=True)
    return [
        Movie(id_, *title_and_year(title, year), split_genres(genres, names.separator))
        for id_, title, year, genres in rows
    ]


def _movie_columns(path: Path, encoding: Encoding) -> dict[str, list[str]]:
    raw = read_parquet(path).table if path.suffix == ".parquet" else _read_csv(path, encoding)
    return {name: raw[name].fill_null("").to_pylist() for name in raw.column_names}


def _read_csv(path: Path, encoding: Encoding) -> pa.Table:
    """Unlike a rating, the text about a movie may hold line ends within its quotes."""
    text = decode(path, read_bytes(path), encoding)
    names = next(csv.reader(io.StringIO(text.decode()), delimiter=_delimiter(path)))
    try:
        return pa_csv.read_csv(
            pa.BufferReader(text),
            parse_options=pa_csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: {error}", hint="correct this line") from error

"""MMTF-14K's movies: titles, years, labels, and the divisions its i-vectors were trained for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.movies import Movie, parse_year, split_title
from recsys.errors import DataError
from recsys.features.published.archive import Archive
from recsys.features.published.mmtf14k import ENCODING

DESCRIPTION = "movie_description.csv"
_TRUE = {"1", "1.0"}


@dataclass(frozen=True)
class ItemFold:
    """One of five divisions of the movies: those of ``test`` count as rated by nobody.

    Attributes:
        train: movie ids.
        test: movie ids.
    """

    train: frozenset[str]
    test: frozenset[str]


def read_movies(archive: Archive) -> list[Movie]:
    """The movies of ``movie_description.csv``, with the genres of ``GenreFeatures.csv``.

    A title that names no year gets that of ``YearOfProd.csv``.

    Raises:
        DataError: the first of the files is missing, or a line of one is too short.
    """
    years = {fields[0]: fields[1] for fields in _rows(archive, "YearOfProd.csv")}
    genres = _genres(archive)
    movies = []
    for id_, text, *_ in _rows(archive, DESCRIPTION, required=True):
        title, year = split_title(text)
        known = parse_year(years.get(id_, "")) if year == UNKNOWN_YEAR else year
        movies.append(Movie(id_, title, known, genres.get(id_, ())))
    return movies


def read_item_fold(archive: Archive, fold: int) -> ItemFold:
    """The movies of one division, 1 to 5: that of the i-vectors of the same number.

    Raises:
        DataError: the archive lacks it, or a movie is on both sides.
    """
    sides = []
    for side in ("train", "test"):
        file = f"useritemIds_{side}_itemsplit_fold{fold}of5.csv"
        sides.append(frozenset(movie for _, movie, *_ in _rows(archive, file, required=True)))
    if both := sorted(sides[0] & sides[1]):
        raise DataError(
            f"{archive.path}: {len(both)} movies of fold {fold} are in train and in test",
            rows=[f"movie {id_}" for id_ in both],
        )
    return ItemFold(*sides)


def _genres(archive: Archive) -> dict[str, tuple[str, ...]]:
    lines = _lines(archive, "GenreFeatures.csv")
    names = next(lines, [])[1:]
    return {
        id_: tuple(n for n, flag in zip(names, flags, strict=False) if flag in _TRUE)
        for id_, *flags in lines
    }


def _rows(archive: Archive, file: str, *, required: bool = False) -> Iterator[list[str]]:
    """The lines after the header."""
    if required and file not in archive:
        raise DataError(f"{archive.path} holds no {file}")
    return islice(_lines(archive, file), 1, None)


def _lines(archive: Archive, file: str) -> Iterator[list[str]]:
    """The fields of every line that has any, two at least; none where there is no such file."""
    for name in archive.files(file):
        for number, fields in archive.source(name, ENCODING).lines():
            if len(fields) == 1:
                raise DataError(f"{archive.path}: {name}, line {number} has one field: {fields}")
            if fields:
                yield [field.strip() for field in fields]

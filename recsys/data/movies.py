"""From the lines of a movie file to a ``Catalogue``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError

# "Heat (1995)", "Two Friends (1986) ", "The Land Before Time III (1995) (V)", "Roots (1977–1978)"
_TITLE = re.compile(r"(?P<title>.*\S)\s*\((?P<year>\d{4})(?:[-–]\d{0,4})?\)(?:\s*\((?:V|TV|VG)\))?")
_NO_TITLE = {"unknown", "unkonwn"}  # MovieLens-100K's movie 267, and the same in RecBole's copy
_SAYS_NOTHING = {"", "unknown", "(no genres listed)"}


@dataclass(frozen=True)
class Movie:
    """One line of a movie file.

    Attributes:
        id: external id.
        title: without the year; "" where unknown.
        year: of release, ``UNKNOWN_YEAR`` where unknown.
        genres: labels, in any order.
    """

    id: str
    title: str = ""
    year: int = UNKNOWN_YEAR
    genres: tuple[str, ...] = ()


def split_title(text: str) -> tuple[str, int]:
    """``Usual Suspects, The (1995)`` as its title and its year.

    The title is left as the source has it; a medium in brackets after the year, ``(V)`` or
    ``(TV)``, is dropped with it. A title "unknown" without a year is none: "".
    """
    text = text.strip()
    match = _TITLE.fullmatch(text)
    if match:
        return match["title"], int(match["year"])
    return ("" if text.casefold() in _NO_TITLE else text), UNKNOWN_YEAR


def title_and_year(title: str, year: str) -> tuple[str, int]:
    """The title without its year, and the year, from a field for each; either may be empty."""
    bare, in_title = split_title(title)
    given = parse_year(year)
    # Beside another year, a number in brackets belongs to the title.
    return (bare, in_title) if given in (UNKNOWN_YEAR, in_title) else (title.strip(), given)


def parse_year(text: str) -> int:
    """``1995``, ``1995.0`` or ``1995-10-30`` as 1995; ``UNKNOWN_YEAR`` for anything else."""
    digits = text.strip()[:4]
    return (
        int(digits) if len(digits) == 4 and digits.isascii() and digits.isdigit() else UNKNOWN_YEAR
    )


def split_genres(text: str, separator: str | None) -> tuple[str, ...]:
    """The labels in one field; white space separates them where ``separator`` is None.

    "unknown" and "(no genres listed)" say that there is none, and are not labels.
    """
    if text.strip().casefold() in _SAYS_NOTHING:
        return ()
    labels = (label.strip() for label in text.split(separator))
    return tuple(label for label in labels if label.casefold() not in _SAYS_NOTHING)


def movies_of(
    columns: Mapping[str, Sequence[str]], names: Sequence[str | None], separator: str | None
) -> list[Movie]:
    """The movies of the lines of a file.

    Args:
        columns: name to one cell a line.
        names: the columns of ids, titles, years and genres; None for what the file does not have.
        separator: of genres, see ``split_genres``.
    """
    empty = [""] * len(columns[str(names[0])])
    rows = zip(*(empty if name is None else columns[name] for name in names), strict=True)
    return [
        Movie(id_, *title_and_year(title, year), split_genres(genres, separator))
        for id_, title, year, genres in rows
    ]


def build_catalogue(movies: Sequence[Movie], rated: Iterable[str], source: str) -> Catalogue:
    """All movies of a file in its order, then the rated ones it lacks, of which only ids are known.

    Args:
        movies: the lines of the file.
        rated: ids that have ratings.
        source: the file, for messages.

    Raises:
        DataError: the file names an id twice or leaves one empty.
    """
    _require_distinct(movies, source)
    missing = set(rated).difference(movie.id for movie in movies)
    extra = Vocabulary.from_values(missing, kind="movie")
    every = [*movies, *(Movie(id_) for id_ in extra)]
    names, genres = genre_labels([movie.genres for movie in every])
    return Catalogue(
        items=Vocabulary((movie.id for movie in every), kind="movie"),
        titles=tuple(movie.title for movie in every),
        years=np.array([movie.year for movie in every], dtype=np.int32),
        genre_names=names,
        genres=genres,
    )


def genre_labels(
    values: Sequence[tuple[str, ...]],
) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """The G genres that movies have, sorted, and (I, G) which movie has which."""
    names = sorted({name for found in values for name in found})
    flags = np.array([[name in found for name in names] for found in values], dtype=bool)
    return tuple(names), flags.reshape(len(values), len(names))


def _require_distinct(movies: Sequence[Movie], source: str) -> None:
    counts = Counter(movie.id for movie in movies)
    bad = [f"{id_!r}: {n} times" for id_, n in counts.items() if n > 1 or not id_.strip()]
    if bad:
        raise DataError(
            f"{source}: {len(bad)} movie ids are empty or occur more than once",
            rows=bad,
            hint="keep one line for each movie",
        )

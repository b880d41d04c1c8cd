"""Which movies may be recommended at all.

Legend: I movies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.errors import ConfigError, UnknownIdError, nearest


@dataclass(frozen=True)
class Filters:
    """Conditions a movie must meet, all of them.

    Attributes:
        genre: the movie has at least one of these, upper and lower case alike; one string is one
            genre, and empty asks nothing.
        years: first and last year of release, both included, or one year; a movie of unknown year
            is left out.

    Raises:
        ConfigError: these are no genres or no years, or the first year is after the last.
    """

    genre: tuple[str, ...] = ()
    years: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        given: Any = (self.genre, self.years)
        genres = (given[0],) if isinstance(given[0], str) else tuple(given[0])
        years = (given[1],) * 2 if isinstance(given[1], int) else given[1]
        if not all(isinstance(name, str) for name in genres):
            raise ConfigError(f"genre is {self.genre!r}", hint="give names of genres")
        if years is not None and [type(year) for year in years] != [int, int]:
            raise ConfigError(f"years is {self.years!r}", hint="give the first and the last year")
        object.__setattr__(self, "genre", genres)
        object.__setattr__(self, "years", None if years is None else tuple(years))
        if self.years is not None and self.years[0] > self.years[1]:
            first, last = self.years
            raise ConfigError(
                f"the years {first}..{last} are reversed", hint=f"did you mean {last}..{first}?"
            )

    def mask(self, catalogue: Catalogue) -> NDArray[np.bool_]:
        """(I,) whether each movie meets the conditions.

        Raises:
            UnknownIdError: no movie can have such a genre; the error names the nearest ones.
        """
        meets = np.ones(len(catalogue), dtype=bool)
        if self.genre:
            columns = [genre_column(catalogue, name) for name in self.genre]
            meets &= catalogue.genres[:, columns].any(axis=1)
        if self.years is not None:
            years = catalogue.years
            meets &= (years >= self.years[0]) & (years <= self.years[1]) & (years != UNKNOWN_YEAR)
        return meets


def genre_column(catalogue: Catalogue, name: str) -> int:
    """The column of a genre, upper and lower case alike.

    Raises:
        UnknownIdError: the catalogue has no such genre; the error names the nearest ones.
    """
    by_name = {genre.casefold(): column for column, genre in enumerate(catalogue.genre_names)}
    if name.casefold() not in by_name:
        known = catalogue.genre_names
        raise UnknownIdError("genre", name, nearest(name, known) or known)
    return by_name[name.casefold()]

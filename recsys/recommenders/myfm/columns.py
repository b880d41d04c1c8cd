"""The columns a factorisation machine sees of users, movies and days.

They are those of Rendle, Zhang and Koren, "On the Difficulty of Evaluating Baselines", 2019, and of
myFM's own example for MovieLens-100K: ids; age in deciles, occupation and first character of the
postal code; year in deciles and genres; which movies a user rated and which users rated a movie.

Legend: U users, I items, D days, N rows, C columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.queries.query import rated_mask

if TYPE_CHECKING:  # it reads files, which serving does without
    from recsys.data.people import Person

Inputs = Literal["ids", "side", "date"]
"""Ids alone; or facts of users and movies and who rated what besides; or the day of the rating as
well, which only who knows when a rating is given can tell."""

_DAY = 86_400  # seconds
_INNER_PERCENTILES = np.linspace(0, 100, 12)[1:-1]


def one_hot(column: NDArray[np.integer[Any]], width: int) -> sp.csr_array:
    """(N, C) a one in the given column of each row."""
    ones = np.ones(len(column))
    return sp.csr_array((ones, column, np.arange(len(column) + 1)), shape=(len(column), width))


def sets(members: sp.csr_array) -> sp.csr_array:
    """(N, C) ``n^-½`` at each of the n members of a row, so that all rows have length one."""
    mask = rated_mask(members).astype(np.float64)
    counts = np.diff(mask.indptr)
    mask.data /= np.sqrt(np.repeat(counts, counts))
    return mask


def deciles(values: NDArray[np.floating[Any]]) -> sp.csr_array:
    """(N, C) one-hot: unknown (NaN), then eleven ranges between ten percentiles of the values."""
    known = ~np.isnan(values)
    edges: NDArray[np.floating[Any]] = np.empty(0)
    if known.any():
        edges = np.unique(np.percentile(values[known], _INNER_PERCENTILES))
    column = np.where(known, 1 + np.searchsorted(edges, values), 0)
    return one_hot(column, len(edges) + 2)


def categories(values: Sequence[str]) -> sp.csr_array:
    """(N, C) one-hot: unknown (""), then the distinct values in order."""
    names = sorted({*values} - {""})
    column = {"": 0} | {name: n for n, name in enumerate(names, start=1)}
    return one_hot(np.array([column[value] for value in values]), len(names) + 1)


@dataclass(frozen=True)
class Columns:
    """Rows of one kind, their columns in groups that share a prior.

    Attributes:
        rows: (N, C).
        groups: numbers of columns, which add up to C.
    """

    rows: sp.csr_array
    groups: tuple[int, ...]

    @classmethod
    def of(cls, parts: Sequence[sp.csr_array]) -> Self:
        """The parts side by side, each of them a group."""
        return cls(sp.hstack(parts, format="csr"), tuple(part.shape[1] for part in parts))


@dataclass(frozen=True)
class SeenColumns:
    """The columns that training ratings gave rise to; which movies a user rated is added to theirs.

    Attributes:
        users: (1+U, ·) id and facts; row 0 is anybody who was not in training.
        movies: (I, ·) id, facts and raters.
        days: (D,) since 1970 in UTC, ascending; empty where days do not count.
        n_rated: I where it counts which movies a user rated, else 0.
    """

    users: Columns
    movies: Columns
    days: NDArray[np.int64]
    n_rated: int

    @classmethod
    def of(
        cls, train: Interactions, catalogue: Catalogue, people: Mapping[str, Person], inputs: Inputs
    ) -> Self:
        """Of the ratings that are learnt from.

        Args:
            train: the ratings.
            catalogue: the movies.
            people: by id; whoever is missing is unknown.
            inputs: what counts.

        Raises:
            DataError: days count and the ratings have no times.
        """
        side, days = inputs != "ids", np.empty(0, dtype=np.int64)
        if inputs == "date":
            if train.time is None:
                raise DataError("a model that sees the day of a rating needs ratings with times")
            days = np.unique(train.time // _DAY)
        users, movies = [_ids(len(train.users) + 1)], [_ids(len(catalogue))]
        if side:
            from recsys.data.people import Person

            users += _facts([Person(), *(people.get(id_, Person()) for id_ in train.users)])
            years = np.where(catalogue.years == UNKNOWN_YEAR, np.nan, catalogue.years)
            genres = sp.csr_array(catalogue.genres.astype(np.float64))
            movies += [deciles(years), sets(genres), sets(train.matrix().T.tocsr())]
        return cls(Columns.of(users), Columns.of(movies), days, len(catalogue) * side)

    @property
    def groups(self) -> list[int]:
        """Numbers of columns that share a prior: days, users, movies they rated, movies."""
        days = 1 + len(self.days) if len(self.days) else 0
        sizes = [days, *self.users.groups, self.n_rated, *self.movies.groups]
        return [size for size in sizes if size]


def day_column(days: NDArray[np.int64], times: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """(N,) column of the day of each time; 0 is any day without a training rating."""
    day = times // _DAY
    place = np.searchsorted(days, day).clip(max=len(days) - 1)
    return np.where(days[place] == day, 1 + place, 0)


def _ids(count: int) -> sp.csr_array:
    return one_hot(np.arange(count), count)


def _facts(people: Sequence[Person]) -> list[sp.csr_array]:
    age = deciles(np.array([person.age for person in people]))
    occupation = categories([person.occupation for person in people])
    return [age, occupation, categories([person.zip_code[:1] for person in people])]

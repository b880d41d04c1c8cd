"""What a factorisation machine sees of a rating: its user, its movie and, if it may, its day.

Legend: U users, I items, Q queries, N ratings or pairs, D days, C columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.people import Person
from recsys.errors import DataError
from recsys.queries.query import Query
from recsys.recommenders.myfm.columns import Columns, UserColumns, movie_columns, one_hot

Inputs = Literal["ids", "side", "date"]
"""Ids alone; or facts of users and movies and who rated what besides; or the day of the rating as
well, which only who knows when a rating is given can tell."""

Rows = NDArray[np.integer[Any]]
_DAY = 86_400  # seconds


class Relation(NamedTuple):
    """(N,) which row of some columns each pair has."""

    row: Rows
    columns: Columns


@dataclass(frozen=True)
class Pairs:
    """N pairs: what differs from one to the next, and what many have in common.

    Attributes:
        days: (N, 1+D) one-hot, or (N, 0) where days do not count.
        users: of the pairs.
        movies: of the pairs.
    """

    days: sp.csr_array
    users: Relation
    movies: Relation

    @property
    def groups(self) -> list[int]:
        """Numbers of columns that share a prior: days, users, movies."""
        days = self.days.shape[1]
        return [days] * (days > 0) + [*self.users.columns.groups, *self.movies.columns.groups]


@dataclass(frozen=True)
class SeenInputs:
    """The columns that training ratings gave rise to.

    Attributes:
        users: of the vocabulary, and of anybody else by what they rated.
        movies: (I, ·).
        days: (D,) since 1970 in UTC, ascending; empty where days do not count.
    """

    users: UserColumns
    movies: Columns
    days: NDArray[np.int64]

    @classmethod
    def learn(
        cls,
        train: Interactions,
        catalogue: Catalogue,
        people: Mapping[str, Person],
        inputs: Inputs,
    ) -> Self:
        """Of the ratings that are learnt from.

        Raises:
            DataError: days count and the ratings have no times.
        """
        side, days = inputs != "ids", np.empty(0, dtype=np.int64)
        if inputs == "date":
            if train.time is None:
                raise DataError("a model that sees the day of a rating needs ratings with times")
            days = np.unique(train.time // _DAY)
        users = UserColumns.learn(train, people, side)
        return cls(users, movie_columns(train, catalogue, side), days)

    def pairs(self, query: Query, rows: Rows, items: Rows, times: Rows | None) -> Pairs:
        """N pairs: query ``rows[n]`` with item ``items[n]`` at ``times[n]`` seconds, if known."""
        users = self.users.of(query.users, query.histories)
        asked, place = np.unique(items, return_inverse=True)
        movies = Columns(self.movies.rows[asked], self.movies.groups)
        days = self._of_days(len(items), times)
        return Pairs(days, Relation(rows, users), Relation(place, movies))

    def _of_days(self, count: int, times: Rows | None) -> sp.csr_array:
        """Column 0 is any day without a training rating, and an unknown one."""
        if not len(self.days):
            return sp.csr_array((count, 0))
        column = np.zeros(count, dtype=np.int64)
        if times is not None:
            day = times // _DAY
            place = np.searchsorted(self.days, day).clip(max=len(self.days) - 1)
            column = np.where(self.days[place] == day, 1 + place, 0)
        return one_hot(column, 1 + len(self.days))

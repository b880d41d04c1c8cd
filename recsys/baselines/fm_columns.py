"""The columns a factorisation machine sees of users and movies.

They are those of Rendle, Zhang and Koren, "On the Difficulty of Evaluating Baselines", 2019, and of
myFM's own example for MovieLens-100K: ids; age in deciles, occupation and first character of the
postal code; year in deciles and genres; which movies a user rated and which users rated a movie.

Legend: U users, I items, Q queries, N rows, C columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.interactions import Interactions
from recsys.data.people import Person
from recsys.models.histories import rated_mask

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


def movie_columns(train: Interactions, catalogue: Catalogue, side: bool) -> Columns:
    """(I, ·) of all movies: id and, with ``side``, year, genres and raters."""
    ids = one_hot(np.arange(len(catalogue)), len(catalogue))
    if not side:
        return Columns.of([ids])
    years = np.where(catalogue.years == UNKNOWN_YEAR, np.nan, catalogue.years)
    genres = sp.csr_array(catalogue.genres.astype(np.float64))
    raters = train.matrix().T.tocsr()
    return Columns.of([ids, deciles(years), sets(genres), sets(raters)])


@dataclass(frozen=True)
class UserColumns:
    """What is known of users beforehand; which movies they rated is added to it.

    Attributes:
        known: (1+U, ·) id and facts; row 0 is anybody who was not in training.
        side: whether facts and rated movies count.
    """

    known: Columns
    side: bool

    @classmethod
    def learn(cls, train: Interactions, people: Mapping[str, Person], side: bool) -> Self:
        """Of the users of a vocabulary.

        Args:
            train: whose vocabulary.
            people: by id; whoever is missing is unknown.
            side: whether facts and rated movies count.
        """
        ids = one_hot(np.arange(len(train.users) + 1), len(train.users) + 1)
        if not side:
            return cls(Columns.of([ids]), side)
        rows = [Person(), *(people.get(id_, Person()) for id_ in train.users)]
        age = deciles(np.array([person.age for person in rows]))
        occupation = categories([person.occupation for person in rows])
        area = categories([person.zip_code[:1] for person in rows])
        return cls(Columns.of([ids, age, occupation, area]), side)

    def of(self, users: NDArray[np.integer[Any]], histories: sp.csr_array) -> Columns:
        """(Q, ·) of users by row, -1 for a stranger, and by what they rated."""
        known = self.known.rows[users + 1]
        rated = [sets(histories)] if self.side else []
        groups = (*self.known.groups, *(part.shape[1] for part in rated))
        return Columns(sp.hstack([known, *rated], format="csr"), groups)

"""What is asked of a model, and what it answers.

A user arrives as a *history*: the movies they rated and how. Nothing else is needed, so a user who
was not in the training data is an ordinary query.

Legend: Q queries, I items, D dimensions, N pairs, K levels of a rating.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.errors import DataError

Floats = NDArray[np.float32]
Rows = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Query:
    """A batch of users asking.

    Attributes:
        histories: (Q, I) float32 CSR of ratings; an entry that is stored was rated.
        users: (Q,) int32 rows of the training vocabulary, -1 for a user it does not hold.
        times: (Q, I) int64 CSR of when each rating was given, in seconds, with the entries of
            ``histories`` in their order; None where that is unknown.

    Raises:
        DataError: shapes disagree, or times are of other ratings.
    """

    histories: sp.csr_array
    users: NDArray[np.int32]
    times: sp.csr_array | None = None

    def __post_init__(self) -> None:
        if self.users.shape != (self.histories.shape[0],):
            raise DataError(f"{self.histories.shape[0]} histories for {self.users.shape} user rows")
        if self.times is not None and not _same_entries(self.histories, self.times):
            raise DataError(
                f"{self.times.nnz} times of {self.times.shape} histories are not those of the "
                f"{self.histories.nnz} ratings of {self.histories.shape}",
                hint="store a time for every rating, in the same order",
            )

    @classmethod
    def of(cls, histories: sp.csr_array) -> Query:
        """Users whom the training vocabulary does not hold."""
        return cls(histories, np.full(histories.shape[0], -1, dtype=np.int32))

    @classmethod
    def known(cls, interactions: Interactions, users: NDArray[np.int32] | None = None) -> Query:
        """Users of a vocabulary with the given interactions as history; all users by default."""
        rows = np.arange(len(interactions.users), dtype=np.int32)
        everyone = cls(interactions.matrix(), rows, interactions.times())
        return everyone if users is None else everyone.select(users)

    def __len__(self) -> int:
        return len(self.users)

    def select(self, rows: Rows) -> Query:
        """The queries in the given rows, in the order given."""
        times = None if self.times is None else self.times[rows]
        return Query(self.histories[rows], self.users[rows], times)

    def one(self, row: int) -> Query:
        """The query in one row; ``select`` does the same, much slower."""
        start, stop = self.histories.indptr[row : row + 2].tolist()
        times = None if self.times is None else _row(self.times, start, stop)
        return Query(_row(self.histories, start, stop), self.users[row : row + 1], times)

    def slice(self, start: int, stop: int) -> Query:
        """Queries ``start … stop-1``."""
        return self.select(np.arange(len(self))[start:stop])


def _row(matrix: sp.csr_array, start: int, stop: int) -> sp.csr_array:
    """(1, I) a row by the place of its entries."""
    row = copy(_empty_row(matrix.shape[1]))  # making an array from its parts checks them: slow
    row.data, row.indices = matrix.data[start:stop], matrix.indices[start:stop]
    row.indptr = np.array([0, stop - start], dtype=matrix.indptr.dtype)
    return row


@lru_cache(maxsize=8)
def _empty_row(n_items: int) -> sp.csr_array:
    return sp.csr_array((1, n_items))


def _same_entries(one: sp.csr_array, other: sp.csr_array) -> bool:
    return bool(
        one.shape == other.shape
        and one.nnz == other.nnz
        and (one.indptr == other.indptr).all()
        and (one.indices == other.indices).all()
    )


@dataclass(frozen=True)
class LevelProbabilities:
    """How likely each level of the rating scale is, for N pairs.

    Attributes:
        values: (K,) float64 levels in stars, ascending.
        probability: (N, K) float64; each row adds up to 1.

    Raises:
        DataError: there are fewer than two levels, or shapes disagree.
    """

    values: NDArray[np.float64]
    probability: NDArray[np.float64]

    def __post_init__(self) -> None:
        values, probability = self.values.shape, self.probability.shape
        if len(values) != 1 or values[0] < 2:
            raise DataError(f"levels have shape {values}", hint="give at least two, as a vector")
        if len(probability) != 2 or probability[1] != values[0]:
            raise DataError(f"probabilities have shape {probability} for {values[0]} levels")


@dataclass(frozen=True)
class RatingPrediction:
    """Predicted ratings of N pairs.

    Attributes:
        mean: (N,) float32, on the rating scale.
        std: (N,) float32 standard deviation in stars, or None where the model has none.
        levels: how likely each level is, or None where the model does not say.

    Raises:
        DataError: the levels are those of another number of pairs.
    """

    mean: Floats
    std: Floats | None = None
    levels: LevelProbabilities | None = None

    def __post_init__(self) -> None:
        if self.levels is not None and len(self.levels.probability) != len(self.mean):
            count = len(self.levels.probability)
            raise DataError(f"level probabilities of {count} pairs for {len(self.mean)} means")


@dataclass(frozen=True)
class AudiencePrediction:
    """The mean stars that each of I movies gets from everybody who rates it, as predicted.

    Attributes:
        mean: (I,) float32, on the rating scale.
        std: (I,) float32 standard deviation of what ``mean`` predicts, in stars.
        vote_std: standard deviation of one vote around its movie's mean, in stars.
    """

    mean: Floats
    std: Floats
    vote_std: float


@runtime_checkable
class Scorer(Protocol):
    """Ranks all movies for a user."""

    def score(self, query: Query) -> Floats:
        """(Q, I) scores, higher is better, -inf where an item cannot be scored."""


class Predictor(Protocol):
    """Predicts the stars a user would give."""

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Ratings of N pairs: query ``rows[n]`` with item ``items[n]``."""


def rated_mask(histories: sp.csr_array) -> sp.csr_array:
    """(Q, I) 1 where there is a rating."""
    entries = np.ones_like(histories.data), histories.indices, histories.indptr
    return sp.csr_array(entries, shape=histories.shape, copy=True)


def entries_of(matrix: sp.sparray | sp.spmatrix) -> sp.csr_array:
    """(Q, I) bool, a copy with sorted columns: true wherever an entry is stored, a 0 included."""
    source = sp.csr_array(matrix)
    indices, indptr = source.indices[: source.nnz].copy(), source.indptr.copy()
    marks = sp.csr_array((np.ones(len(indices), dtype=bool), indices, indptr), shape=source.shape)
    marks.sum_duplicates()
    return marks

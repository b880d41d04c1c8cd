"""What every recommender promises, whether a baseline, our model, or somebody else's.

A user arrives as a *history*: the movies they rated and how. Nothing else is needed, so a user who
was not in the training data is an ordinary query.

Legend: Q queries, I items, D dimensions, N pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import DataError


@dataclass(frozen=True)
class Query:
    """A batch of users asking.

    Attributes:
        histories: (Q, I) float32 CSR of ratings; an entry that is stored was rated.
        users: (Q,) int32 rows of the training vocabulary, -1 for a user it does not hold.

    Raises:
        DataError: shapes disagree.
    """

    histories: sp.csr_array
    users: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.users.shape != (self.histories.shape[0],):
            raise DataError(f"{self.histories.shape[0]} histories for {self.users.shape} user rows")

    @classmethod
    def of(cls, histories: sp.csr_array) -> Query:
        """Users whom the training vocabulary does not hold."""
        return cls(histories, np.full(histories.shape[0], -1, dtype=np.int32))

    @classmethod
    def known(cls, interactions: Interactions, users: NDArray[np.int32] | None = None) -> Query:
        """Users of a vocabulary with the given interactions as history; all users by default."""
        rows = np.arange(len(interactions.users), dtype=np.int32) if users is None else users
        return cls(interactions.matrix()[rows], rows)

    def __len__(self) -> int:
        return len(self.users)

    def slice(self, start: int, stop: int) -> Query:
        """Queries ``start … stop-1``."""
        return Query(self.histories[start:stop], self.users[start:stop])


@dataclass(frozen=True)
class RatingPrediction:
    """Predicted ratings of N pairs.

    Attributes:
        mean: (N,) float32, on the rating scale.
        std: (N,) float32 standard deviation in stars, or None where the model has none.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32] | None = None


@runtime_checkable
class Recommender(Protocol):
    """Ranks all movies for a user."""

    name: str

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:
        """Learn from ``train``; ``valid`` may only be used to choose. Test is never here."""
        ...

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores, higher is better, -inf where an item cannot be scored.

        Items already in the history are scored like any other: masking them is the caller's task.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        ...


@runtime_checkable
class VectorRecommender(Recommender, Protocol):
    """A recommender whose scores are inner products, which is all an index needs."""

    def user_vectors(self, query: Query) -> NDArray[np.float32]:
        """(Q, D) vectors."""
        ...

    def item_vectors(self) -> NDArray[np.float32]:
        """(I, D) vectors; ``score = user_vectors @ item_vectors.T``."""
        ...


@runtime_checkable
class RatingPredictor(Protocol):
    """Predicts the stars a user would give."""

    name: str

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:
        """Learn from ``train``; ``valid`` may only be used to choose."""
        ...

    def predict(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs: query ``rows[n]`` with item ``items[n]``.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        ...

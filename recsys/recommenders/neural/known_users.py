"""Models with a vector for every user of training, and none for others.

Legend: Q queries, U users, I items, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.queries.query import Query
from recsys.recommenders.checks import require_fitted, require_items, require_users


@dataclass(frozen=True)
class Factors:
    """Vectors whose inner products are scores.

    Attributes:
        users: (U, D) float32.
        items: (I, D) float32.
    """

    users: NDArray[np.float32]
    items: NDArray[np.float32]

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores of users of training."""
        return self.users[query.users] @ self.items.T


class KnownUsers:
    """Scores users by the row they had in training; their history is not looked at.

    Attributes:
        name: of its rows.
    """

    name: str

    def __init__(self) -> None:
        self._factors: Factors | None = None
        self._n_learnt: int | None = None

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores.

        Raises:
            NotFittedError: ``fit`` was not called.
            DataError: a user was not in training, or the histories are over other movies.
        """
        factors = require_fitted(self._factors, self.name)
        require_items(query, len(factors.items), self.name)
        require_users(query, len(factors.users), self.name)
        return factors.score(query)

    @property
    def parameters(self) -> int:
        """Numbers learnt.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return require_fitted(self._n_learnt, self.name)

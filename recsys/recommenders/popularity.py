"""Everybody is recommended what most people rated.

Legend: Q queries, I items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.queries.query import Query
from recsys.recommenders.checks import require_fitted, require_items


@dataclass(frozen=True)
class PopularityConfig:
    """Nothing to choose."""


class Popularity:
    """Scores a movie by the number of its training ratings."""

    name = "popularity"

    def __init__(self, config: PopularityConfig | None = None) -> None:
        self.config = config or PopularityConfig()
        self._counts: NDArray[np.float32] | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Counts the ratings of each movie."""
        self._counts = train.item_counts().astype(np.float32)
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) the same counts in every row."""
        return self.user_vectors(query) @ self.item_vectors().T

    @property
    def parameters(self) -> int:
        """The counts.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return require_fitted(self._counts, self.name).size

    def user_vectors(self, query: Query) -> NDArray[np.float32]:
        """(Q, 1) ones: all users are alike."""
        require_items(query, len(require_fitted(self._counts, self.name)), self.name)
        return np.ones((len(query), 1), dtype=np.float32)

    def item_vectors(self) -> NDArray[np.float32]:
        """(I, 1) counts."""
        return require_fitted(self._counts, self.name)[:, None].copy()

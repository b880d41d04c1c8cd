"""Everybody is recommended what most people rated.

Legend: Q queries, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.data.split import TrainingData
from recsys.queries.query import Query
from recsys.recommenders.base import (
    Array,
    Contributions,
    Facts,
    Floats,
    Rows,
    UserView,
    VectorModel,
)


@dataclass(frozen=True)
class PopularityConfig:
    """Nothing to choose."""


class Popularity(VectorModel):
    """Scores a movie by the number of its training ratings."""

    name = "popularity"
    config_class = PopularityConfig
    facts = Facts("statistics", "how many ratings a movie has")

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Counts the ratings of each movie."""
        return {"counts": data.train.item_counts().astype(np.float32)}

    @property
    def parameters(self) -> int:
        """The counts."""
        return len(self.arrays()["counts"])

    def user_vectors(self, query: Query) -> Floats:
        """(Q, 1) ones: all users are alike."""
        self._require_items(query, self.parameters)
        return np.ones((len(query), 1), dtype=np.float32)

    def item_vectors(self) -> Floats:
        """(I, 1) counts."""
        return np.array(self.arrays()["counts"])[:, None]

    def view(self, query: Query) -> UserView:
        """Nothing of a user counts; a score is the movie's own."""
        nothing = np.empty(0, dtype=np.int32)
        vector = self.user_vectors(query)[0]
        counts = self.item_vectors()[:, 0]

        def contributions(items: Rows) -> Contributions:
            return Contributions(nothing, np.empty((len(items), 0)), counts[items])

        return UserView(nothing, lambda: counts, vector, contributions)

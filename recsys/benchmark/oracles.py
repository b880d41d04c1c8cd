"""The ends of a table's scale: what chance reaches, and what knowing the test does.

Legend: Q queries, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.files import fingerprint
from recsys.data.interactions import Interactions
from recsys.data.split import TrainingData
from recsys.queries.query import Query
from recsys.recommenders.base import Array, Facts, Recommender
from recsys.seeding import stream


@dataclass(frozen=True)
class RandomConfig:
    """The seed of what is drawn."""

    seed: int = 0


class RandomScores(Recommender):
    """Scores that are drawn, and are always the same for one user and history."""

    name = "random"
    config_class = RandomConfig
    facts = Facts("statistics", "scores that are drawn: chance", random=True)
    parameters = 0

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Counts the movies."""
        return {"n_items": np.array(len(data.train.items))}

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) uniform draws."""
        n_items = int(self.arrays()["n_items"])
        self._require_items(query, n_items)
        scores = np.empty((len(query), n_items), dtype=np.float32)
        for row, user in enumerate(query.users):
            start, stop = query.histories.indptr[row : row + 2]
            history = np.sort(query.histories.indices[start:stop]).astype(np.int64)
            name = fingerprint((str(user), history))
            scores[row] = stream(self.config.seed, name).random(n_items, dtype=np.float32)
        return scores


@dataclass(frozen=True)
class TruePopularityConfig:
    """Nothing to choose."""


class TruePopularity(Recommender):
    """Scores a movie by all ratings it has, those to be predicted among them.

    What no model can know of a movie that nobody has rated: how many will.
    """

    name = "true-popularity"
    config_class = TruePopularityConfig
    facts = Facts("statistics", "how many ratings a movie has, those to be predicted among them")

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Counts the ratings that may be known."""
        return {"counts": (data.train.item_counts() + data.valid.item_counts()).astype(np.float32)}

    def see(self, test: Interactions) -> None:
        """Counts those that may not."""
        self._arrays = {"counts": self.arrays()["counts"] + test.item_counts()}

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) the counts in every row."""
        counts = self.arrays()["counts"]
        self._require_items(query, len(counts))
        return np.tile(counts.astype(np.float32), (len(query), 1))

    @property
    def parameters(self) -> int:
        """The counts."""
        return int(self.arrays()["counts"].size)

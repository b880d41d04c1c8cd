"""Item-kNN in both its roles, so that one row of a table is one model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.queries.query import Query, RatingPrediction
from recsys.recommenders.item_knn.ranking import ItemKNNRanking, RankingConfig
from recsys.recommenders.item_knn.rating import ItemKNNRating, RatingConfig


@dataclass(frozen=True)
class ItemKNNConfig:
    """How movies become neighbours.

    Attributes:
        ranking: cosine over who rated what.
        rating: correlation of what the biases leave of the stars.
    """

    ranking: RankingConfig = field(default_factory=RankingConfig)
    rating: RatingConfig = field(default_factory=RatingConfig)


class ItemKNN:
    """Ranks by ``ItemKNNRanking`` and predicts by ``ItemKNNRating``."""

    name = "item-knn"

    def __init__(self, config: ItemKNNConfig | None = None) -> None:
        self.config = config or ItemKNNConfig()
        self._ranking = ItemKNNRanking(self.config.ranking)
        self._rating = ItemKNNRating(self.config.rating)

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:
        """Fits both roles."""
        self._ranking.fit(train, valid, catalogue)
        self._rating.fit(train, valid, catalogue)
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) summed similarity to the movies of the history."""
        return self._ranking.score(query)

    def predict(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs."""
        return self._rating.predict(query, rows, items)

    @property
    def parameters(self) -> int:
        """Those of both roles.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return self._ranking.parameters + self._rating.parameters

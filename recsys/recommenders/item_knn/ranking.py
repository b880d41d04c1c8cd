"""Movies watched by the same people: cosine item-kNN over binary interactions.

Legend: Q queries, I items, k neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import ConfigError
from recsys.queries.query import Query
from recsys.recommenders.checks import require_fitted, require_items
from recsys.recommenders.item_knn.neighbours import keep_best
from recsys.recommenders.joint.histories import rated_mask

NO_ZERO_DIVISION = 1e-6


@dataclass(frozen=True)
class RankingConfig:
    """How the cosine neighbours are chosen.

    Attributes:
        k: neighbours kept of each movie.
        shrink: added to the product of the norms, in units of interactions.

    Raises:
        ConfigError: ``k`` is below 1 or ``shrink`` below 0.
    """

    k: int = 100
    shrink: float = 0.0

    def __post_init__(self) -> None:
        if self.k < 1 or not self.shrink >= 0:
            raise ConfigError(f"{self}: k must be at least 1 and shrink at least 0")


def cosine_neighbours(interactions_matrix: sp.csr_array, config: RankingConfig) -> sp.csr_array:
    """(I, I) row i holds the similarities of movie i to its ``k`` nearest movies.

    ``s_ij = n_ij / (√n_i √n_j + shrink + 1e-6)`` for binary interactions, the convention of Aiolli,
    Efficient Top-N Recommendation for Very Large Scale Binary Rated Datasets, RecSys 2013, and of
    the item-kNN that RecBole benchmarks. A movie is not its own neighbour; ties go to the lower
    row.
    """
    matrix = interactions_matrix.tocsc()
    transposed = matrix.T.tocsr()
    norms = np.sqrt(np.diff(matrix.indptr))

    def similarity(start: int, stop: int) -> NDArray[np.floating[Any]]:
        together = (transposed[start:stop] @ matrix).toarray()
        return np.asarray(
            together / (np.outer(norms[start:stop], norms) + config.shrink + NO_ZERO_DIVISION)
        )

    return keep_best(similarity, matrix.shape[1], config.k)


class ItemKNNRanking:
    """Scores a movie by its summed similarity to the movies of the history."""

    name = "item-knn"

    def __init__(self, config: RankingConfig | None = None) -> None:
        self.config = config or RankingConfig()
        self._neighbours: sp.csr_array | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Finds the neighbours; every rating counts as 1."""
        self._neighbours = cosine_neighbours(rated_mask(train.matrix()), self.config)
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) sums over a movie's own neighbours; 0 where the history holds none of them."""
        neighbours = require_fitted(self._neighbours, self.name)
        require_items(query, neighbours.shape[0], self.name)
        scores = rated_mask(query.histories) @ neighbours.T
        return np.asarray(scores.toarray(), dtype=np.float32)

    @property
    def parameters(self) -> int:
        """Similarities that are kept.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return int(require_fitted(self._neighbours, self.name).nnz)

"""EASE cut to few dimensions, so that an index can hold it.

Legend: Q queries, U users, I items, D rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Query, rated_mask
from recsys.queries.topk import inner_products
from recsys.recommenders.base import (
    Array,
    Contributions,
    Facts,
    Floats,
    Rows,
    UserView,
    VectorModel,
)
from recsys.recommenders.closed_form.weights import ease_weights


@dataclass(frozen=True)
class RankReducedEaseConfig:
    """How EASE is fitted and cut.

    Attributes:
        rank: D; the rank is that of the weights where they have fewer dimensions.
        l2: λ of EASE, in units of interactions.

    Raises:
        ConfigError: the rank is below 1.
    """

    rank: int = 128
    l2: float = 300.0

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ConfigError(f"rank is {self.rank}", hint="keep at least one dimension")


def leading_directions(
    weights: NDArray[np.floating[Any]],
    interactions_matrix: sp.csr_array,
    config: RankReducedEaseConfig,
) -> NDArray[np.float64]:
    """(I, D) orthonormal V for which ``B V Vᵀ`` stands in best for the weights B.

    No B' of rank D has a smaller ``‖XB − XB'‖² + λ‖B − B'‖²``: what is kept are the scores that
    training users get, not the weights as numbers. V holds the leading eigenvectors of
    ``Bᵀ (XᵀX + λ) B`` (Mukherjee and Zhu, Reduced Rank Ridge Regression and Its Kernel Extensions,
    Stat. Anal. Data Min. 2011; Eckart and Young in the metric of the ridge loss).

    Args:
        weights: (I, I) B.
        interactions_matrix: (U, I) X.
        config: D and λ.
    """
    exact = weights.astype(np.float64)
    scores = interactions_matrix.astype(np.float64) @ exact
    moments = scores.T @ scores + config.l2 * (exact.T @ exact)
    n_items = len(moments)
    kept = [max(0, n_items - config.rank), n_items - 1]
    _, directions = scipy.linalg.eigh(moments, subset_by_index=kept)
    return np.asarray(directions[:, ::-1])


class RankReducedEase(VectorModel):
    """EASE whose scores are inner products of D dimensions: ``(x B V) · V_i``."""

    name = "ease-low-rank"
    config_class = RankReducedEaseConfig
    facts = Facts("embeddings", "EASE cut to a rank, so that an index can serve it")

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Solves for the weights and cuts them; every rating counts as 1.

        Raises:
            ConfigError: λ is not positive.
        """
        matrix = rated_mask(data.train.matrix())
        weights = ease_weights(matrix, self.config.l2)
        directions = leading_directions(weights, matrix, self.config)
        into = (weights.astype(np.float64) @ directions).astype(np.float32)
        return {"into": into, "out": directions.astype(np.float32)}

    def user_vectors(self, query: Query) -> Floats:
        """(Q, D) ``x B V``, x the binary history; 0 for an empty history."""
        into = self.arrays()["into"]
        self._require_items(query, len(into))
        return np.asarray(rated_mask(query.histories) @ into, dtype=np.float32)

    def item_vectors(self) -> Floats:
        """(I, D) V."""
        return np.array(self.arrays()["out"])

    @property
    def parameters(self) -> int:
        """Numbers learnt: 2·I·D."""
        return sum(array.size for array in self.arrays().values())

    def view(self, query: Query) -> UserView:
        """One user: every movie of the history adds its own inner product."""
        rows, vector = query.histories.indices, self.user_vectors(query)

        def contributions(items: Rows) -> Contributions:
            values = self.arrays()["out"][items] @ self.arrays()["into"][rows].T
            return Contributions(rows, values, np.zeros(len(items)))

        return UserView(
            rows, lambda: inner_products(vector, self.item_vectors())[0], vector[0], contributions
        )

"""EASE cut to few dimensions, so that an index can hold it.

Legend: Q queries, U users, I items, D rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import ConfigError
from recsys.queries.query import Query
from recsys.recommenders.checks import require_fitted, require_items
from recsys.recommenders.closed_form.weights import ease_weights
from recsys.recommenders.joint.histories import rated_mask


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


class RankReducedEase:
    """EASE whose scores are inner products of D dimensions: ``(x B V) · V_i``."""

    name = "ease-low-rank"

    def __init__(self, config: RankReducedEaseConfig | None = None) -> None:
        self.config = config or RankReducedEaseConfig()
        self._vectors: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Solves for the weights and cuts them; every rating counts as 1.

        Raises:
            ConfigError: λ is not positive.
        """
        matrix = rated_mask(train.matrix())
        weights = ease_weights(matrix, self.config.l2)
        directions = leading_directions(weights, matrix, self.config)
        into = (weights.astype(np.float64) @ directions).astype(np.float32)
        self._vectors = into, directions.astype(np.float32)
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores; all 0 for an empty history."""
        return self.user_vectors(query) @ self.item_vectors().T

    def user_vectors(self, query: Query) -> NDArray[np.float32]:
        """(Q, D) ``x B V``, x the binary history."""
        into, _ = require_fitted(self._vectors, self.name)
        require_items(query, len(into), self.name)
        return np.asarray(rated_mask(query.histories) @ into, dtype=np.float32)

    def item_vectors(self) -> NDArray[np.float32]:
        """(I, D) V."""
        _, out = require_fitted(self._vectors, self.name)
        return out.copy()

    @property
    def parameters(self) -> int:
        """Numbers learnt: 2·I·D."""
        return sum(vectors.size for vectors in require_fitted(self._vectors, self.name))

"""Item-kNN: cosine of who rated what for lists, adjusted cosine of residuals for stars.

Legend: Q queries, U users, I items, N pairs, k neighbours; e residual, s similarity, b baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from recsys.data.split import TrainingData
from recsys.queries.query import Query, RatingPrediction, Rows, rated_mask
from recsys.queries.topk import top_k
from recsys.recommenders.base import Array, Facts
from recsys.recommenders.bias import (
    BiasConfig,
    Biases,
    clipped,
    fit_biases,
)
from recsys.recommenders.linear import ItemWeights
from recsys.recommenders.options import Options

BLOCK_BYTES = 32 * 2**20


def keep_best(
    similarity: Callable[[int, int], NDArray[np.floating[Any]]], n_items: int, k: int
) -> sp.csr_array:
    """The ``k`` most similar others of every item; similarities of 0 or less are not kept.

    Args:
        similarity: gives the (B, I) similarities of the items ``start … stop-1`` to all. It is
            called with blocks small enough for one dense array of 64-bit numbers to stay within
            ``BLOCK_BYTES``, and the array it gives is altered.
        n_items: I.
        k: neighbours of an item.

    Returns:
        (I, I) float32, row i holding the neighbours of item i.
    """
    step = max(1, BLOCK_BYTES // (8 * max(1, n_items)))
    blocks = [
        _best_of_block(similarity(start, min(start + step, n_items)), start, k)
        for start in range(0, n_items, step)
    ]
    return sp.csr_array(sp.vstack(blocks, format="csr"))


def _best_of_block(similar: NDArray[np.floating[Any]], start: int, k: int) -> sp.csr_array:
    own = np.arange(len(similar))
    similar[own, start + own] = 0
    best = top_k(np.where(similar > 0, similar, -np.inf), min(k, similar.shape[1]))
    found = best.items >= 0
    rows = np.repeat(own, found.sum(axis=1))
    return sp.csr_array((best.scores[found], (rows, best.items[found])), shape=similar.shape)


NO_ZERO_DIVISION = 1e-6
PAIRS_AT_A_TIME = 8192


@dataclass(frozen=True)
class ItemKNNConfig(Options):
    """How movies become neighbours; the defaults for stars were chosen within train of u1.

    Attributes:
        k: neighbours kept of each movie, for lists and for stars.
        shrink: for lists: added to the product of the norms, in units of interactions.
        support: for stars: common raters at which a similarity counts half.
        star_shrink: for stars: added to the summed similarities, which pulls towards the biases.
        user_l2: λ of the user biases, see ``BiasConfig``.
        item_l2: λ of the item biases.
    """

    k: PositiveInt = 100
    shrink: NonNegativeFloat = 0.0
    support: NonNegativeFloat = 100.0
    star_shrink: PositiveFloat = 0.1
    user_l2: PositiveFloat = 5.0
    item_l2: PositiveFloat = 2.0


def cosine_neighbours(interactions_matrix: sp.csr_array, config: ItemKNNConfig) -> sp.csr_array:
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


def residual_neighbours(residuals: sp.csr_array, config: ItemKNNConfig) -> sp.csr_array:
    """(I, I) row i holds the shrunk adjusted cosines of movie i with its ``k`` nearest movies.

    ``s_ij = n_ij / (n_ij + support) · Σ e_ui e_uj / (‖e_i‖ ‖e_j‖)`` with n_ij common raters. It is
    the adjusted cosine of Sarwar et al., Item-Based Collaborative Filtering, WWW 2001, with
    residuals in place of deviations from the user's mean, shrunk as the correlations of Koren,
    Factor in the Neighbors, TKDD 2010. The norms are over *all* raters, so movies with few raters
    in common stay apart. Movies that are rated alike explain each other; opposites are not used.
    Both choices validated better than their alternatives.
    """
    left, rated = residuals.tocsc(), rated_mask(residuals).tocsc()
    left_rows, rated_rows = left.T.tocsr(), rated.T.tocsr()
    norms = np.sqrt(np.asarray(left.power(2).sum(axis=0)))
    norms[norms == 0] = 1

    def similarity(start: int, stop: int) -> NDArray[np.floating[Any]]:
        together = (left_rows[start:stop] @ left).toarray()
        count = (rated_rows[start:stop] @ rated).toarray()
        trust = count / np.maximum(count + config.support, 1)
        return np.asarray(together / np.outer(norms[start:stop], norms) * trust)

    return keep_best(similarity, left.shape[1], config.k)


class ItemKNN(ItemWeights):
    """Ranks by summed similarity to the history; explains residuals by similar movies.

    Stars are ``b_ui + Σ s_ij e_uj / (Σ|s_ij| + shrink)`` over the neighbours j that u rated.
    """

    name = "item-knn"
    config_class = ItemKNNConfig
    facts = Facts(
        "item-weights",
        "cosine of who rated what for lists, correlation of what biases leave for stars",
        "Aiolli, RecSys 2013; Sarwar et al., WWW 2001",
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Finds both kinds of neighbours.

        Raises:
            ConfigError: there is no rating to learn from.
        """
        config, ratings = self.config, data.train.matrix()
        biases = fit_biases(data.train, BiasConfig(config.user_l2, config.item_l2))
        return {
            "weights": sp.csr_array(cosine_neighbours(rated_mask(ratings), config).T),
            "star_neighbours": residual_neighbours(biases.residuals(ratings), config),
            **biases.arrays(),
        }

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Stars of N pairs; the bias model's where the user rated no neighbour of the movie."""
        biases, neighbours = Biases.of(self.arrays()), self.arrays()["star_neighbours"]
        self._require_items(query, len(biases.item))
        stars = biases.baseline(query.histories, rows, items)
        residuals = biases.residuals(query.histories)
        for start in range(0, len(stars), PAIRS_AT_A_TIME):
            chosen = slice(start, start + PAIRS_AT_A_TIME)
            stars[chosen] += self._correction(neighbours[items[chosen]], residuals[rows[chosen]])
        return RatingPrediction(clipped(stars, biases.scale))

    def _correction(self, similar: sp.csr_array, residuals: sp.csr_array) -> NDArray[np.float64]:
        explained = similar.multiply(residuals).sum(axis=1)
        weight = similar.multiply(rated_mask(residuals)).sum(axis=1)
        return np.asarray(explained / (weight + self.config.star_shrink), dtype=np.float64)

    @property
    def parameters(self) -> int:
        """Similarities that are kept, μ and the b_i."""
        kept = sum(int(self.arrays()[name].nnz) for name in ("weights", "star_neighbours"))
        return kept + 1 + len(self.arrays()["item_bias"])

"""EASE^R as a recommender: the strongest simple baseline of top-k recommendation.

Legend: Q queries, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Floats, Query, rated_mask
from recsys.recommenders.base import Addends, Array, Contributions, Facts
from recsys.recommenders.content.kernel import content_kernel, modality_tables
from recsys.recommenders.linear import ItemWeights, VectorModel
from recsys.recommenders.options import Options


def ease_weights(interactions_matrix: sp.csr_array, l2: float) -> Floats:
    """EASE^R: the item-item weights that best rebuild a matrix without using the diagonal.

    Minimises ``‖X − XB‖² + λ‖B‖²`` with ``diag(B) = 0``, which gives, with ``P = (XᵀX + λ)⁻¹``,
    ``B_ij = −P_ij / P_jj`` (Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019).
    Time grows with I³, memory with I².

    Args:
        interactions_matrix: (U, I) X, used as given: binarise it first if that is meant.
        l2: λ, in units of interactions.

    Returns:
        (I, I) weights; scores are ``X @ weights``.

    Raises:
        ConfigError: ``l2`` is not positive, so that the Gram matrix may have no inverse.
    """
    if not l2 > 0:
        raise ConfigError(f"EASE needs l2 above 0, it is {l2}")
    matrix = interactions_matrix.astype(np.float64)
    gram = gram_matrix(matrix)
    gram[np.diag_indices_from(gram)] += l2
    factor = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    inverse = scipy.linalg.cho_solve(factor, np.eye(len(gram)), overwrite_b=True)
    return weights_of_inverse(inverse)


def gram_matrix(interactions_matrix: sp.csr_array) -> NDArray[np.float64]:
    """(I, I) ``XᵀX``, dense."""
    return np.asarray((interactions_matrix.T @ interactions_matrix).toarray(), dtype=np.float64)


def weights_of_inverse(inverse: NDArray[np.floating[Any]]) -> Floats:
    """(I, I) ``B_ij = −P_ij / P_jj`` of the inverse P of a Gram matrix, 0 on the diagonal."""
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, dtype=np.float32)


def weights_of_gram(gram: NDArray[np.floating[Any]]) -> Floats:
    """(I, I) ``B_ij = −P_ij / P_jj`` with ``P`` the inverse of the Gram matrix, 0 on the diagonal.

    It is what EASE^R solves for (Steck, WWW 2019, eq. 8) when the Gram matrix is ``XᵀX + λ``, and
    ``I − P diag(1 / diag P)`` for any other, symmetric or not. Time grows with I³.

    Args:
        gram: (I, I), regularised; it is overwritten.

    Raises:
        ConfigError: it has no inverse, or one that no item-item model can be made of.
    """
    try:
        inverse = scipy.linalg.inv(gram, overwrite_a=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        inverse = np.full_like(gram, np.nan)
    if not np.isfinite(inverse).all() or (np.diag(inverse) == 0).any():
        raise ConfigError(
            "the Gram matrix has no inverse with what was added to it",
            hint="give content less weight, or raise l2",
        )
    return weights_of_inverse(inverse)


@dataclass(frozen=True)
class EaseConfig(Options):
    """How EASE is fitted.

    Attributes:
        l2: λ, in units of interactions; the default was chosen on the validation part of
            RecBole's split of MovieLens-100K, where 250 to 500 is nearly flat.
    """

    l2: float = 300.0


class Ease(ItemWeights):
    """Scores are the binary history times the weights of ``ease_weights``."""

    name = "ease"
    config_class = EaseConfig
    facts = Facts(
        "item-weights", "EASE: linear item-item weights in closed form", "Steck, WWW 2019"
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Solves for the weights; every rating counts as 1.

        Raises:
            ConfigError: λ is not positive.
        """
        return {"weights": ease_weights(rated_mask(data.train.matrix()), self.config.l2)}


_MAIN = ("text", "metadata")


@dataclass(frozen=True)
class EaseContentConfig(Options):
    """How EASE is fitted, and how many ratings content is worth.

    The defaults were chosen by NDCG@10 on the validation parts of RecBole's splits of
    MovieLens-100K with seeds 2020 and 2021, five modalities; EASE reaches 0.258 and 0.268 there,
    the defaults 0.263 and 0.274. With equal weights it is 0.261 and 0.270.

    Attributes:
        content: c, the users that a pair of movies with equal content and unit weight is worth.
        l2: λ, in units of interactions.
        others: weight of the cosines of every modality besides text and metadata, which weigh 1.
    """

    content: NonNegativeFloat = 20.0
    l2: PositiveFloat = 300.0
    others: NonNegativeFloat = 0.0


class EaseContent(ItemWeights):
    """Scores are the binary history times the weights of a content-aware EASE.

    Content is made up users: with ``cK = ZᵀZ``, EASE of the ratings X stacked on Z minimises
    ``‖X − XB‖² + ‖Z − ZB‖² + λ‖B‖²`` over ``diag(B) = 0``, and its Gram matrix is
    ``XᵀX + cK + λ``. K is a weighted sum of cosines, one addend a modality. A movie that nobody
    rated has weights through K alone. Time grows with I³.
    """

    name = "ease-content"
    config_class = EaseContentConfig
    facts = Facts(
        "item-weights", "EASE with the content of movies in its Gram matrix", reads_content=True
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Solves for the weights; every rating counts as 1.

        Raises:
            DataError: the movies have no modality.
        """
        tables = modality_tables(data.catalogue.modalities, None, self.name)
        weights = {t.name: self.config.others for t in tables if t.name not in _MAIN}
        matrix = rated_mask(data.train.matrix()).astype(np.float64)
        gram = gram_matrix(matrix)
        gram += self.config.content * content_kernel(tables, weights, centred=False)
        gram[np.diag_indices_from(gram)] += self.config.l2
        return {"weights": weights_of_gram(gram)}


@dataclass(frozen=True)
class RankReducedEaseConfig(Options):
    """How EASE is fitted and cut.

    Attributes:
        rank: D; the rank is that of the weights where they have fewer dimensions.
        l2: λ of EASE, in units of interactions.
    """

    rank: PositiveInt = 128
    l2: float = 300.0


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

    def _addends(self, query: Query) -> Addends:
        """Every movie of the history adds its own inner product."""
        rows = query.histories.indices
        own, out = self.arrays()["into"][rows], self.arrays()["out"]
        return rows, lambda items: Contributions(rows, out[items] @ own.T, np.zeros(len(items)))

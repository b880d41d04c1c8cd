"""MARec: EASE that is aligned with the content of movies that few people rated.

Legend: Q queries, U users, I items, M modalities, W rated items, B users of a block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveFloat

from recsys.data.catalogue import ModalityTable
from recsys.data.split import TrainingData
from recsys.queries.query import rated_mask
from recsys.recommenders.base import Array, Facts
from recsys.recommenders.closed_form.ease import gram_matrix, weights_of_gram
from recsys.recommenders.content.kernel import centred_vectors, modality_tables
from recsys.recommenders.linear import ItemWeights
from recsys.recommenders.options import Options

Floats = NDArray[np.floating[Any]]

UNRATED_WEIGHT = 0.2
"""What a pair without a rating weighs, beside 1 for one with, when modalities are weighed: the
authors' choice."""

BLOCK_BYTES = 32 * 2**20


@dataclass(frozen=True)
class MARecConfig(Options):
    """How far, and for which movies, content completes the ratings.

    The paper's α scales the completion and its β the movies it is for; only αβ enters, so that is
    what there is to choose. Over the cold validation movies of MovieLens-100K's cold-item splits
    (seeds 2020 to 2022, five modalities) a ``smoothing`` of 0, 1, 20 and infinity reaches an
    NDCG@10 of 0.307, 0.326, 0.336 and 0.337, a ``percentile`` of 10, 30 and 60 0.336, 0.344 and
    0.352, an ``l2`` of 100, 300 and 500 0.337, 0.336 and 0.333.

    Attributes:
        l2: λ₁, in units of interactions.
        alignment: αβ, the weight of the completion for a movie without any rating.
        percentile: p; movies with fewer ratings than this percentile of the rated movies are
            completed too, the less the more they have.
        smoothing: δ, added to the product of two norms, in units of a modality's mean squared norm.
    """

    l2: PositiveFloat = 300.0
    alignment: NonNegativeFloat = 10.0
    percentile: Annotated[float, Field(ge=0, le=100)] = 10.0
    smoothing: NonNegativeFloat = 20.0


class MARec(ItemWeights):
    """Scores are the binary history times the weights of EASE on a completed Gram matrix.

    Monteil et al., MARec: Metadata Alignment for cold-start Recommendation, RecSys 2024, with EASE
    for its backbone. With x_im modality m of movie i:

    - Similarities: ``G^m_ij = x_im · x_jm / (‖x_im‖ ‖x_jm‖ + δ)``, 0 on the diagonal.
    - Alignment: ``X̃ = Σ_m μ_m X G^m``, where μ and an intercept are the least-squares regression of
      X on the ``X G^m``, pairs without a rating weighing 0.2.
    - Who needs it: ``D = diag(d)``, ``d_j = (1 − n_j / p)₊`` for a movie with n_j ratings.
    - Closed form: ``P = (XᵀX + λ₁ + αβ XᵀX̃ D)⁻¹``, ``B̃ = P (XᵀX + αβ XᵀX̃ D)``,
      ``B = B̃ − P diag(diag B̃ / diag P)``, which is ``B_ij = −P_ij / P_jj`` off the diagonal.

    Two things are not the paper's. Its features are counts, ours dense: vectors are centred and
    scaled to a mean squared norm of 1, so that δ means the same for all modalities. And μ and p
    are of the rated movies, since here a cold movie has an empty column. Time grows with I³.
    """

    name = "marec"
    config_class = MARecConfig
    facts = Facts(
        "item-weights",
        "MARec: EASE aligned with the content of movies that few people rated",
        "Monteil et al., RecSys 2024",
        reads_content=True,
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Weighs the modalities and solves for the weights; every rating counts as 1.

        Raises:
            ConfigError: the completed Gram matrix has no inverse.
            DataError: the movies have no modality.
        """
        tables = modality_tables(data.catalogue.modalities, None, self.name)
        similar = [smoothed_cosines(table, self.config.smoothing) for table in tables]
        matrix = rated_mask(data.train.matrix()).astype(np.float64)
        gram = gram_matrix(matrix)
        weighed = zip(modality_weights(matrix, similar), similar, strict=True)
        blend = sum(mu * one for mu, one in weighed)
        needs = self.config.alignment * _needs(data.train.item_counts(), self.config.percentile)
        gram += (gram @ blend) * needs
        gram[np.diag_indices_from(gram)] += self.config.l2
        return {"weights": weights_of_gram(gram)}


def smoothed_cosines(table: ModalityTable, smoothing: float) -> NDArray[np.float64]:
    """(I, I) G of one modality; 0 where either movie lacks it, and on the diagonal."""
    vectors = centred_vectors(table)
    squares = np.square(vectors).sum(axis=1)
    scale = squares.sum() / max(1, np.count_nonzero(table.present))
    norms = np.sqrt(squares)
    smooth = np.outer(norms, norms) + smoothing * scale
    similar = (vectors @ vectors.T) / np.where(smooth > 0, smooth, np.inf)
    np.fill_diagonal(similar, 0.0)
    return np.asarray(similar)


def modality_weights(matrix: sp.csr_array, similar: Sequence[Floats]) -> NDArray[np.float64]:
    """(M,) μ: how far each modality explains who rated what, beside the others.

    Args:
        matrix: (U, I) X, binary.
        similar: M matrices G.
    """
    rated = np.flatnonzero(matrix.sum(axis=0) > 0)
    columns = [one[:, rated] for one in similar]
    moments, products = np.zeros((len(similar) + 1,) * 2), np.zeros(len(similar) + 1)
    step = max(1, BLOCK_BYTES // (8 * (len(similar) + 2) * max(1, len(rated))))
    for start in range(0, matrix.shape[0], step):
        block = matrix[start : start + step]
        truth = block[:, rated].toarray().ravel()
        explaining = np.stack([np.ones(len(truth)), *((block @ g).ravel() for g in columns)])
        weighted = explaining * np.where(truth > 0, 1.0, UNRATED_WEIGHT)
        moments += weighted @ explaining.T
        products += weighted @ truth
    # A modality that no rated movie has explains nothing, and the moments then have no inverse.
    return np.asarray(np.linalg.lstsq(moments, products, rcond=None)[0][1:])


def _needs(counts: NDArray[np.integer[Any]], percentile: float) -> NDArray[np.float64]:
    """(I,) d: 1 for a movie without ratings, 0 for one with p or more."""
    known = counts[counts > 0]
    limit = max(1.0, float(np.percentile(known, percentile))) if len(known) else 1.0
    return np.asarray((1.0 - counts / limit).clip(0.0))

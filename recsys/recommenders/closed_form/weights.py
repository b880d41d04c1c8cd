"""Item-item models with a closed form: baselines, and teachers for training.

Legend: U users, I items.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.errors import ConfigError


def ease_weights(interactions_matrix: sp.csr_array, l2: float) -> NDArray[np.float32]:
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


def weights_of_inverse(inverse: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """(I, I) ``B_ij = −P_ij / P_jj`` of the inverse P of a Gram matrix, 0 on the diagonal."""
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, dtype=np.float32)


def weights_of_gram(gram: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
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

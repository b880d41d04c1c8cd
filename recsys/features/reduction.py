"""Sparse rows made short and dense.

Legend: I items, V vocabulary, R dimensions kept.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.errors import MissingExtra

NEGLIGIBLE = 1e-6
"""Below this share of the largest, a singular value or the length of a row is rounding noise."""


def normalise_rows(matrix: sp.csr_array) -> sp.csr_array:
    """The same (I, V) rows with Euclidean length 1; rows without weight stay zero."""
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    divisor = np.repeat(np.where(norms > 0, norms, 1), np.diff(matrix.indptr))
    return sp.csr_array((matrix.data / divisor, matrix.indices, matrix.indptr), matrix.shape)


def truncated_svd(matrix: sp.csr_array, dim: int, seed: int) -> NDArray[np.float64]:
    """Coordinates of (I, V) rows along their first right singular vectors.

    The rows are not centred, so that a row without entries stays at zero. Randomised algorithm of
    Halko, Martinsson and Tropp (2011), https://doi.org/10.1137/090771806.

    Returns:
        (I, R) with R the smaller of ``dim`` and the rank.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.decomposition import TruncatedSVD
    except ImportError:
        raise MissingExtra("scikit-learn", "train") from None
    most = min(dim, *matrix.shape)
    if most == 0 or matrix.nnz == 0:
        return np.zeros((matrix.shape[0], 0))
    if matrix.shape[1] == 1:
        return np.asarray(matrix.toarray())
    svd = TruncatedSVD(most, random_state=seed)
    scores = svd.fit_transform(matrix)
    kept = svd.singular_values_ > NEGLIGIBLE * svd.singular_values_.max()
    return np.asarray(scores[:, kept])

"""Item-item weights from a Gram matrix, whatever was added to it.

Legend: I items.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from recsys.errors import ConfigError
from recsys.recommenders.closed_form.weights import weights_of_inverse


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

"""Vectors at length one, of which only the direction counts.

Legend: P vectors, D dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

ROUNDING = 1e-6
"""A vector of this length is nothing but rounding."""


def unit(vectors: Floats) -> Floats:
    """(P, D) the vectors at length 1; those at the origin stay there."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > ROUNDING, norms, np.inf))

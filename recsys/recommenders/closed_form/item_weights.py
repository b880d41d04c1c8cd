"""Recommenders whose scores are the binary history times item-item weights.

Legend: Q queries, I items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.queries.query import Query
from recsys.recommenders.checks import require_fitted, require_items
from recsys.recommenders.joint.histories import rated_mask


class ItemWeights:
    """Scores ``x B``; what makes the (I, I) weights B is left to the models.

    Attributes:
        name: of the model.
    """

    name: str

    def __init__(self) -> None:
        self._weights: NDArray[np.float32] | None = None

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores; all 0 for an empty history.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        weights = require_fitted(self._weights, self.name)
        require_items(query, len(weights), self.name)
        return np.asarray(rated_mask(query.histories) @ weights, dtype=np.float32)

    @property
    def parameters(self) -> int:
        """Weights that are not 0.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return int(np.count_nonzero(require_fitted(self._weights, self.name)))

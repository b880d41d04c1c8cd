"""EASE^R as a recommender: the strongest simple baseline of top-k recommendation.

Legend: Q queries, I items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.recommenders.closed_form.item_weights import ItemWeights
from recsys.recommenders.closed_form.weights import ease_weights
from recsys.recommenders.joint.histories import rated_mask


@dataclass(frozen=True)
class EaseConfig:
    """How EASE is fitted.

    Attributes:
        l2: λ, in units of interactions; the default was chosen on the validation part of
            RecBole's split of MovieLens-100K, where 250 to 500 is nearly flat.
    """

    l2: float = 300.0


class Ease(ItemWeights):
    """Scores are the binary history times the weights of ``ease_weights``."""

    name = "ease"

    def __init__(self, config: EaseConfig | None = None) -> None:
        super().__init__()
        self.config = config or EaseConfig()

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Solves for the weights; every rating counts as 1.

        Raises:
            ConfigError: λ is not positive.
        """
        self._weights = ease_weights(rated_mask(train.matrix()), self.config.l2)
        return self

"""EASE^R as a recommender: the strongest simple baseline of top-k recommendation.

Legend: Q queries, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.data.split import TrainingData
from recsys.queries.query import rated_mask
from recsys.recommenders.base import Array, Facts, ItemWeights
from recsys.recommenders.closed_form.weights import ease_weights


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

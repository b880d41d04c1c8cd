"""EASE whose Gram matrix knows what movies are alike.

Legend: Q queries, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import rated_mask
from recsys.recommenders.base import Array, Facts, ItemWeights
from recsys.recommenders.closed_form.weights import gram_matrix, weights_of_gram
from recsys.recommenders.content.kernel import content_kernel, modality_tables

_MAIN = ("text", "metadata")


@dataclass(frozen=True)
class EaseContentConfig:
    """How EASE is fitted, and how many ratings content is worth.

    The defaults were chosen by NDCG@10 on the validation parts of RecBole's splits of
    MovieLens-100K with seeds 2020 and 2021, five modalities; EASE reaches 0.258 and 0.268 there,
    the defaults 0.263 and 0.274. With equal weights it is 0.261 and 0.270.

    Attributes:
        content: c, the users that a pair of movies with equal content and unit weight is worth.
        l2: λ, in units of interactions.
        others: weight of the cosines of every modality besides text and metadata, which weigh 1.

    Raises:
        ConfigError: ``content`` or ``others`` is below 0, or ``l2`` not above 0.
    """

    content: float = 20.0
    l2: float = 300.0
    others: float = 0.0

    def __post_init__(self) -> None:
        if not self.content >= 0 or not self.others >= 0 or not self.l2 > 0:
            raise ConfigError(f"{self}: content and others must be at least 0, l2 above 0")


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
        "item-weights",
        "EASE with the content of movies in its Gram matrix",
        reads_content=True,
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

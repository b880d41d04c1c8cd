"""VBPR: matrix factorisation by pairs, half of it on content.

Legend: K factors, C content factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.recommenders.base import Array, Facts, KnownUserFactors
from recsys.recommenders.neural.common import Schedule, content_matrix, networks


@dataclass(frozen=True)
class VBPRConfig(Schedule):
    """How VBPR is trained, besides when training stops.

    On the validation part of RecBole's split of MovieLens-100K (seed 2020, five modalities) a
    ``reg`` of 0.0001, 0.001, 0.003 and 0.01 reaches an NDCG@10 of 0.219, 0.217, 0.218 and 0.209,
    and 0.218 without content. Over the cold validation movies of its cold-item splits (seeds 2020
    and 2021) 0.001, 0.01, 0.03 and 0.1 reach 0.340, 0.355, 0.344 and 0.339.

    Attributes:
        modality: the only one that is looked at; all unless given.
        factors: K of the movies' ids.
        content_factors: C; 0 leaves the content out, which is BPR-MF.
        reg: λ of the squares of all vectors of a triple.
        learning_rate: of Adam.
        batch: triples of a step.
        seed: of every random number.

    Raises:
        ConfigError: a number of factors or λ is negative, or the learning rate not positive.
    """

    modality: str | None = None
    factors: int = 32
    content_factors: int = 32
    reg: float = 0.001
    learning_rate: float = 0.005
    batch: int = 2048
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.factors >= 0 and self.content_factors >= 0 and self.batch >= 1
        if not sizes or not self.reg >= 0 or not self.learning_rate > 0:
            raise ConfigError(f"{self}: the rates must be positive, the sizes not negative")


class VBPR(KnownUserFactors):
    """He and McAuley, VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback, AAAI 2016.

    With f_i the content of movie i (eq. 4 there, without the terms that are equal for all movies),

        x_ui = β_i + γ_u · γ_i + θ_u · (E f_i) + β' · f_i,

    trained for ``Σ ln σ(x_ui − x_uj) − λ ‖Θ‖²`` over ratings (u, i) and movies j that u did not
    rate (eq. 7), here by Adam on batches; E and β' are not regularised, as in the authors' runs. A
    movie that nobody rated has content alone: its β_i and γ_i are 0.
    """

    name = "vbpr"
    config_class = VBPRConfig
    facts = Facts(
        "factors",
        "matrix factorisation by pairs, half of it on content",
        "He and McAuley, AAAI 2016",
        reads_content=True,
        folds_in=False,
        random=True,
        stops_early=True,
        library="torch",
        extra="train",
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Trains until NDCG@10 on valid stops rising; every rating counts as 1.

        Raises:
            ConfigError: the movies do not have the modality.
            DataError: the movies have no modality at all.
            MissingExtra: torch is not installed.
        """
        content = np.zeros((len(data.train.items), 0), dtype=np.float32)
        if self.config.content_factors:
            content = content_matrix(data.catalogue, self.config.modality, self.name)
        arrays: Mapping[str, Array] = networks().train_vbpr(self.config, content, data)
        return arrays

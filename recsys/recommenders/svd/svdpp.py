"""SVD++: matrix factorisation that also learns from which movies a user chose to rate.

Paper: Koren, "Factorization Meets the Neighborhood: a Multifaceted Collaborative Filtering Model",
KDD 2008: ``r̂_ui = b_ui + q_iᵀ(p_u + |N(u)|^-½ Σ_{j∈N(u)} y_j)`` (equation 15), fitted by the steps
of its section 4. N(u) is the movies u rated in training, since MovieLens has no other feedback.
"""

from __future__ import annotations

from dataclasses import dataclass

from recsys.recommenders.svd.factor_model import FactorModel
from recsys.recommenders.svd.latent_factors import FactorConfig


@dataclass(frozen=True)
class SvdPlusPlusConfig(FactorConfig):
    """``FactorConfig`` with the defaults of the library Surprise."""

    factors: int = 20
    epochs: int = 20
    lr: float = 0.007
    reg: float = 0.02


class SvdPlusPlus(FactorModel):
    """Predicts ``μ + b_u + b_i + q_i·(p_u + |N(u)|^-½ Σ y_j)``."""

    name = "svd++"
    implicit = True

    def __init__(self, config: SvdPlusPlusConfig | None = None) -> None:
        super().__init__(config or SvdPlusPlusConfig())

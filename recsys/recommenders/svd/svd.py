"""Biased matrix factorisation by stochastic gradient descent, known as SVD since the Netflix Prize.

Paper: Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems", Computer
2009: ``r̂_ui = μ + b_i + b_u + q_iᵀp_u`` (equation 4), fitted to equation 5 by the steps of Funk,
"Netflix Update: Try This at Home", 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

from recsys.recommenders.svd.factor_model import FactorModel
from recsys.recommenders.svd.latent_factors import FactorConfig


@dataclass(frozen=True)
class SvdConfig(FactorConfig):
    """``FactorConfig`` with the defaults of the library Surprise."""

    factors: int = 100
    epochs: int = 20
    lr: float = 0.005
    reg: float = 0.02


class Svd(FactorModel):
    """Predicts ``μ + b_u + b_i + q_i·p_u``."""

    name = "svd"
    implicit = False

    def __init__(self, config: SvdConfig | None = None) -> None:
        super().__init__(config or SvdConfig())

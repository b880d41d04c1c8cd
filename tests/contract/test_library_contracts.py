"""Models of optional libraries, and EASE cut to few dimensions, keep their promises."""

from __future__ import annotations

import pytest

from recsys.recommenders.closed_form.low_rank import RankReducedEase, RankReducedEaseConfig
from recsys.recommenders.implicit_models import ImplicitALS, ImplicitALSConfig
from recsys.testing.recommender_contract import RecommenderContract, VectorRecommenderContract


class TestImplicitALS(RecommenderContract, VectorRecommenderContract):
    @pytest.fixture(autouse=True)
    def _library(self):
        pytest.importorskip("implicit")

    def make(self):
        return ImplicitALS(ImplicitALSConfig(factors=8, regularization=5.0))


class TestRankReducedEase(RecommenderContract, VectorRecommenderContract):
    def make(self):
        return RankReducedEase(RankReducedEaseConfig(rank=8, l2=20.0))

"""Neural models for movies that nobody rated keep the promises of a model."""

from __future__ import annotations

import pytest

from recsys.recommenders.registry import create
from recsys.testing.recommender_contract import (
    ColdItemContract,
    RecommenderContract,
    VectorRecommenderContract,
)

pytest.importorskip("torch", reason="training needs torch")

SHORT, LONG = {"epochs": 30, "patience": 10}, {"epochs": 60, "patience": 20}


class TestDropoutNet(RecommenderContract, ColdItemContract, VectorRecommenderContract):
    def make(self):
        sizes = {"rank": 4, "hidden": 64, "batch": 10}
        return create("dropoutnet", **sizes, l2=20.0, learning_rate=0.01, **LONG)


class TestVBPR(RecommenderContract, ColdItemContract, VectorRecommenderContract):
    def make(self):
        sizes = {"factors": 8, "content_factors": 8, "batch": 256}
        return create("vbpr", **sizes, learning_rate=0.02, **LONG)


class TestCLCRec(RecommenderContract, ColdItemContract, VectorRecommenderContract):
    def make(self):
        sizes = {"dim": 16, "hidden": 16, "negatives": 30, "batch": 128}
        return create("clcrec", **sizes, temperature=1.0, learning_rate=0.02, **SHORT)

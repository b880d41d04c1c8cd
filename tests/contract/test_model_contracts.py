"""Every model that needs no torch keeps the promises of a model."""

from __future__ import annotations

import pytest

from recsys.recommenders.registry import create
from recsys.testing.rating_contract import RatingPredictorContract
from recsys.testing.recommender_contract import (
    ColdItemContract,
    RecommenderContract,
    VectorRecommenderContract,
)


class TestPopularity(RecommenderContract, VectorRecommenderContract):
    personalised = False

    def make(self):
        return create("popularity")


class TestGenrePopularity(RecommenderContract):
    def make(self):
        return create("genre-popularity")


class TestEase(RecommenderContract):
    def make(self):
        return create("ease")


class TestRankReducedEase(RecommenderContract, VectorRecommenderContract):
    def make(self):
        return create("ease-low-rank", rank=8, l2=20.0)


class TestItemKNN(RecommenderContract, RatingPredictorContract):
    def make(self):
        return create("item-knn")


class TestImplicitALS(RecommenderContract, VectorRecommenderContract):
    def make(self):
        pytest.importorskip("implicit")
        return create("implicit-als", factors=8, regularization=5.0)


class TestImplicitBPR(RecommenderContract, VectorRecommenderContract):
    follows_popularity = False  # what is popular is drawn to lose as often as to win

    def make(self):
        pytest.importorskip("implicit")
        rates = {"learning_rate": 0.05, "regularization": 0.1, "iterations": 100}
        return create("implicit-bpr", factors=8, **rates)


class TestContentKNN(RecommenderContract, ColdItemContract):
    follows_popularity = False

    def make(self):
        return create("content-knn")


class TestPlainContentKNN(RecommenderContract, ColdItemContract):
    follows_popularity = False

    def make(self):
        return create("content-knn-plain", k=10)


class TestNearestByOneModality(RecommenderContract, ColdItemContract):
    follows_popularity = False

    def make(self):
        return create("content-knn:metadata", k=10)


class TestContentRidge(RecommenderContract, ColdItemContract):
    def make(self):
        return create("content-ridge", l2=20.0, ridge=3.0)


class TestMARec(RecommenderContract, ColdItemContract):
    def make(self):
        return create("marec", l2=20.0)


class TestEaseContent(RecommenderContract, ColdItemContract):
    def make(self):
        return create("ease-content", content=2.0, l2=20.0)


class TestGlobalMean(RatingPredictorContract):
    personalised = False

    def make(self):
        return create("global-mean")

    def test_predictions_beat_the_global_mean(self):
        """It is the global mean."""


class TestBias(RatingPredictorContract):
    personalised = False

    def make(self):
        return create("bias")


class TestSvd(RatingPredictorContract):
    def make(self):
        return create("svd", factors=4, epochs=40, lr=0.02)


class TestSvdPlusPlus(RatingPredictorContract):
    def make(self):
        return create("svd++", factors=4, epochs=40, lr=0.02)


class TestMyFMOrdinal(RatingPredictorContract):
    def make(self):
        pytest.importorskip("myfm")
        return create("myfm-ordinal-date", rank=4, samples=60)


class TestMyFMRegression(RatingPredictorContract):
    def make(self):
        pytest.importorskip("myfm")
        return create("myfm-regression-ids", rank=4, samples=60)

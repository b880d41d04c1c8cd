"""Every baseline keeps the promises of a recommender or a rating predictor."""

from __future__ import annotations

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


class TestEase(RecommenderContract):
    def make(self):
        return create("ease")


class TestItemKNN(RecommenderContract, RatingPredictorContract):
    def make(self):
        return create("item-knn")


class TestBias(RatingPredictorContract):
    personalised = False

    def make(self):
        return create("bias")


class TestContentKNN(RecommenderContract, ColdItemContract):
    follows_popularity = False

    def make(self):
        return create("content-knn")


class TestNearestByOneModality(RecommenderContract, ColdItemContract):
    follows_popularity = False

    def make(self):
        return create("content-knn:metadata", k=10)

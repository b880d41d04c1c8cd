"""Every baseline keeps the promises of a recommender or a rating predictor."""

from __future__ import annotations

from recsys.recommenders.registry import make_baseline
from recsys.testing.rating_contract import RatingPredictorContract
from recsys.testing.recommender_contract import (
    ColdItemContract,
    RecommenderContract,
    VectorRecommenderContract,
)


class TestPopularity(RecommenderContract, VectorRecommenderContract):
    personalised = False

    def make(self):
        return make_baseline("popularity")


class TestEase(RecommenderContract):
    def make(self):
        return make_baseline("ease")


class TestItemKNN(RecommenderContract, RatingPredictorContract):
    def make(self):
        return make_baseline("item-knn")


class TestBias(RatingPredictorContract):
    personalised = False

    def make(self):
        return make_baseline("bias")


class TestContentKNN(RecommenderContract, ColdItemContract):
    follows_popularity = False

    def make(self):
        return make_baseline("content-knn")


class TestNearestByOneModality(RecommenderContract, ColdItemContract):
    follows_popularity = False

    def make(self):
        return make_baseline("content-knn:metadata", k=10)

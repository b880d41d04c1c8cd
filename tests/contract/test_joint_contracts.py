"""The joint model keeps every promise there is; its ratings and its content both matter."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from support.joint import toy_joint

from recsys.queries.query import Query
from recsys.testing.contract import share_ordered
from recsys.testing.rating_contract import RatingPredictorContract
from recsys.testing.recommender_contract import (
    ColdItemContract,
    RecommenderContract,
    VectorRecommenderContract,
)
from recsys.testing.worlds import shuffled_features_world, two_genre_world

SEEDS = (0, 1, 2)


class TestJoint(
    RecommenderContract, ColdItemContract, VectorRecommenderContract, RatingPredictorContract
):
    def make(self):
        return toy_joint()

    def test_shuffled_features_leave_warm_ranking_as_good(self):
        for seed in SEEDS:
            shuffled, whole = shuffled_features_world(seed), two_genre_world(seed)
            shares = [
                share_ordered(self.score(world), *world.liking(~world.cold))
                for world in (shuffled, whole)
            ]
            assert shares[0] > 0.95
            assert shares[0] == pytest.approx(shares[1], abs=0.05)

    def test_shuffled_features_leave_cold_movies_no_better_than_each_other(self):
        shares = [self.cold_share(shuffled_features_world(seed)) for seed in SEEDS]
        assert abs(np.mean(shares) - 0.5) < 0.15
        assert min(self.cold_share(two_genre_world(seed)) for seed in SEEDS) > 0.95

    def test_who_liked_nothing_gets_the_order_of_the_biases(self):
        world = two_genre_world()
        model = self.fitted(world)
        disliked = world.train.select(world.train.rating < model.config.user.liked_min_rating)
        scores = model.score(Query.known(disliked))
        expected = np.tile(model.item_vectors()[:, -1], (len(scores), 1))
        np.testing.assert_allclose(scores, expected, atol=1e-6)

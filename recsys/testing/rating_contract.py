"""What every rating predictor promises.

Legend: N pairs of a query row and an item.
"""

# ruff: noqa: D102 - the name of a test says what it tests

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.queries.query import Query, RatingPrediction
from recsys.testing.contract import (
    ModelContract,
    require,
    share_ordered,
    strangers,
    without_history,
)
from recsys.testing.worlds import World, popularity_world, two_genre_world


class RatingPredictorContract(ModelContract):
    """Tests of a ``Recommender`` that predicts stars.

    Attributes:
        margin: how far a prediction may lie outside the rating scale, in stars; 0 for a predictor
            that clips.
    """

    margin: float = 0.0

    def predict(self, world: World, pairs: Interactions) -> RatingPrediction:
        """Predictions of the fitted subject for the users and items of some interactions."""
        query = Query.known(world.train)
        prediction: RatingPrediction = self.fitted(world).predict_ratings(
            query, pairs.user, pairs.item
        )
        return prediction

    def require_sane(self, prediction: RatingPrediction, count: int) -> None:
        """Fails unless there are ``count`` finite predictions near the scale 1 to 5."""
        mean = prediction.mean
        require(mean.shape == (count,), f"predictions have shape {mean.shape} for {count} pairs")
        require(mean.dtype == np.float32, f"predictions are {mean.dtype}")
        require(np.isfinite(mean).all(), "a prediction is not finite")
        inside = (mean >= 1 - self.margin) & (mean <= 5 + self.margin)
        require(inside.all(), f"predictions from {mean.min(initial=5)} to {mean.max(initial=1)}")
        if prediction.std is not None:
            require(prediction.std.shape == (count,), f"std has shape {prediction.std.shape}")
            require(np.isfinite(prediction.std).all(), "a standard deviation is not finite")
            require((prediction.std > 0).all(), "a standard deviation is not positive")
        if prediction.levels is not None:
            probability = prediction.levels.probability
            require((np.diff(prediction.levels.values) > 0).all(), "levels do not ascend")
            require((probability >= 0).all(), "the probability of a level is negative or NaN")
            whole = np.abs(probability.sum(axis=1) - 1) < 1e-6
            require(whole.all(), "probabilities of the levels do not add up to 1")

    def test_predictions_are_on_the_scale(self) -> None:
        for world in (two_genre_world(), popularity_world()):
            self.require_sane(self.predict(world, world.test), len(world.test))

    def test_no_pair_gives_no_prediction(self) -> None:
        world = two_genre_world()
        self.require_sane(self.predict(world, world.test.select(np.arange(0))), 0)

    def test_users_and_items_unseen_in_training_are_predicted(self) -> None:
        world = two_genre_world()
        rows, items = (grid.ravel() for grid in np.indices((2, len(world.genre))))
        for query in (without_history(world), strangers(world)):
            self.require_sane(self.fitted(world).predict_ratings(query, rows, items), len(rows))

    def test_predictions_do_not_depend_on_their_company(self) -> None:
        world = two_genre_world()
        subject, query, pairs = self.fitted(world), Query.known(world.train), world.test
        whole = subject.predict_ratings(query, pairs.user, pairs.item).mean
        backwards = subject.predict_ratings(query, pairs.user[::-1], pairs.item[::-1]).mean[::-1]
        np.testing.assert_allclose(backwards, whole, rtol=1e-5, atol=1e-5)
        for n in range(0, len(pairs), 50):
            alone = query.slice(int(pairs.user[n]), int(pairs.user[n]) + 1)
            one = subject.predict_ratings(alone, np.zeros(1, dtype=np.int32), pairs.item[n : n + 1])
            np.testing.assert_allclose(one.mean, whole[n : n + 1], rtol=1e-5, atol=1e-5)

    def test_predictions_beat_the_global_mean(self) -> None:
        worlds = [popularity_world()] + [two_genre_world()] * self.personalised
        for world in worlds:
            warm = world.test.select(~world.cold[world.test.item])
            found = _rmse(self.predict(world, warm).mean, warm.rating)
            mean = _rmse(np.full(len(warm), world.train.rating.mean()), warm.rating)
            require(found < 0.9 * mean, f"RMSE {found:.3f}, the global mean has {mean:.3f}")

    def test_the_liked_genre_is_predicted_higher(self) -> None:
        if not self.personalised:
            return
        world = two_genre_world()
        rows, items = (grid.ravel() for grid in np.indices(world.train.shape))
        stars = self.fitted(world).predict_ratings(Query.known(world.train), rows, items).mean
        share = share_ordered(stars.reshape(world.train.shape), *world.liking(~world.cold))
        require(share > 0.75, f"the liked genre wins {share:.2f} of its pairs")


def _rmse(predicted: NDArray[np.floating[Any]], rating: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean((predicted - rating) ** 2)))

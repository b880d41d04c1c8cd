"""The small trained world with every option of users on: stars, popularity, recency, attention.

Legend: U users, I items, A attention dimensions.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from recsys.config.experiment import UserConfig
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.storage import Fitted
from recsys.seeding import stream
from recsys.testing.served import CONTENT_DIM, ServedWorld, served_world

ATTENTIVE = UserConfig(
    liked_min_rating=3.0,
    rating_slope=0.4,
    popularity_exponent=0.2,
    recency_half_life_days=40.0,
    attention_dim=3,
)
_YEAR = 365 * 86_400  # seconds


@cache
def attentive_world(seed: int = 0) -> ServedWorld:
    """``served_world`` with ``ATTENTIVE`` users, whose ratings were given within a year."""
    world, random = served_world(seed), stream(seed, "attentive world")
    old = world.model
    fitted, context = Fitted.of(old.arrays(), old.config), old.context
    role = random.normal(size=(ATTENTIVE.attention_dim, CONTENT_DIM)).astype(np.float32)
    tower = replace(fitted.tower, weights={**fitted.tower.weights, "role/attention/weight": role})
    keys = tower.embed(world.features, len(context.catalogue)).attention
    movies = replace(fitted.model.movies, attention=keys)
    model = replace(fitted.model, rule=ATTENTIVE, movies=movies)
    times = random.integers(0, _YEAR, len(context.histories))
    timed = replace(context, histories=replace(context.histories, time=times))
    config = old.config.model_copy(update={"user": ATTENTIVE})
    arrays = Fitted(model, tower, 0).arrays()
    return ServedWorld(JointRecommender.restore(config, arrays, old.source, timed), world.features)

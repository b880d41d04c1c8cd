# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import UserConfig
from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary
from recsys.recommenders.joint.training.batches import UserBatches

DAY = 86_400


@pytest.fixture
def train() -> Interactions:
    """One user; the second of three likes came two days before the others."""
    return Interactions(
        users=Vocabulary(["u"], kind="user"),
        items=Vocabulary(["a", "b", "c", "d"], kind="movie"),
        user=np.zeros(3, dtype=np.int32),
        item=np.array([3, 0, 2], dtype=np.int32),
        rating=np.full(3, 5, dtype=np.float32),
        time=np.array([9 * DAY, 7 * DAY, 9 * DAY], dtype=np.int64),
    )


def weights(train: Interactions, half_life: float | None) -> list[float]:
    rule = UserConfig(popularity_exponent=0, recency_half_life_days=half_life)
    (batch,) = UserBatches(train, rule, 3).epoch(1)
    return batch.weights[0].tolist()


def test_training_weighs_likes_by_their_recency(train: Interactions) -> None:
    assert weights(train, 2) == [0.5, 0, 1, 1]
    assert weights(train, 1) == [0.25, 0, 1, 1]


def test_without_half_life_or_times_all_likes_weigh_the_same(train: Interactions) -> None:
    assert weights(train, None) == weights(replace(train, time=None), 2) == [1, 0, 1, 1]

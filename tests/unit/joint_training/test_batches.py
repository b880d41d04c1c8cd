# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import UserConfig
from recsys.data.files import fingerprint
from recsys.data.interactions import Interactions, RatingScale
from recsys.data.vocabulary import Vocabulary
from recsys.recommenders.joint.training.objective import UserBatches

RULE = UserConfig(rating_slope=0.3, popularity_exponent=0.2)


@pytest.fixture
def train() -> Interactions:
    """Half stars with zeros that were given; user 0 rated nothing and user 1 once."""
    random = np.random.default_rng(0)
    rated = random.random((9, 12)) < 0.6
    rated[:2] = False
    rated[1, 3] = True
    user, item = rated.nonzero()
    users = Vocabulary((f"u{n}" for n in range(9)), kind="user")
    items = Vocabulary((f"m{n}" for n in range(12)), kind="movie")
    stars = random.integers(0, 11, len(user)) / 2
    return Interactions(users, items, user, item, stars, scale=RatingScale(0, 5))


def histories(batches) -> list[bytes]:
    return [row.numpy().tobytes() for batch in batches for row in batch.ratings]


def test_an_epoch_holds_every_user_with_two_ratings_once(train):
    found = histories(UserBatches(train, RULE, 3).epoch(1))
    rows = train.matrix().toarray()[train.user_counts() >= 2]
    assert sorted(found) == sorted(row.tobytes() for row in rows)


def test_batches_are_of_the_size_asked_for(train):
    batches = UserBatches(train, RULE, 3)
    assert [len(batch.ratings) for batch in batches.epoch(1)] == [3, 3, 1]
    assert len(batches) == 3


def test_the_three_views_of_a_history_agree(train):
    whole = train.matrix()
    for batch in UserBatches(train, RULE, 4).epoch(1):
        assert batch.ratings.shape == batch.rated.shape == batch.weights.shape
        assert all(part.dtype == torch.float32 for part in batch)
        assert torch.equal(batch.weights > 0, batch.ratings >= RULE.liked_min_rating)
        assert (batch.rated[batch.ratings != 0] == 1).all()
    rated = sum(batch.rated.sum() for batch in UserBatches(train, RULE, 4).epoch(1))
    assert rated == whole[train.user_counts() >= 2].nnz
    assert (whole.data == 0).any()


def test_the_order_is_new_every_epoch_and_the_seed_s_own(train):
    batches = UserBatches(train, RULE, 3, seed=1)
    first, second = (histories(batches.epoch(number)) for number in (1, 2))
    other = histories(UserBatches(train, RULE, 3, seed=2).epoch(1))
    assert first != second
    assert first != other
    assert sorted(first) == sorted(second) == sorted(other)


def test_the_order_depends_on_nothing_that_came_before(train):
    again, torch_state = UserBatches(train, RULE, 3, seed=1), torch.get_rng_state()
    second = histories(again.epoch(2))
    histories(again.epoch(1))
    assert histories(again.epoch(2)) == second
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("start", range(5))
def test_an_epoch_can_be_entered_anywhere(train, start):
    batches = UserBatches(train, RULE, 2, seed=1)
    whole = [batch.ratings for batch in batches.epoch(3)]
    entered = [batch.ratings for batch in batches.epoch(3, start)]
    assert len(whole) == 4
    assert all(map(torch.equal, entered, whole[start:]))
    assert len(entered) == 4 - start


def test_ratings_stay_as_they_are(train):
    arrays = (train.user, train.item, train.rating)
    before = fingerprint(arrays)
    for batch in UserBatches(train, RULE, 3).epoch(1):
        for part in batch:
            part.zero_()
    assert fingerprint(arrays) == before
    batches = UserBatches(train, RULE, 3)
    assert all(batch.rated.any() for n in range(2) for batch in batches.epoch(n))


def test_nobody_with_two_ratings_gives_no_batch(train):
    _, once = np.unique(train.user, return_index=True)
    assert len(UserBatches(train.select(once), RULE, 3)) == 0

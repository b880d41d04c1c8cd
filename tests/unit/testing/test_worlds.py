"""The toy worlds are what they say they are."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.testing.contract import share_ordered
from recsys.testing.worlds import (
    popularity_world,
    shuffled_features_world,
    shuffled_ratings_world,
    two_genre_world,
    without_content,
)

WORLDS = [two_genre_world, shuffled_features_world, shuffled_ratings_world, popularity_world]


@pytest.mark.parametrize("world", WORLDS)
def test_a_seed_gives_one_world_and_another_seed_another(world):
    first, again, other = world(0), world.__wrapped__(0), world(1)
    assert first.train.fingerprint == again.train.fingerprint != other.train.fingerprint
    assert first.catalogue.modalities["metadata"].fingerprint == (
        again.catalogue.modalities["metadata"].fingerprint
    )


@pytest.mark.parametrize("world", WORLDS)
def test_parts_are_disjoint_and_cold_movies_are_in_test_alone(world):
    world = world(0)
    parts = [world.train, world.valid, world.test]
    assert max(sum((part.matrix() > 0).astype(int) for part in parts).data) == 1
    counts = sum(part.item_counts() for part in parts[:2])
    assert not counts[world.cold].any()
    assert counts[~world.cold].all()


def test_fans_rate_their_genre_more_and_higher():
    world = two_genre_world()
    own = world.fans[world.train.user] == world.genre[world.train.item]
    assert own.mean() > 0.7
    assert world.train.rating[own].mean() > world.train.rating[~own].mean() + 1.5


def test_content_tells_the_genre_and_the_catalogue_does_not_for_cold_movies():
    world = two_genre_world()
    vectors = world.catalogue.modalities["metadata"].vectors
    assert (np.argmax(vectors[:, :2], axis=1) == world.genre).mean() > 0.95
    assert not world.catalogue.genres[world.cold].any()
    assert world.catalogue.genres[~world.cold].sum(axis=1).tolist() == [1] * 40


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shuffled_content_is_the_same_rows_and_tells_nothing(seed):
    plain, shuffled = two_genre_world(seed), shuffled_features_world(seed)
    before = plain.catalogue.modalities["metadata"].vectors
    after = shuffled.catalogue.modalities["metadata"].vectors
    source = np.array([np.flatnonzero((before == row).all(axis=1))[0] for row in after])
    assert sorted(source) == list(range(len(source)))
    assert (source != np.arange(len(source))).all()
    for group in (plain.cold, ~plain.cold):
        assert (plain.genre[source] == plain.genre)[group].mean() == 0.5
    directors = [plain.catalogue.facts["director"][row] for row in source]
    assert list(shuffled.catalogue.facts["director"]) == directors
    assert shuffled.train is plain.train


def test_shuffled_ratings_keep_most_and_tell_nothing():
    plain, shuffled = two_genre_world(), shuffled_ratings_world()
    assert len(shuffled.train) > 0.6 * len(plain.train)
    own = shuffled.fans[shuffled.train.user] == shuffled.genre[shuffled.train.item]
    assert abs(own.mean() - 0.5) < 0.06


def test_popularity_falls_with_the_row():
    counts = popularity_world().train.item_counts()
    assert np.corrcoef(counts, np.arange(len(counts)))[0, 1] < -0.9


def test_movies_lose_their_content_and_keep_their_ratings():
    world = two_genre_world()
    bare = without_content(world, world.genre == 0)
    table = bare.catalogue.modalities["metadata"]
    np.testing.assert_array_equal(table.present, world.genre == 1)
    assert bare.train is world.train


def test_share_ordered_counts_pairs_and_halves_ties():
    scores = np.array([[3.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 5.0]])
    better = np.array([[True, True, False, False], [False, False, False, False]])
    worse = np.array([[False, False, True, True], [False, True, False, False]])
    # 3 > 2, 3 > 1, 2 = 2, 2 > 1; the second row has nothing to compare.
    assert share_ordered(scores, better, worse) == 3.5 / 4
    assert share_ordered(-scores, better, worse) == 0.5 / 4

from __future__ import annotations

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import genre_partition, make_split
from recsys.data.vocabulary import Vocabulary

MOVIES, FILMS = 60, 40
"""Movies 40 … 59 are second entries of films 0 … 19; movie 39 is unrated, 36 … 39 lack genres."""

FILM = np.arange(MOVIES) % FILMS


@pytest.fixture
def twins() -> Catalogue:
    items = Vocabulary([f"m{row}" for row in range(MOVIES)])
    genres = np.ones((MOVIES, 1), dtype=bool)
    genres[36:40] = False
    titles = tuple(f"Film {film}" for film in FILM)
    return Catalogue(items, titles, np.full(MOVIES, 1995), ("any",), genres)


@pytest.fixture
def ratings(twins: Catalogue) -> Interactions:
    user, item = (axis.ravel() for axis in np.indices((5, MOVIES)))
    rated = (item != 39) & ((user + item) % 2 == 0)
    users = Vocabulary([f"u{row}" for row in range(5)])
    columns = (user[rated], item[rated], np.full(int(rated.sum()), 3.0))
    return Interactions(users, twins.items, *columns)


@pytest.mark.parametrize("seed", range(5))
def test_cold_films_lose_all_ratings_and_twins_go_together(
    ratings: Interactions, twins: Catalogue, seed: int
) -> None:
    split = make_split(Dataset("toy", ratings, twins), "cold-items", seed)
    films = {name: set(FILM[part.item].tolist()) for name, part in split.parts.items()}
    assert [len(films[name]) for name in ("train", "valid", "test")] == [29, 3, 7]
    assert set.union(*films.values()) == set(range(39)), "films are drawn among the rated"
    assert not films["train"] & films["valid"]
    assert not films["train"] & films["test"]
    assert not films["valid"] & films["test"]


def test_the_cold_rows_are_those_of_test_and_valid(ratings: Interactions, twins: Catalogue) -> None:
    split = make_split(Dataset("toy", ratings, twins), "cold-items")
    assert split.cold_items.tolist() == sorted(set(split.test.item.tolist()))
    assert split.cold_valid_items.tolist() == sorted(set(split.valid.item.tolist()))
    left = split.train.item_counts()
    assert left[split.cold_items].sum() == left[split.cold_valid_items].sum() == 0
    full, test = ratings.item_counts(), split.test.item_counts()
    np.testing.assert_array_equal(test[split.cold_items], full[split.cold_items])


def test_other_splits_name_no_cold_rows(ratings: Interactions, twins: Catalogue) -> None:
    split = make_split(Dataset("toy", ratings, twins), "random-90-10")
    assert split.cold_items.size == split.cold_valid_items.size == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_genre_task_divides_films_with_a_genre(twins: Catalogue, seed: int) -> None:
    parts = genre_partition(twins, seed)
    masks = np.array([parts.train, parts.valid, parts.test])
    np.testing.assert_array_equal(masks.sum(axis=0), twins.genres.any(axis=1))
    films = [set(FILM[mask].tolist()) for mask in masks]
    assert [len(part) for part in films] == [30, 3, 3]
    assert len(set.union(*films)) == 36


def test_the_genre_partition_follows_its_seed(twins: Catalogue) -> None:
    one, again, other = (genre_partition(twins, seed).test for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_a_catalogue_without_genres_has_no_genre_partition(twins: Catalogue) -> None:
    none = np.zeros_like(twins.genres)
    blank = Catalogue(twins.items, twins.titles, twins.years, twins.genre_names, none)
    parts = genre_partition(blank, 0)
    assert not (parts.train | parts.valid | parts.test).any()

"""Popularity within genre against its formula, written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.queries.query import Query
from recsys.recommenders.registry import create
from recsys.testing.worlds import data_of


@pytest.fixture
def catalogue(ratings) -> Catalogue:
    """Movies 6 and the unrated 13 of known genres, 2 of none."""
    n = len(ratings.items)
    genres = np.random.default_rng(1).random((n, 4)) < 0.4
    genres[:, 0] |= ~genres.any(axis=1)
    genres[2] = False
    names = ("a", "b", "c", "d")
    return Catalogue(ratings.items, ("",) * n, np.full(n, -1), names, genres)


def scores(ratings, catalogue, query=None):
    model = create("genre-popularity").fit(data_of(ratings, ratings, catalogue))
    return model.score(query or Query.known(ratings))


def by_hand(ratings, catalogue):
    n = ratings.item_counts().astype(float)
    known = catalogue.genres.any(axis=1)
    q = catalogue.genres / np.maximum(catalogue.genres.sum(axis=1, keepdims=True), 1)
    mass = sum(n[i] * q[i] for i in range(14) if known[i])
    q[~known] = mass / mass.sum()
    mass = n @ q
    rated = np.flatnonzero(n)
    found = np.zeros(ratings.shape)
    for user in range(ratings.shape[0]):
        mine = ratings.item[ratings.user == user]
        profile = q[mine].mean(axis=0) if len(mine) else mass / mass.sum()
        for i in range(14):
            popular = n[i]
            if not popular:
                per_genre = [n[rated] @ q[rated, g] / q[rated, g].sum() for g in range(4)]
                popular = q[i] @ per_genre
            found[user, i] = sum(profile[g] * popular * q[i, g] / mass[g] for g in range(4))
    return found


def test_scores_are_those_of_the_formula(ratings, catalogue):
    found = scores(ratings, catalogue)
    np.testing.assert_allclose(found, by_hand(ratings, catalogue), rtol=1e-5)
    assert (found[:, 13] > 0).all()


def test_probabilities_add_up_to_1_over_the_rated_movies(ratings, catalogue):
    np.testing.assert_allclose(scores(ratings, catalogue)[:, :13].sum(axis=1), 1, rtol=1e-5)


def test_a_fan_of_a_genre_gets_its_popular_movies(ratings, catalogue):
    genres = np.zeros((14, 4), dtype=bool)
    genres[np.arange(14), np.arange(14) % 2] = True
    movies = replace(catalogue, genres=genres)
    fan = ratings.select((ratings.item % 2 == 0) & (ratings.user == ratings.user[0]))
    found = scores(ratings, movies, Query.known(fan, np.array([ratings.user[0]])))[0]
    counts = ratings.item_counts()
    assert not found[1::2].any()
    np.testing.assert_array_equal(np.argsort(-found[:13:2]), np.argsort(-counts[:13:2]))


def test_without_genres_it_is_popularity(ratings, catalogue):
    bare = replace(catalogue, genres=np.zeros((14, 4), dtype=bool))
    none = replace(catalogue, genre_names=(), genres=np.zeros((14, 0), dtype=bool))
    counts = ratings.item_counts()
    for movies in (bare, none):
        found = scores(ratings, movies)
        np.testing.assert_allclose(
            found[:, :13], np.tile(counts[:13] / counts.sum(), (25, 1)), 1e-5
        )
        np.testing.assert_allclose(found[:, 13], counts[:13].mean() / counts.sum(), rtol=1e-5)


def test_without_a_history_it_is_popularity(ratings, catalogue):
    found, counts = scores(ratings, catalogue)[24], ratings.item_counts()
    np.testing.assert_allclose(found[:13], counts[:13] / counts.sum(), rtol=1e-5)


def test_without_ratings_all_movies_are_equal(ratings, catalogue):
    nothing = ratings.select(np.arange(0))
    found = scores(nothing, catalogue, Query.known(ratings))
    assert np.isfinite(found).all()
    assert (found == found[0, 0]).all()


def test_a_genre_that_nobody_rated_says_nothing(ratings, catalogue):
    genres = catalogue.genres.copy()
    genres[:, 3], genres[13] = False, [False, False, False, True]
    found = scores(ratings, replace(catalogue, genres=genres))
    np.testing.assert_array_equal(found[:, 13], 0)

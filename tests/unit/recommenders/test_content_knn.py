"""Content kNN against loops over pairs of movies."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.errors import ConfigError, DataError
from recsys.queries.query import Query
from recsys.recommenders.registry import create
from recsys.testing.worlds import data_of, two_genre_world

PLAIN = {"ridge": math.inf, "standardise": False, "width": None}


@pytest.fixture
def catalogue(ratings) -> Catalogue:
    """Two modalities; movie 4 lacks the first, 5 the second, and 6 and the unrated 13 lack both."""
    random = np.random.default_rng(5)
    items, n = ratings.items, len(ratings.items)
    bare = Catalogue(items, ("",) * n, np.full(n, -1), ("a",), np.zeros((n, 1), dtype=bool))
    for name, dim, absent in (("text", 3, [4, 6, 13]), ("poster", 5, [5, 6, 13])):
        card = EncoderCard(name, "1", dim, "none", "none", "CC0-1.0", "none")
        vectors = random.normal(size=(n, dim)) * np.arange(1, dim + 1)
        present = ~np.isin(np.arange(n), absent)
        table = ModalityTable(name, vectors.astype(np.float32), present, card, items.fingerprint)
        bare = bare.with_modality(table)
    return bare


def fitted(ratings, catalogue, **options):
    return create("content-knn", **options).fit(data_of(ratings, ratings, catalogue))


def units_by_hand(table, ridge):
    """Whitening through the principal axes, where the class takes a triangular root."""
    rows = table.vectors[table.present].astype(float)
    centred = rows - rows.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    variances = singular**2 / len(rows)
    whitened = centred @ axes.T / np.sqrt(variances / (ridge * variances.mean()) + 1)
    units = np.full((len(table.vectors), whitened.shape[1]), np.nan)
    units[table.present] = whitened / np.linalg.norm(whitened, axis=1)[:, None]
    return units


def similarities_by_hand(catalogue, rated, ridge, standardise):
    n = len(catalogue)
    total = np.zeros((n, n))
    for table in catalogue.modalities.values():
        units = units_by_hand(table, ridge)
        for i in np.flatnonzero(table.present):
            cosines = units @ units[i]
            known = cosines[rated & table.present]
            standard = (cosines - known.mean()) / known.std() if standardise else cosines
            total[i] += np.nan_to_num(standard) / math.sqrt(len(catalogue.modalities))
    return total


def scores_by_hand(ratings, weight, of_pair):
    """Sums of ``weight(rating, history) * of_pair[i, j]`` over the history, i itself left out."""
    scores = np.zeros(ratings.shape)
    for user in range(ratings.shape[0]):
        mine = ratings.user == user
        for item, stars in zip(ratings.item[mine], ratings.rating[mine], strict=True):
            column = of_pair[:, item].copy()
            column[item] = 0
            scores[user] += weight(float(stars), ratings.rating[mine].astype(float)) * column
    scores[:, 13] = -np.inf
    return scores


def test_scores_are_those_of_loops_over_pairs(ratings, catalogue):
    rated = ratings.item_counts() > 0
    for ridge, standardise, width in ((2.0, True, 3.0), (0.5, False, None), (1e12, True, None)):
        similar = similarities_by_hand(catalogue, rated, ridge, standardise)
        of_pair = similar if width is None else np.exp(similar / width)
        model = fitted(ratings, catalogue, ridge=ridge, standardise=standardise, width=width)
        expected = scores_by_hand(ratings, lambda *_: 1, of_pair)
        found = model.score(Query.known(ratings))
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("weighting", "weight"),
    [
        ("rated", lambda *_: 1),
        ("stars", lambda stars, _: stars),
    ],
)
def test_what_a_rating_weighs(ratings, catalogue, weighting, weight):
    model = fitted(ratings, catalogue, weighting=weighting, **PLAIN)
    similar = similarities_by_hand(catalogue, ratings.item_counts() > 0, math.inf, False)
    expected = scores_by_hand(ratings, weight, similar)
    found = model.score(Query.known(ratings))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_only_the_nearest_rated_movies_count(ratings, catalogue):
    table = catalogue.modalities["text"]
    whole = replace(table, present=np.ones(len(catalogue), dtype=bool))
    catalogue = replace(catalogue, modalities={"text": whole})
    similar = similarities_by_hand(catalogue, ratings.item_counts() > 0, math.inf, False)
    nearest = np.zeros_like(similar)
    for item, row in enumerate(similar):
        others = [j for j in range(13) if j != item and row[j] > 0]
        best = sorted(others, key=lambda j: -row[j])[:3]
        nearest[item, best] = row[best]
    expected = scores_by_hand(ratings, lambda *_: 1, nearest)
    found = fitted(ratings, catalogue, k=3, **PLAIN).score(Query.known(ratings))
    np.testing.assert_allclose(found[:, :13], expected[:, :13], rtol=1e-3, atol=1e-3)
    assert np.isfinite(found[:, 13]).all()


def test_centring_alone_is_the_limit_of_whitening(ratings, catalogue):
    infinite, large = (fitted(ratings, catalogue, ridge=r) for r in (math.inf, 1e9))
    query = Query.known(ratings)
    np.testing.assert_allclose(infinite.score(query), large.score(query), rtol=1e-4)


def test_the_scale_of_a_modality_does_not_matter(ratings, catalogue):
    table = catalogue.modalities["poster"]
    larger = catalogue.with_modality(replace(table, vectors=table.vectors * 1000 + 7))
    query = Query.known(ratings)
    one, other = (fitted(ratings, movies).score(query) for movies in (catalogue, larger))
    np.testing.assert_allclose(one, other, rtol=1e-3)


def test_a_movie_of_which_nothing_is_known_cannot_be_scored(ratings, catalogue):
    scores = fitted(ratings, catalogue, **PLAIN).score(Query.known(ratings))
    assert (scores[:, 13] == -np.inf).all()
    assert (scores[:, 6] == 0).all()
    assert np.isfinite(scores[:, :13]).all()


def test_one_modality_by_name(ratings, catalogue):
    model = create("content-knn:poster")
    assert (model.name, model.config.modality) == ("content-knn:poster", "poster")
    alone = replace(catalogue, modalities={"poster": catalogue.modalities["poster"]})
    query = Query.known(ratings)
    named = model.fit(data_of(ratings, ratings, catalogue)).score(query)
    np.testing.assert_array_equal(named, fitted(ratings, alone).score(query))


def test_a_modality_that_is_not_there(ratings, catalogue):
    with pytest.raises(ConfigError, match=r"no modality 'postr'.*\n.*poster"):
        create("content-knn:postr").fit(data_of(ratings, ratings, catalogue))
    with pytest.raises(ConfigError, match="there is no model 'popularity:text'"):
        create("popularity:text")
    with pytest.raises(DataError, match="without any modality"):
        fitted(ratings, replace(catalogue, modalities={}))


@pytest.mark.parametrize(
    "options", [{"k": 0}, {"ridge": 0.0}, {"width": -1.0}, {"ridge": math.nan}]
)
def test_options_that_make_no_sense(options):
    with pytest.raises(ConfigError, match=f"{next(iter(options))} is"):
        create("content-knn", **options)


def test_content_that_says_nothing_gives_no_preference(ratings, catalogue):
    table = catalogue.modalities["text"]
    equal = replace(table, vectors=np.ones_like(table.vectors))
    model = fitted(ratings, replace(catalogue, modalities={"text": equal}), width=None)
    assert (model.score(Query.known(ratings))[:, :13] == 0).all()


def test_stars_decide_where_they_weigh():
    world = two_genre_world()
    train = world.train
    turned = replace(train, rating=6 - train.rating)
    query = Query.known(train)
    for weighting, same in (("rated", True), ("stars", False)):
        one, other = (
            create("content-knn", weighting=weighting)
            .fit(data_of(train, world.valid, world.catalogue))
            .score(Query(part.matrix(), query.users))
            for part in (train, turned)
        )
        assert np.allclose(one, other) == same

"""EASE's weights regressed on content, against scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.errors import ConfigError, DataError
from recsys.queries.query import Query, rated_mask
from recsys.recommenders.closed_form.ease import ease_weights
from recsys.recommenders.content.kernel import content_kernel
from recsys.recommenders.registry import create
from recsys.testing.worlds import data_of

COLD = (3, 7, 13)


def table(items, name, dim, absent=()):
    random = np.random.default_rng(dim)
    card = EncoderCard(name, "1", dim, "none", "none", "CC0-1.0", "none")
    vectors = random.normal(size=(len(items), dim)).astype(np.float32) + 2
    present = ~np.isin(np.arange(len(items)), absent)
    return ModalityTable(name, vectors, present, card, items.fingerprint)


@pytest.fixture
def train(ratings):
    return ratings.select(~np.isin(ratings.item, COLD))


@pytest.fixture
def catalogue(ratings) -> Catalogue:
    """Movie 4 lacks the metadata, 5 and the cold 7 the poster, the cold 13 both."""
    items, n = ratings.items, len(ratings.items)
    bare = Catalogue(items, ("",) * n, np.full(n, -1), ("a",), np.zeros((n, 1), dtype=bool))
    metadata, poster = table(items, "metadata", 3, [4, 13]), table(items, "poster", 5, [5, 7, 13])
    return bare.with_modality(metadata).with_modality(poster)


def kernel_by_hand(catalogue, weights):
    total = np.zeros((14, 14))
    for name, modality in catalogue.modalities.items():
        centre = modality.vectors[modality.present].astype(float).mean(axis=0)
        for i in np.flatnonzero(modality.present):
            for j in np.flatnonzero(modality.present):
                x, y = modality.vectors[i] - centre, modality.vectors[j] - centre
                total[i, j] += weights[name] * (x @ y) / np.linalg.norm(x) / np.linalg.norm(y)
    return total


def weights_of(model):
    """Scores of histories of one movie each."""
    return model.score(Query.of(_eye()))


def _eye():
    import scipy.sparse as sp

    return sp.csr_array(np.eye(14, dtype=np.float32))


def fitted(train, catalogue, name="content-ridge", **options):
    return create(name, **options).fit(data_of(train, train, catalogue))


def test_cold_columns_are_those_of_kernel_ridge_regression(train, catalogue):
    kernel_ridge = pytest.importorskip("sklearn.kernel_ridge")
    weights = {"metadata": 2.0, "poster": 1.0}
    kernel = kernel_by_hand(catalogue, weights)
    known = np.setdiff1d(np.arange(14), COLD)
    targets = ease_weights(rated_mask(train.matrix()), 5.0)[:, known].T.astype(float)
    oracle = kernel_ridge.KernelRidge(alpha=0.7, kernel="precomputed")
    oracle.fit(kernel[np.ix_(known, known)], targets - targets.mean(axis=0))
    expected = oracle.predict(kernel[np.ix_(COLD, known)]) + targets.mean(axis=0)
    found = weights_of(fitted(train, catalogue, l2=5.0, ridge=0.7, metadata=2.0))
    np.testing.assert_allclose(found[:, COLD], expected.T, rtol=1e-4, atol=1e-6)


def test_rated_movies_keep_the_weights_of_ease(train, catalogue):
    query = Query.known(train)
    ease = create("ease", l2=9.0).fit(data_of(train, train, catalogue)).score(query)
    found = fitted(train, catalogue, l2=9.0).score(query)
    warm = np.setdiff1d(np.arange(14), COLD)
    np.testing.assert_array_equal(found[:, warm], ease[:, warm])
    assert not ease[:, COLD].any()
    assert found[:, COLD].any(axis=0).all()


def test_where_all_or_none_are_rated_it_is_ease(ratings, train, catalogue):
    everyone = ratings.select(ratings.item == ratings.item[0])
    one = replace(everyone, item=np.arange(len(everyone)) % 14)
    for part in (one, ratings.select(np.arange(0))):
        query = Query.known(ratings)
        ease = create("ease").fit(data_of(part, part, catalogue)).score(query)
        np.testing.assert_array_equal(fitted(part, catalogue).score(query), ease)


def test_a_movie_without_content_is_given_the_mean_column(train, catalogue):
    weights = weights_of(fitted(train, catalogue))
    known = np.setdiff1d(np.arange(14), COLD)
    np.testing.assert_allclose(weights[:, 13], weights[:, known].mean(axis=1), rtol=1e-5)
    assert not np.allclose(weights[:, 3], weights[:, 13])


def test_a_large_ridge_leaves_the_mean_column(train, catalogue):
    weights = weights_of(fitted(train, catalogue, ridge=1e9))
    np.testing.assert_allclose(weights[:, 3], weights[:, 13], atol=1e-7)


def test_a_modality_that_no_movie_has_changes_nothing(train, catalogue):
    more = catalogue.with_modality(table(train.items, "audio", 4, range(14)))
    query = Query.known(train)
    one, other = (fitted(train, movies).score(query) for movies in (catalogue, more))
    np.testing.assert_array_equal(one, other)


def test_scale_and_offset_of_a_modality_do_not_matter(train, catalogue):
    metadata = catalogue.modalities["metadata"]
    moved = catalogue.with_modality(replace(metadata, vectors=metadata.vectors * 50 - 7))
    query = Query.known(train)
    one, other = (fitted(train, movies).score(query) for movies in (catalogue, moved))
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_one_modality_by_name_weighs_1(train, catalogue):
    alone = replace(catalogue, modalities={"metadata": catalogue.modalities["metadata"]})
    query = Query.known(train)
    named = create("content-ridge:metadata", metadata=5.0)
    assert named.name == "content-ridge:metadata"
    found = named.fit(data_of(train, train, catalogue)).score(query)
    np.testing.assert_array_equal(found, fitted(train, alone, metadata=1.0).score(query))
    assert not np.allclose(found, fitted(train, alone, metadata=5.0).score(query))


def test_a_stranger_is_scored_like_a_known_user(train, catalogue):
    model, query = fitted(train, catalogue), Query.known(train)
    np.testing.assert_array_equal(model.score(Query.of(query.histories)), model.score(query))


def test_what_makes_no_sense_is_refused(train, catalogue):
    for bad in ({"ridge": 0.0}, {"ridge": np.nan}, {"metadata": -1.0}, {"metadata": np.nan}):
        with pytest.raises(ConfigError, match=r"(ridge|metadata) is"):
            create("content-ridge", **bad)
    with pytest.raises(ConfigError, match=r"no modality 'postr'.*\n.*poster"):
        fitted(train, catalogue, "content-ridge:postr")
    with pytest.raises(DataError, match="without any modality"):
        fitted(train, replace(catalogue, modalities={}))


def test_the_kernel_is_a_weighted_sum_of_cosines(catalogue):
    weights = {"metadata": 2.0, "poster": 0.5}
    found = content_kernel(catalogue.modalities.values(), weights)
    np.testing.assert_allclose(found, kernel_by_hand(catalogue, weights), atol=1e-6)
    doubled = content_kernel(catalogue.modalities.values(), {"metadata": 4.0, "poster": 1.0})
    np.testing.assert_allclose(doubled, 2 * found)
    plain = content_kernel([catalogue.modalities["metadata"]], {}, centred=False)
    x, y = catalogue.modalities["metadata"].vectors[:2].astype(float)
    assert plain[0, 1] == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    assert not plain[4].any()

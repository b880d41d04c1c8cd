"""MARec against its formulas written out, and content-aware EASE against EASE on made-up users."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.errors import ConfigError, DataError
from recsys.queries.query import Query, rated_mask
from recsys.recommenders.closed_form.ease import ease_weights, weights_of_gram
from recsys.recommenders.closed_form.marec import modality_weights, smoothed_cosines
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
    """Three movies have no rating, and movie 5 has one."""
    cold = np.isin(ratings.item, COLD)
    first = ratings.user == ratings.user[ratings.item == 5][0]
    return ratings.select(~cold & ((ratings.item != 5) | first))


@pytest.fixture
def catalogue(ratings) -> Catalogue:
    items, n = ratings.items, len(ratings.items)
    bare = Catalogue(items, ("",) * n, np.full(n, -1), ("a",), np.zeros((n, 1), dtype=bool))
    text, poster = table(items, "text", 3, [4, 13]), table(items, "poster", 5, [5, 7, 13])
    return bare.with_modality(text).with_modality(poster)


def weights_of(name, train, catalogue, **options):
    """Scores of histories of one movie each."""
    model = create(name, **options).fit(data_of(train, train, catalogue))
    return model.score(Query.of(sp.csr_array(np.eye(14, dtype=np.float32))))


def similarity_by_hand(modality, smoothing):
    rows = np.flatnonzero(modality.present)
    centred = modality.vectors.astype(float) - modality.vectors[rows].astype(float).mean(axis=0)
    unit = np.mean([centred[i] @ centred[i] for i in rows])
    found = np.zeros((14, 14))
    for i in rows:
        for j in rows[rows != i]:
            x, y = centred[i] / unit**0.5, centred[j] / unit**0.5
            found[i, j] = x @ y / (np.linalg.norm(x) * np.linalg.norm(y) + smoothing)
    return found


def marec_by_hand(train, catalogue, l2, alignment, percentile):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x = (train.matrix().toarray() > 0).astype(float)
    similar = [similarity_by_hand(m, 20.0) for m in catalogue.modalities.values()]
    rated = x.any(axis=0)
    explaining = np.stack([(x @ g)[:, rated].ravel() for g in similar], axis=1)
    truth = x[:, rated].ravel()
    fit = linear_model.LinearRegression()
    fit.fit(explaining, truth, sample_weight=np.where(truth > 0, 1.0, 0.2))
    aligned = sum(mu * x @ g for mu, g in zip(fit.coef_, similar, strict=True))
    counts = x.sum(axis=0)
    limit = max(np.percentile(counts[rated], percentile), 1)
    needs = np.diag(alignment / limit * np.maximum(limit - counts, 0))
    p = np.linalg.inv(x.T @ x + l2 * np.eye(14) + x.T @ aligned @ needs)
    b = p @ (x.T @ x + x.T @ aligned @ needs)
    return b - p @ np.diag(np.diag(b) / np.diag(p)), fit.coef_


@pytest.mark.parametrize(("alignment", "percentile"), [(3.0, 10.0), (1.0, 60.0)])
def test_marec_is_its_formulas(train, catalogue, alignment, percentile):
    expected, _ = marec_by_hand(train, catalogue, 4.0, alignment, percentile)
    options = {"l2": 4.0, "alignment": alignment, "percentile": percentile}
    found = weights_of("marec", train, catalogue, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    assert found[:, 3].any()


def test_modalities_are_weighed_by_weighted_least_squares(train, catalogue, monkeypatch):
    _, expected = marec_by_hand(train, catalogue, 4.0, 1.0, 10.0)
    matrix = rated_mask(train.matrix()).astype(np.float64)
    similar = [smoothed_cosines(m, 20.0) for m in catalogue.modalities.values()]
    np.testing.assert_allclose(modality_weights(matrix, similar), expected, rtol=1e-6)
    monkeypatch.setattr("recsys.recommenders.closed_form.marec.BLOCK_BYTES", 1000)
    np.testing.assert_allclose(modality_weights(matrix, similar), expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "content"), [("marec", "alignment"), ("ease-content", "content")])
def test_without_content_it_is_ease(ratings, train, catalogue, name, content):
    for part in (ratings, train):
        expected = ease_weights(rated_mask(part.matrix()), 4.0)
        found = weights_of(name, part, catalogue, **{"l2": 4.0, content: 0.0})
        np.testing.assert_allclose(found, expected, atol=1e-6)
        changed = weights_of(name, part, catalogue, **{"l2": 4.0, content: 5.0})
        assert not np.allclose(changed, expected, atol=1e-3)


@pytest.mark.parametrize("name", ["marec", "ease-content"])
def test_a_modality_that_no_movie_has_changes_nothing(train, catalogue, name):
    more = catalogue.with_modality(table(train.items, "tags", 4, range(14)))
    one, other = (weights_of(name, train, movies) for movies in (catalogue, more))
    np.testing.assert_allclose(one, other, atol=1e-7)


def test_a_cold_movie_without_content_has_no_weight(train, catalogue):
    for name in ("marec", "ease-content"):
        weights = weights_of(name, train, catalogue)
        assert not weights[:, 13].any()
        assert weights[:, 3].any()


def test_content_is_worth_made_up_users(train, catalogue):
    weights = {"text": 1.0, "poster": 0.5}
    kernel = content_kernel(catalogue.modalities.values(), weights, centred=False)
    values, vectors = np.linalg.eigh(6.0 * kernel)
    made_up = (vectors * np.sqrt(values.clip(0))).T
    stacked = sp.csr_array(np.vstack([rated_mask(train.matrix()).toarray(), made_up]))
    expected = ease_weights(stacked, 3.0)
    found = weights_of("ease-content", train, catalogue, content=6.0, l2=3.0, others=0.5)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_scale_of_a_modality_does_not_matter(train, catalogue):
    text = catalogue.modalities["text"]
    larger = catalogue.with_modality(replace(text, vectors=text.vectors * 64))
    for name in ("marec", "ease-content"):
        one, other = (weights_of(name, train, movies) for movies in (catalogue, larger))
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_weights_of_any_gram_matrix_leave_the_diagonal_out():
    random = np.random.default_rng(0)
    gram = random.normal(size=(6, 6)) + 8 * np.eye(6)
    inverse = np.linalg.inv(gram)
    expected = np.eye(6) - inverse @ np.diag(1 / np.diag(inverse))
    found = weights_of_gram(gram.copy())
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not np.diag(found).any()


@pytest.mark.parametrize("gram", [np.ones((3, 3)), np.zeros((2, 2)), np.eye(2)[::-1]])
def test_a_gram_matrix_without_weights_is_refused(gram):
    with pytest.raises(ConfigError, match="Gram matrix has no inverse"):
        weights_of_gram(gram.astype(float))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("marec", {"l2": 0.0}),
        ("marec", {"alignment": -1.0}),
        ("marec", {"smoothing": np.nan}),
        ("marec", {"percentile": 101.0}),
        ("ease-content", {"content": -1.0}),
        ("ease-content", {"l2": 0.0}),
        ("ease-content", {"others": -1.0}),
    ],
)
def test_what_makes_no_sense_is_refused(name, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        create(name, **options)


def test_movies_without_content_are_refused(train, catalogue):
    for name in ("marec", "ease-content"):
        with pytest.raises(DataError, match="without any modality"):
            weights_of(name, train, replace(catalogue, modalities={}))

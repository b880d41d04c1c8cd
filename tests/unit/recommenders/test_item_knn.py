from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.queries.query import Query, rated_mask
from recsys.recommenders import item_knn
from recsys.recommenders.bias import BiasConfig, fit_biases
from recsys.recommenders.item_knn import (
    ItemKNN,
    ItemKNNConfig,
    cosine_neighbours,
    residual_neighbours,
)
from recsys.testing.worlds import data_of


def best_by_hand(similarity, k):
    """Row by row: the k largest positive similarities to others, ties to the lower row."""
    kept = np.zeros_like(similarity)
    for row, values in enumerate(similarity):
        others = [i for i in range(len(values)) if i != row and values[i] > 0]
        for i in sorted(others, key=lambda i: (-np.float32(values[i]), i))[:k]:
            kept[row, i] = values[i]
    return kept


@pytest.mark.parametrize("shrink", [0.0, 10.0])
def test_ranking_neighbours_are_the_shrunk_cosines(ratings, shrink):
    dense = (ratings.matrix().toarray() > 0).astype(float)
    together, norms = dense.T @ dense, np.sqrt(dense.sum(axis=0))
    similarity = together / (np.outer(norms, norms) + shrink + 1e-6)
    found = cosine_neighbours(rated_mask(ratings.matrix()), ItemKNNConfig(k=4, shrink=shrink))
    np.testing.assert_allclose(found.toarray(), best_by_hand(similarity, 4), rtol=1e-6)


def test_a_score_sums_the_similarities_of_a_movie_s_own_neighbours(ratings):
    model = ItemKNN(ItemKNNConfig(k=3)).fit(data_of(ratings))
    weights = cosine_neighbours(rated_mask(ratings.matrix()), ItemKNNConfig(k=3)).toarray()
    rated = ratings.matrix().toarray() > 0
    expected = np.array([[row[seen].sum() for row in weights] for seen in rated])
    np.testing.assert_allclose(model.score(Query.known(ratings)), expected, rtol=1e-5)


def residuals_and_similarity(ratings, config):
    """Residuals and similarities pair by pair, from the definitions."""
    biases = fit_biases(ratings, BiasConfig(config.user_l2, config.item_l2))
    rated = ratings.matrix().toarray() > 0
    left = biases.residuals(ratings.matrix()).toarray()
    similarity = np.zeros((14, 14))
    for i in range(14):
        for j in range(14):
            common = (rated[:, i] & rated[:, j]).sum()
            norms = np.linalg.norm(left[:, i]) * np.linalg.norm(left[:, j])
            if norms:
                cosine = left[:, i] @ left[:, j] / norms
                similarity[i, j] = cosine * common / (common + config.support)
    return biases, rated, left, best_by_hand(similarity, config.k)


CONFIG = ItemKNNConfig(k=5, support=3.0, star_shrink=0.4, user_l2=1.0)


def test_rating_neighbours_are_the_shrunk_adjusted_cosines(ratings):
    biases, _, _, similarity = residuals_and_similarity(ratings, CONFIG)
    found = residual_neighbours(biases.residuals(ratings.matrix()), CONFIG)
    np.testing.assert_allclose(found.toarray(), similarity, atol=1e-6)


def test_predictions_are_the_definition_pair_by_pair(ratings, monkeypatch):
    biases, rated, left, similarity = residuals_and_similarity(ratings, CONFIG)
    model = ItemKNN(CONFIG).fit(data_of(ratings))
    rows, items = (grid.ravel() for grid in np.indices(ratings.shape))
    expected = biases.baseline(ratings.matrix(), rows, items)
    for n, (u, i) in enumerate(zip(rows, items, strict=True)):
        s = similarity[i] * rated[u]
        expected[n] += (s @ left[u]) / (np.abs(s).sum() + CONFIG.star_shrink)
    monkeypatch.setattr("recsys.recommenders.item_knn.PAIRS_AT_A_TIME", 17)
    found = model.predict_ratings(Query.known(ratings), rows, items).mean
    np.testing.assert_allclose(found, np.clip(expected, 1, 5), atol=1e-5)


def test_neighbours_do_not_depend_on_the_block(ratings, monkeypatch):
    matrix = rated_mask(ratings.matrix())
    whole = cosine_neighbours(matrix, ItemKNNConfig(k=4))
    monkeypatch.setattr(item_knn, "BLOCK_BYTES", 8 * 14 * 3)
    np.testing.assert_array_equal(
        cosine_neighbours(matrix, ItemKNNConfig(k=4)).toarray(), whole.toarray()
    )


def test_a_block_is_never_larger_than_told(monkeypatch):
    monkeypatch.setattr(item_knn, "BLOCK_BYTES", 8 * 10 * 4)
    sizes = []

    def similarity(start, stop):
        sizes.append(stop - start)
        return np.ones((stop - start, 10))

    found = item_knn.keep_best(similarity, 10, 2)
    assert sizes == [4, 4, 2]
    assert found.toarray()[0].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "bad",
    [
        {"k": 0},
        {"shrink": -1.0},
        {"support": -1.0},
        {"star_shrink": 0.0},
        {"shrink": np.nan},
        {"user_l2": 0.0},
        {"item_l2": -1.0},
    ],
)
def test_values_that_cannot_work_are_refused(bad):
    with pytest.raises(ConfigError):
        ItemKNNConfig(**bad)

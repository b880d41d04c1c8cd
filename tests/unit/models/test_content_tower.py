from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.models.content_tower import ContentTower
from recsys.testing.served import DIMS, GENRES, N_ITEMS, served_world

COLD_FROM_CONTENT = ("liked", "ranked", "rating_in", "rating_out", "rating_mean", "log_variance")


@pytest.fixture(scope="module")
def tower() -> ContentTower:
    return served_world().contents.tower


@pytest.fixture(scope="module")
def features():
    return served_world().features


def test_it_says_what_it_reads(tower):
    assert tower.modalities == tuple(sorted(DIMS))
    assert {name: tower.dim(name) for name in tower.modalities} == DIMS


def test_embedding_is_the_mean_of_the_projections_there_are(tower, features):
    w = tower.weights
    projected = [
        (features[name] - w[f"{name}/centre"]) / w[f"{name}/scale"] @ w[f"{name}/weight"].T
        + w[f"{name}/bias"]
        for name in DIMS
    ]
    content = np.tanh(sum(projected) / len(projected))
    found = tower.embed(features, N_ITEMS)
    d, r = tower.ranking_dim, tower.rating_dim
    vectors, scalars = content @ w["to_vectors"].T, content @ w["to_scalars"].T
    expected = {
        "liked": vectors[:, :d],
        "ranked": np.column_stack([vectors[:, d : 2 * d] / tower.temperature, scalars[:, 0]]),
        "rating_in": vectors[:, 2 * d : 2 * d + r],
        "rating_out": vectors[:, 2 * d + r :],
        "rating_mean": scalars[:, 1] + tower.rating_mean,
        "log_variance": scalars[:, 2],
        "weight": np.full(N_ITEMS, tower.cold_weight),
        "genre_logits": content @ w["genre/weight"].T + w["genre/bias"],
    }
    for name, array in found.arrays().items():
        np.testing.assert_allclose(array, expected[name], atol=1e-4)
        assert array.dtype == np.float32


@pytest.mark.parametrize("name", sorted(DIMS))
def test_a_row_that_is_not_finite_is_as_absent_as_a_modality_that_is_not_given(
    tower, features, name
):
    other = next(iter(DIMS.keys() - {name}))
    broken = features[name].copy()
    broken[:, 0] = np.nan
    broken[1::2, 0] = np.inf
    one = tower.embed({name: broken, other: features[other]}, N_ITEMS)
    two = tower.embed({other: features[other]}, N_ITEMS)
    for key, array in one.arrays().items():
        np.testing.assert_array_equal(array, two.arrays()[key])


def test_rows_do_not_depend_on_their_company(tower, features):
    whole = tower.embed(features, N_ITEMS)
    alone = tower.embed({name: array[[7]] for name, array in features.items()})
    for key, array in alone.arrays().items():
        np.testing.assert_allclose(array[0], whole.arrays()[key][7], atol=1e-5)


def test_a_movie_without_any_content_is_what_an_average_one_would_be(tower):
    found = tower.embed({}, 2)
    assert not any(found.arrays()[name].any() for name in ("liked", "ranked", "rating_out"))
    np.testing.assert_allclose(found.rating_mean, tower.rating_mean)
    np.testing.assert_allclose(found.genre_logits, np.tile(tower.weights["genre/bias"], (2, 1)))


def test_no_movie_has_no_rows(tower, features):
    found = tower.embed({name: array[:0] for name, array in features.items()}, 0)
    assert len(found) == 0
    assert found.genre_logits.shape == (0, len(GENRES))


def test_an_unknown_modality_is_refused(tower):
    with pytest.raises(DataError, match=r"'poster'[^→]*→ it reads: metadata, text"):
        tower.embed({"poster": np.zeros((1, 3), dtype=np.float32)})
    blind = replace(
        tower, weights={k: v for k, v in tower.weights.items() if k.split("/")[0] not in DIMS}
    )
    with pytest.raises(DataError, match="it reads: none"):
        blind.embed({"text": np.zeros((1, 3), dtype=np.float32)})


@pytest.mark.parametrize("shape", [(1, 4), (2, 5), (5,), (1, 5, 1)])
def test_a_wrong_shape_is_refused(tower, shape):
    with pytest.raises(DataError, match=r"metadata features have shape .*\(1, 5\) is needed"):
        tower.embed({"metadata": np.zeros(shape, dtype=np.float32)})


def test_features_stay_as_they_are(tower, features):
    given = {name: array.copy() for name, array in features.items()}
    given["text"][0, 0] = np.nan
    before = {name: array.copy() for name, array in given.items()}
    tower.embed(given, N_ITEMS)
    for name, array in given.items():
        np.testing.assert_array_equal(array, before[name])


def test_cold_movies_of_a_trained_model_are_their_content(make_joint, toy):
    model = make_joint()
    exported, tower = model.export().movies.arrays(), model.export_tower()
    tables = toy.catalogue.modalities
    features = {
        name: np.where(t.present[:, None], t.vectors, np.nan).astype(np.float32)
        for name, t in tables.items()
    }
    found = tower.embed(features, len(toy.catalogue)).arrays()
    cold = toy.train.item_counts() == 0
    bare = np.all([~t.present for t in tables.values()], axis=0)
    assert (cold & bare).any()
    assert (cold & ~bare).any()
    for name in (*COLD_FROM_CONTENT, "weight"):
        np.testing.assert_allclose(found[name][cold], exported[name][cold], atol=1e-5)
    np.testing.assert_allclose(found["genre_logits"], exported["genre_logits"], atol=1e-5)


def test_warm_movies_are_content_plus_offset(make_joint, toy):
    model = make_joint()
    exported, tower = model.export().movies.arrays(), model.export_tower()
    content = tower.embed(
        {
            n: np.where(t.present[:, None], t.vectors, np.nan)
            for n, t in toy.catalogue.modalities.items()
        },
        len(toy.catalogue),
    ).arrays()
    warm = toy.train.item_counts() > 0
    offsets = model.tower.vector_offsets.detach().numpy()
    d = tower.ranking_dim
    np.testing.assert_allclose(
        (exported["liked"] - content["liked"])[warm], offsets[warm, :d], atol=1e-5
    )
    np.testing.assert_allclose(
        (exported["ranked"] - content["ranked"])[warm, :-1] * tower.temperature,
        offsets[warm, d : 2 * d],
        atol=1e-5,
    )

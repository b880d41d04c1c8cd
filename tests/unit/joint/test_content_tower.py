from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.served import DIMS, FUSION_DIM, GENRES, N_ITEMS, served_world

from recsys.errors import DataError
from recsys.recommenders.joint.content_tower import ContentTower

FUSIONS = ("sum", "concat", "gated", "sparse")


@pytest.fixture(scope="module")
def tower() -> ContentTower:
    return served_world().model.tower


@pytest.fixture(scope="module")
def features():
    return served_world().features


def test_it_says_what_it_reads(tower):
    assert tower.modalities == tuple(sorted(DIMS))
    assert {name: tower.dim(name) for name in tower.modalities} == DIMS


def test_embedding_is_a_linear_reading_of_one_encoding(tower, features):
    """The whole of the arithmetic, for a tower that sums modalities and shares everything."""
    w = tower.weights
    codes = [
        np.tanh(
            (features[name] - w[f"modality/{name}/centre"])
            / w[f"modality/{name}/scale"]
            @ w[f"modality/{name}/weight"].T
            + w[f"modality/{name}/bias"]
        )
        for name in sorted(DIMS)
    ]
    shared = np.tanh(np.mean(codes, axis=0) @ w["shared/weight"].T + w["shared/bias"])
    found = tower.embed(features, N_ITEMS)

    def read(role):
        return shared @ w[f"role/{role}/weight"].T + w.get(f"role/{role}/bias", 0)

    expected = {
        "liked": read("liked"),
        "ranked": np.column_stack([read("ranked") / tower.temperature, read("rank_bias")]),
        "rating_in": read("rating_in"),
        "rating_out": read("rating_out"),
        "rating_mean": read("rating_mean")[:, 0] + tower.rating_mean,
        "log_variance": read("log_variance")[:, 0],
        "weight": np.full(N_ITEMS, tower.cold_weight),
        "genre_logits": read("genre_logits"),
        "audience_mean": read("audience_mean")[:, 0] + tower.rating_mean,
        "audience_log_variance": read("audience_log_variance")[:, 0],
        "modality_weights": np.full((N_ITEMS, len(DIMS)), 1 / len(DIMS)),
    }
    assert found.arrays().keys() == expected.keys()
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


def test_a_movie_without_any_content_is_what_absence_says(tower):
    absent = {f"modality/{name}/absent": np.full(FUSION_DIM, n) for n, name in enumerate(DIMS)}
    told = replace(tower, weights={**tower.weights, **absent})
    found, w = told.embed({}, 2), tower.weights
    lack = np.full(FUSION_DIM, sum(range(len(DIMS))) / len(DIMS))
    shared = np.tanh(w["shared/weight"] @ lack + w["shared/bias"])
    np.testing.assert_allclose(found.liked, [w["role/liked/weight"] @ shared] * 2, atol=1e-5)
    assert not found.modality_weights.any()


def test_no_movie_has_no_rows(tower, features):
    found = tower.embed({name: array[:0] for name, array in features.items()}, 0)
    assert len(found) == 0
    assert found.genre_logits.shape == (0, len(GENRES))


@pytest.fixture
def blind(tower):
    """A tower that reads no content."""
    return replace(tower, weights={k: w for k, w in tower.weights.items() if "modality" not in k})


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("n_movies", [0, 1, 3])
def test_a_tower_without_modalities_takes_all_movies_for_one(blind, fusion, n_movies):
    found, w = replace(blind, fusion=fusion).embed({}, n_movies), blind.weights
    liked = w["role/liked/weight"] @ np.tanh(w["shared/bias"])
    np.testing.assert_allclose(found.liked, np.tile(liked, (n_movies, 1)), atol=1e-5)
    assert found.modality_weights.shape == (n_movies, 0)


def test_an_unknown_modality_is_refused(tower, blind):
    with pytest.raises(DataError, match=r"'poster'[^→]*→ it reads: metadata, text"):
        tower.embed({"poster": np.zeros((1, 3), dtype=np.float32)})
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


def test_a_rated_movie_is_its_content_plus_its_offset_and_another_where_it_is_placed(
    joint, toy_features, toy
):
    exported, tower = joint.export().movies.arrays(), joint.export_tower()
    content = tower.content(toy_features, len(toy.catalogue)).arrays()
    placed = tower.embed(toy_features, len(toy.catalogue)).arrays()
    warm = toy.train.item_counts() > 0
    offsets = {name: o.detach().numpy() for name, o in joint.tower.offsets.items()}
    scaled = offsets["ranked"] / tower.temperature
    offsets["ranked"] = np.hstack([scaled, offsets.pop("rank_bias")])
    for name, array in exported.items():
        if name == "weight":
            np.testing.assert_array_equal(array[~warm], content[name][~warm])
            continue
        np.testing.assert_allclose(array[~warm], placed[name][~warm], atol=1e-5)
        offset = offsets.get(name, np.zeros((len(warm), 1))).reshape(len(warm), -1)
        expected = content[name].reshape(len(warm), -1) + offset
        np.testing.assert_allclose(array.reshape(len(warm), -1)[warm], expected[warm], atol=1e-5)


def test_it_is_the_torch_tower_without_offsets(make_joint, toy_features, toy, variant):
    """Some movies lack one modality, some all: for every fusion and every sharing."""
    torch = pytest.importorskip("torch", reason="the tower is torch")
    model = make_joint(**variant, placement={"kind": "content"})
    with torch.no_grad():
        for offset in model.tower.offsets.values():
            offset.zero_()
        trained, expected = model.tower.encode(), model.export().movies.arrays()
    tower = model.export_tower()
    served = tower.encode(toy_features, len(toy.catalogue))
    np.testing.assert_allclose(served.shared, trained.shared, atol=1e-5)
    assert served.private.keys() == trained.private.keys()
    assert bool(served.private) == (variant["sharing"]["scheme"] != "fs")
    for task, private in served.private.items():
        np.testing.assert_allclose(private, trained.private[task], atol=1e-5)
    found = tower.embed(toy_features, len(toy.catalogue)).arrays()
    for name in expected.keys() - {"weight"}:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


@pytest.mark.parametrize("kind", ["regression", "content"])
def test_new_movies_are_placed_as_the_cold_ones_were_in_training(
    make_joint, toy_features, toy, variant, kind
):
    model = make_joint(**variant, placement={"kind": kind})
    found = model.export_tower().embed(toy_features, len(toy.catalogue)).arrays()
    cold = toy.train.item_counts() == 0
    bare = ~np.any([np.isfinite(x).all(axis=1) for x in toy_features.values()], axis=0)
    assert (cold & bare).any()
    assert (cold & ~bare).any()
    for name, array in model.export().movies.arrays().items():
        np.testing.assert_allclose(found[name][cold], array[cold], atol=1e-5)

"""The torch model and its exported arrays are twins; its parts start from their own streams."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the joint model needs torch")

from recsys.data.hashing import fingerprint
from recsys.models.histories import rated_mask
from recsys.models.joint import TrainStatistics
from recsys.models.recommender import Query

FROM_COUNTS = {"weight"}


@pytest.fixture(scope="module")
def query(toy):
    return Query.known(toy.train)


def tensor(matrix):
    return torch.from_numpy(matrix.toarray().astype(np.float32))


def test_served_scores_are_the_torch_model_s(joint, query):
    served = joint.export()
    with torch.no_grad():
        scores = joint.rank(joint.movies(), tensor(served.weights(query.histories)))
    np.testing.assert_allclose(served.score(query), scores.numpy(), atol=1e-5)


def test_served_ratings_are_the_torch_model_s(joint, query):
    served, histories = joint.export(), query.histories
    rows, items = (part.ravel() for part in np.indices(histories.shape))
    found = served.predict(query, rows, items)
    with torch.no_grad():
        mean, log_variance = joint.rate(
            joint.movies(), tensor(histories), tensor(rated_mask(histories))
        )
    scale = served.rating.scale
    assert (scale.low, scale.high) == (0, 5)
    expected = np.clip(mean.numpy().ravel(), scale.low, scale.high)
    np.testing.assert_allclose(found.mean, expected, atol=1e-5)
    np.testing.assert_allclose(found.std, np.exp(log_variance.numpy().ravel() / 2), rtol=1e-5)


def test_served_genres_are_the_torch_model_s(joint):
    with torch.no_grad():
        logits = joint.genre_logits(joint.movies())
    np.testing.assert_allclose(
        joint.export().genre_probabilities(), torch.sigmoid(logits).numpy(), atol=1e-6
    )


@pytest.mark.parametrize("training", [True, False])
def test_exporting_is_looking_and_not_touching(make_joint, training):
    model = make_joint().train(training)
    before = fingerprint([p.detach().numpy().copy() for p in model.state_dict().values()])
    exported, again = model.export().movies.arrays(), model.export().movies.arrays()
    model.export_tower()
    assert model.training is training
    assert fingerprint([p.numpy() for p in model.state_dict().values()]) == before
    for name, array in exported.items():
        np.testing.assert_array_equal(array, again[name])
        assert array.dtype == np.float32


def test_what_was_exported_does_not_change_with_further_training(make_joint):
    model = make_joint()
    served, tower = model.export(), model.export_tower()
    arrays = [*served.movies.arrays().values(), *tower.weights.values()]
    before = fingerprint(arrays)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
        for name in model.tower.names:
            model.tower.projection(name).centre.add_(1)
    assert fingerprint(arrays) == before


def test_content_alone_decides_the_genres(make_joint):
    model = make_joint()
    before = model.export().movies.genre_logits
    with torch.no_grad():
        model.tower.vector_offsets += 1
        model.tower.scalar_offsets += 1
    np.testing.assert_array_equal(model.export().movies.genre_logits, before)


def test_genres_and_facts_are_no_input(make_joint, toy):
    before = make_joint(stirred=False).export().movies.arrays()
    other = replace(
        toy.catalogue,
        genres=~toy.catalogue.genres,
        facts={"director": [("x",)] * len(toy.catalogue)},
    )
    for name, array in make_joint(other, stirred=False).export().movies.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_statistics_are_those_of_the_training_ratings(toy):
    train, found = toy.train, TrainStatistics.of(toy.train)
    assert found.rating_mean == pytest.approx(train.rating.mean(), abs=1e-6)
    assert found.scale == train.scale
    for i, count in enumerate(found.counts):
        above = train.rating[train.item == i].astype(float) - found.rating_mean
        assert count == len(above)
        mean = above.mean() if count else 0.0
        assert abs(found.movie_bias[i]) <= abs(mean) + 1e-6
        assert found.movie_bias[i] * mean >= 0
    assert not found.movie_bias[found.counts == 0].any()


def test_before_training_what_is_rated_often_ranks_high_and_what_is_rated_well_is_rated_well(
    make_joint, toy
):
    stripped = replace(toy.catalogue, modalities={})
    movies = make_joint(stripped, stirred=False).export().movies
    counts, statistics = toy.train.item_counts(), TrainStatistics.of(toy.train)
    warm = counts > 0
    by_bias, by_count = np.argsort(movies.ranked[warm, -1]), np.argsort(counts[warm])
    np.testing.assert_array_equal(counts[warm][by_bias], counts[warm][by_count])
    np.testing.assert_allclose(
        movies.rating_mean, statistics.rating_mean + statistics.movie_bias, atol=1e-6
    )


@pytest.fixture(scope="module")
def swapped(toy):
    """The catalogue with the content of the movies permuted, whole rows of all modalities."""
    source = np.roll(np.arange(len(toy.catalogue)), 1)
    catalogue = toy.catalogue
    for table in toy.catalogue.modalities.values():
        moved = replace(table, vectors=table.vectors[source], present=table.present[source])
        catalogue = catalogue.with_modality(moved)
    return catalogue, source


def test_before_training_shuffled_features_change_no_parameter(make_joint, swapped):
    one, two = (dict(m.named_parameters()) for m in (make_joint(), make_joint(swapped[0])))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_before_training_shuffled_features_change_the_content_part_and_nothing_else(
    make_joint, toy, swapped
):
    """Movie i: content of i plus offset of i. Shuffled: content of source[i] plus offset of i."""
    catalogue, source = swapped
    model = make_joint()
    before, after = model.export().movies.arrays(), make_joint(catalogue).export().movies.arrays()
    tower = model.export_tower()
    features = {
        name: np.where(table.present[:, None], table.vectors, np.nan)
        for name, table in toy.catalogue.modalities.items()
    }
    content = tower.embed(features, len(toy.catalogue)).arrays()
    np.testing.assert_array_equal(after["weight"], before["weight"])
    for name in before.keys() - FROM_COUNTS:
        moved = content[name][source] - content[name]
        np.testing.assert_allclose(after[name], before[name] + moved, atol=2e-5)
        assert np.abs(moved).max() > 0.1


def test_before_training_a_cold_movie_is_whatever_its_content_is(make_joint, toy, swapped):
    catalogue, source = swapped
    before, after = (make_joint(c).export().movies.arrays() for c in (toy.catalogue, catalogue))
    cold = toy.train.item_counts() == 0
    stays_cold = cold & cold[source]
    assert stays_cold.any()
    for name, array in after.items():
        np.testing.assert_allclose(array[stays_cold], before[name][source][stays_cold], atol=2e-5)


def test_users_of_a_model_without_content_are_unmoved_by_features(make_joint, toy, swapped, query):
    one, two = (
        make_joint(replace(catalogue, modalities={})).export()
        for catalogue in (toy.catalogue, swapped[0])
    )
    np.testing.assert_array_equal(one.score(query), two.score(query))


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_a_catalogue_without_genres_is_no_obstacle(make_joint, toy):
    nameless = replace(toy.catalogue, genre_names=(), genres=np.zeros((len(toy.catalogue), 0)))
    served = make_joint(nameless).export()
    assert served.genre_probabilities().shape == (len(toy.catalogue), 0)

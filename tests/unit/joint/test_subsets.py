"""A trained model without some of its modalities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.served import ServedWorld, served_world

from recsys.data.splits import TrainingData
from recsys.errors import ConfigError
from recsys.recommenders.joint.recommender import subsets


@pytest.fixture(scope="module")
def world() -> ServedWorld:
    return served_world()


@pytest.fixture(scope="module")
def catalogue(world):
    from recsys.data.catalogue import EncoderCard, ModalityTable

    movies = world.model.context.catalogue
    for name, vectors in world.features.items():
        card = EncoderCard(name, "1", vectors.shape[1], "", "", "", "")
        present = np.isfinite(vectors).all(axis=1)
        table = ModalityTable(name, vectors, present, card, movies.items.fingerprint)
        movies = movies.with_modality(table)
    return movies


def with_modalities(recommender, catalogue, kept):
    histories = recommender.context.histories
    data = TrainingData.of(histories, histories.select(np.arange(0)), catalogue)
    return recommender.with_modalities(data, kept)


def test_subsets_are_all_there_are_from_none_to_all():
    found = list(subsets(("a", "b", "c")))
    assert len(found) == len(set(found)) == 8
    assert found[0] == ()
    assert found[-1] == ("a", "b", "c")


def test_all_modalities_change_nothing(world, catalogue):
    model, tower = world.model.model, world.model.tower
    whole = with_modalities(world.model, catalogue, tower.modalities).model
    for name, array in whole.movies.arrays().items():
        np.testing.assert_array_equal(array, model.movies.arrays()[name])


def test_what_goes_is_exactly_what_the_missing_content_added(world, catalogue):
    model, tower = world.model.model, world.model.tower
    kept = tower.modalities[:1]
    part = with_modalities(world.model, catalogue, kept).model.movies.arrays()
    n = len(catalogue)
    some = tower.embed({name: world.features[name] for name in kept}, n).arrays()
    full = tower.embed(world.features, n).arrays()
    whole = model.movies.arrays()
    for name, array in part.items():
        offset = whole[name] - full[name]
        np.testing.assert_allclose(array, some[name] + offset, atol=1e-5)
        assert not array.size or np.array_equal(array, whole[name]) == (name == "weight")
    for name in ("genre_logits", "audience_mean", "audience_log_variance", "modality_weights"):
        np.testing.assert_allclose(part[name], some[name], atol=1e-5)


def test_without_any_content_movies_differ_by_their_offsets_alone(world, catalogue):
    bare = with_modalities(world.model, catalogue, ()).model.movies
    for array in (bare.genre_logits, bare.audience_mean, bare.audience_log_variance):
        np.testing.assert_allclose(array, np.full_like(array, array[0]), atol=1e-5)
    np.testing.assert_allclose(bare.modality_weights, 0, atol=1e-6)
    assert np.ptp(bare.liked, axis=0).min() > 0.1


def test_an_unknown_modality_names_those_there_are(world, catalogue):
    with pytest.raises(ConfigError, match="does not read modality 'texts'") as caught:
        with_modalities(world.model, catalogue, ("texts",))
    assert "text" in caught.value.hint


def test_a_catalogue_without_the_features_is_refused(world, catalogue):
    bare = replace(catalogue, modalities={})
    with pytest.raises(ConfigError, match="the catalogue lacks modality"):
        with_modalities(world.model, bare, ())


def test_a_recommender_without_some_of_its_modalities_is_one(world, catalogue):
    recommender = world.model
    part = with_modalities(recommender, catalogue, recommender.tower.modalities[:1])
    assert (part.source, part.context) == (recommender.source, recommender.context)
    assert part.tower.modalities == recommender.tower.modalities

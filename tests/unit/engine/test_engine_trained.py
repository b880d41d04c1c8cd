import numpy as np
import pytest

from recsys.config.experiment import ExperimentConfig, TrainingConfig
from recsys.engine import Engine, NewMovie
from recsys.testing.worlds import two_genre_world


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    pytest.importorskip("torch", reason="training needs torch")
    from recsys.recommenders.joint.recommender import JointRecommender

    config = ExperimentConfig(training=TrainingConfig(epochs=5, batch_size=64))
    model = JointRecommender(config).fit(two_genre_world().split)
    return Engine.load(model.save(tmp_path_factory.mktemp("trained") / "bundle")), model


def test_what_is_served_is_what_was_trained(trained):
    engine, model = trained
    query = engine.context.everyone
    np.testing.assert_array_equal(engine.model.score(query), model.score(query))


def test_a_movie_with_the_content_of_a_cold_one_gets_its_vectors(trained):
    engine, _ = trained
    world = two_genre_world()
    row = int(np.flatnonzero(world.cold)[0])
    content = {name: table.vectors[row] for name, table in world.catalogue.modalities.items()}
    grown = engine.add_movie(NewMovie("new", "New", content))
    for array in grown.model.model.movies.arrays().values():
        np.testing.assert_allclose(array[-1], array[row], atol=1e-5)

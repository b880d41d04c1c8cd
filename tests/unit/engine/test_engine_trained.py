import numpy as np
import pytest

from recsys.bundle import BundleContents, DatasetRecord, Provenance, write_bundle
from recsys.config.experiment import ExperimentConfig, TrainingConfig
from recsys.data.splits import Split, SplitSpec
from recsys.engine import Engine, NewMovie
from recsys.recommenders.saving import restore
from recsys.testing.worlds import two_genre_world


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    pytest.importorskip("torch", reason="training needs torch")
    from recsys.recommenders.joint.recommender import JointRecommender

    world = two_genre_world()
    config = ExperimentConfig(training=TrainingConfig(epochs=5, batch_size=64))
    model = JointRecommender(config, lambda *_: lambda _model: {"ndcg@10": 0.0, "rmse": 0.0})
    model.fit(world.train, world.valid, world.catalogue)
    split = Split(world.train, world.valid, world.test, SplitSpec("toy", 0))
    dataset = DatasetRecord(name="toy", fingerprint="0")
    contents = BundleContents(
        config=config,
        catalogue=world.catalogue,
        histories=world.train,
        seen=world.train.matrix() + world.valid.matrix(),
        model=model.model,
        tower=model.tower,
        provenance=Provenance.of(dataset, split, world.catalogue),
    )
    folder = tmp_path_factory.mktemp("trained") / "bundle"
    write_bundle(folder, contents, restore)
    return Engine.load(folder), model


def test_what_is_served_is_what_was_trained(trained):
    engine, model = trained
    query = engine.queries_for()
    np.testing.assert_array_equal(engine.score_block(query), model.score(query))


def test_a_movie_with_the_content_of_a_cold_one_gets_its_vectors(trained):
    engine, _ = trained
    world = two_genre_world()
    row = int(np.flatnonzero(world.cold)[0])
    content = {name: table.vectors[row] for name, table in world.catalogue.modalities.items()}
    grown = engine.add_movie(NewMovie("new", "New", content))
    for array in grown.model.movies.arrays().values():
        np.testing.assert_allclose(array[-1], array[row], atol=1e-5)

"""A model with every fusion and every sharing, from its training form to a served bundle."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the model is made with torch")

from support.served import COLD, N_ITEMS, parts_of, served_world

from recsys.bundle import BundleContents, write_bundle
from recsys.config.experiment import (
    ExperimentConfig,
    FusionConfig,
    ModelConfig,
    SharingConfig,
    UserConfig,
)
from recsys.data.catalogue import EncoderCard, ModalityTable
from recsys.engine import Engine, NewMovie
from recsys.recommenders.joint.network import JointModel, TrainStatistics
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.storage import Fitted
from recsys.recommenders.saving import contents_of, load, restore

FUSIONS = ("sum", "concat", "gated", "sparse")
SCHEMES = ("fs", "sp", "asp")
WITHOUT = {"metadata": (2, 34, 36), "text": (1, 35, 36)}
"""Rows without a modality; row 36, a cold one, has none."""

STARRY = UserConfig(rating_slope=0.4, popularity_exponent=0.5)


@dataclass(frozen=True, eq=False)
class Made:
    network: JointModel
    model: JointRecommender

    @property
    def contents(self) -> BundleContents:
        return contents_of(self.model)


def features():
    found = {name: vectors.copy() for name, vectors in served_world().features.items()}
    for name, rows in WITHOUT.items():
        found[name][list(rows)] = np.nan
    return found


def tables(items):
    for name, vectors in features().items():
        present = np.isfinite(vectors).all(axis=1)
        card = EncoderCard(name, "1", vectors.shape[1], "", "", "", "")
        yield ModalityTable(name, np.nan_to_num(vectors), present, card, items.fingerprint)


def make(modalities=True, user=STARRY, likelihood="gaussian", fusion="sum", scheme="fs") -> Made:
    world = served_world().model
    catalogue = world.context.catalogue
    for table in tables(catalogue.items) if modalities else ():
        catalogue = catalogue.with_modality(table)
    config = ExperimentConfig(
        name="made",
        user=user,
        fusion=FusionConfig(kind=fusion, dim=5),
        sharing=SharingConfig(scheme=scheme, shared_dim=4, private_dim=3),
        model=ModelConfig(ranking_dim=6, rating_dim=3, rating_likelihood=likelihood),
    )
    model = JointModel(catalogue, TrainStatistics.of(world.context.histories), config)
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=random))
    arrays = Fitted(model.export(), model.export_tower(), 0).arrays()
    context = replace(world.context, catalogue=catalogue)
    return Made(model, JointRecommender.restore(config, arrays, world.source, context))


def bundled(made, folder) -> Engine:
    write_bundle(folder, made.contents, restore)
    return Engine.load(folder)


@pytest.fixture(scope="module", params=[(f, s) for f in FUSIONS for s in SCHEMES], ids="-".join)
def served(request, tmp_path_factory):
    fusion, scheme = request.param
    made = make(fusion=fusion, scheme=scheme)
    return made, bundled(made, tmp_path_factory.mktemp("made") / "bundle")


def without_offsets(model, rows=slice(None)):
    """What the model makes of its movies when some of them are their content alone."""
    bare = deepcopy(model)
    bare.placement = None
    with torch.no_grad():
        for offset in bare.tower.offsets.values():
            offset[rows] = 0
    return bare.export().movies.arrays()


def test_the_loaded_model_answers_as_the_trained_one(served):
    made, engine = served
    query = engine.context.everyone
    np.testing.assert_array_equal(engine.model.score(query), made.model.score(query))
    assert engine.label == made.contents.label
    loaded = engine.model.tower
    assert loaded.weights.keys() == made.model.tower.weights.keys()
    for name, weight in made.model.tower.weights.items():
        assert loaded.weights[name].shape == weight.shape


def test_the_loaded_tower_reads_content_as_torch_does(served):
    made, engine = served
    expected = without_offsets(made.network)
    found = engine.model.tower.content(features(), N_ITEMS).arrays()
    for name in expected.keys() - {"weight"}:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


@pytest.mark.parametrize("row", [34, 35, 37])
def test_a_new_movie_is_placed_as_the_same_cold_movie_is(served, row):
    made, engine = served
    expected = made.model.model.movies.arrays()
    assert row in COLD
    content = {n: table[row] for n, table in features().items() if np.isfinite(table[row]).all()}
    grown = engine.add_movie(NewMovie("new", "New", content)).model.model.movies.arrays()
    for name, array in expected.items():
        np.testing.assert_allclose(grown[name][-1], array[row], atol=1e-5)


def test_gates_are_shares_of_what_is_there(served):
    made, engine = served
    present = np.stack(
        [t.present for _, t in sorted(made.model.context.catalogue.modalities.items())], 1
    )
    gates = engine.model.model.movies.modality_weights
    assert gates.shape == present.shape
    assert not gates[~present].any()
    some = present.any(axis=1)
    assert not some[36]
    np.testing.assert_allclose(gates[some].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("user", [UserConfig(), STARRY])
def test_shares_add_up_for_every_user_option(tmp_path, user):
    made = make(user=user, fusion="gated", scheme="sp")
    engine = bundled(made, tmp_path / "bundle")
    scores = engine.model.score(engine.context.everyone)
    expected = made.model.score(made.model.context.everyone)
    np.testing.assert_array_equal(scores, expected)
    for row, name in enumerate(engine.users.ids):
        for movie in ("m0", "m35"):
            column = engine.catalogue.items.row(movie)
            shares = [entry.share for entry in engine.explain(name, movie)]
            assert sum(shares) == pytest.approx(scores[row, column], abs=1e-4)


def test_user_options_are_no_empty_words():
    scores = []
    for user in (UserConfig(), STARRY):
        model = make(user=user).model
        scores.append(model.score(model.context.everyone))
    for n, one in enumerate(scores):
        assert not any(np.allclose(one, other, atol=1e-3) for other in scores[:n])


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_model_without_any_modality_is_served(tmp_path, fusion, scheme):
    made = make(modalities=False, fusion=fusion, scheme=scheme)
    engine = bundled(made, tmp_path / "bundle")
    assert engine.model.tower.modalities == ()
    assert len(engine.recommend("u0", 5).items) == 5
    assert 1 <= engine.predict("u0", "m3").mean <= 5


def with_rating(model, **changes):
    """The model with other numbers of its rating and audience heads."""
    made = replace(model.model, rating=model.model.rating._replace(**changes))
    arrays = Fitted(made, model.tower, 0).arrays()
    return JointRecommender.restore(model.config, arrays, model.source, model.context)


@pytest.mark.parametrize("likelihood", ["gaussian", "ordinal"])
def test_ratings_of_either_likelihood_come_back(tmp_path, likelihood):
    model = with_rating(make(likelihood=likelihood).model, spread=1.25, vote_std=0.8)
    loaded = load(model.save(tmp_path / "bundle")).model
    rating = model.model.rating
    assert loaded.model.rating == rating
    midway = rating.levels == type(rating.levels).midway(rating.levels.values)
    assert midway == (likelihood == "gaussian")
    query = model.context.everyone
    rows, items = (part.ravel() for part in np.indices((len(query), N_ITEMS)))
    found, expected = (m.predict_ratings(query, rows, items) for m in (loaded, model))
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.levels.probability, expected.levels.probability)


def test_ratings_without_levels_come_back(tmp_path):
    model = with_rating(make().model, levels=None)
    assert load(model.save(tmp_path / "bundle")).model.model.rating == model.model.rating


@pytest.mark.parametrize(
    "change", [{"spread": 1.1}, {"vote_std": 2.0}, {"user_noise": 0.9}, {"levels": None}]
)
def test_every_number_of_the_rating_is_part_of_the_version(change):
    model = make().model
    assert contents_of(with_rating(model, **change)).version != contents_of(model).version


def test_thresholds_and_the_kind_of_fusion_are_part_of_the_version():
    contents = make().contents
    levels = parts_of(contents).model.rating.levels
    moved = replace(levels, thresholds=tuple(t + 0.1 for t in levels.thresholds))
    assert contents_of(with_rating(make().model, levels=moved)).version != contents.version
    gated, sparse = (
        replace(contents, config=contents.config.model_copy(update={"fusion": fusion}))
        for fusion in (FusionConfig(kind="gated", dim=5), FusionConfig(kind="sparse", dim=5))
    )
    assert gated.version != sparse.version

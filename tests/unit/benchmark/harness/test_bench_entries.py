"""Everybody who takes part, and the ends of the scale."""

# ruff: noqa: ARG002 - models have these arguments whether they read them or not

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.benchmark.entries import (
    DOCUMENTED,
    ENTRIES,
    MODALITIES,
    QUICK,
    entry_named,
    joint,
    require_entry,
)
from recsys.benchmark.evaluating import with_timestamps
from recsys.benchmark.oracles import RandomConfig, RandomScores, TruePopularity
from recsys.benchmark.protocols import PROTOCOLS, SplitSeed
from recsys.benchmark.results import Trial, file_name
from recsys.benchmark.spaces import around, grid
from recsys.errors import ConfigError, DataError
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Query, RatingPrediction
from recsys.recommenders.registry import MODELS
from recsys.recommenders.simple import GlobalMean
from recsys.testing.worlds import two_genre_world

OURS = [entry for entry in ENTRIES if entry.family not in ("recbole", "oracle")]
by_name = pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)


def test_names_are_names_of_files_and_no_two_are_one():
    files = [file_name(entry.name) for entry in ENTRIES]
    assert len(set(files)) == len(files)
    assert all(files)
    assert file_name("content-knn-plain:text") == "content-knn-plain-text"
    assert file_name("EASE (RecBole)") == "ease-recbole"
    assert file_name("svd++") == "svd++"


def test_every_model_of_the_registry_is_measured():
    assert {entry.name.partition(":")[0] for entry in OURS} == set(MODELS)


def test_every_model_has_a_protocol_and_every_protocol_models():
    for entry in ENTRIES:
        assert any(protocol.tasks_of(entry) for protocol in PROTOCOLS.values()), entry.name
    for protocol in PROTOCOLS.values():
        assert sum(bool(protocol.tasks_of(entry)) for entry in ENTRIES) > 5


def test_spaces_can_be_written_and_say_where_they_are_from():
    for entry in ENTRIES:
        assert entry.space, entry.name
        for given_ in entry.space[:50]:
            Trial(hyper_parameters=dict(given_), score=None, seconds=1)
        assert len({tuple(p.items()) for p in entry.space}) == len(entry.space)
        assert entry.source or len(entry.space) == 1, entry.name


@by_name
def test_every_configuration_makes_another_model_and_the_first_is_the_default(entry):
    made = [repr(entry.make(given_, 1).config) for given_ in entry.space]
    assert len(set(made)) == len(made)
    assert entry.make(entry.space[0], 1).name == entry.name
    if entry.family not in ("ours", "library") and entry.name != "svd":
        assert made[0] == repr(entry.make({}, 1).config)


@by_name
def test_the_seed_reaches_a_random_model(entry):
    one, two = (repr(entry.make(entry.space[0], seed).config) for seed in (1, 2))
    assert (one != two) == entry.facts.random


def test_who_did_not_begin_as_documented_says_so():
    pytest.importorskip("implicit", reason="the bench extra")
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    libraries = {
        "implicit-als": AlternatingLeastSquares,
        "implicit-bpr": BayesianPersonalizedRanking,
    }
    for name, model in libraries.items():
        entry, defaults = require_entry(name), model()
        begins = all(getattr(defaults, k) == v for k, v in entry.space[0].items())
        assert begins == (entry.first_from == DOCUMENTED), name
    ours = [entry for entry in ENTRIES if entry.origin in ("ours", "construction")]
    assert len(ours) >= 5
    assert all(entry.first_from != DOCUMENTED for entry in ours)


def test_what_needs_the_time_of_the_rating_cannot_be_trained_for_serving():
    dated = {entry.name for entry in ENTRIES if entry.facts.uses_timestamps}
    assert dated == {"myfm-regression-date", "myfm-ordinal-date"}
    cannot = {entry.name for entry in ENTRIES if not entry.can_be_trained}
    outside = {entry.name for entry in ENTRIES if entry.family in ("recbole", "oracle")}
    assert cannot == dated | outside


def test_the_quick_ones_are_there_and_need_nothing_optional():
    quick = [entry for entry in ENTRIES if entry.name in QUICK]
    assert len(quick) == len(QUICK)
    assert {entry.facts.library for entry in quick} <= {None, "torch"}


def test_one_row_a_modality_is_told_which():
    for name in ("content-knn-plain", "content-ridge", "vbpr"):
        assert entry_named(name).modality is None
        for modality in MODALITIES:
            entry = entry_named(f"{name}:{modality}")
            assert entry.modality == modality == entry.make({}, 1).config.modality


def test_the_configurations_of_the_joint_model_are_of_its_own_seed_and_one_thread():
    entry = require_entry("joint")
    found = [entry.make(given_, 5).config for given_ in entry.space]
    for config in found:
        assert (config.seed, config.training.threads, config.training.device) == (5, 1, "cpu")
    assert {config.fusion.kind for config in found} == {"sum", "concat"}
    assert "ranking_dim" in entry.settings()


def test_a_variant_is_a_configuration_override():
    variant = joint("no teacher", {"losses.distillation": 0.0})
    assert (variant.name, variant.model) == ("joint, no teacher", "joint")
    assert variant.make({}, 1).config.losses.distillation == 0
    assert variant.settings() != joint().settings()


def test_an_unknown_model_is_told_with_the_nearest():
    with pytest.raises(ConfigError, match="'eese'") as caught:
        require_entry("eese")
    assert "ease" in caught.value.hint


def test_a_list_of_names_does_not_import_torch():
    code = "import sys, recsys.benchmark.entries; sys.exit('torch' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_around_is_the_grid_nearest_first(sizes):
    choices = {f"o{n}": tuple(range(size)) for n, size in enumerate(sizes)}
    found = around(**choices)
    as_set = {tuple(point.values()) for point in found}
    assert as_set == {tuple(point.values()) for point in grid(**choices)}
    assert len(found) == len(as_set)
    changed = [sum(value > 0 for value in point.values()) for point in found]
    assert changed == sorted(changed)
    assert changed[0] == 0


def test_random_scores_belong_to_a_user_and_a_history(material):
    split = material.split(SplitSeed("ro", 1)).split
    model = RandomScores(RandomConfig(3)).fit(split)
    query = Query.known(split.train)
    scores = model.score(query)
    np.testing.assert_array_equal(model.score(query.slice(4, 9)), scores[4:9])
    other = RandomScores(RandomConfig(4)).fit(split)
    assert not np.array_equal(other.score(query), scores)
    assert len(np.unique(scores)) > scores.size / 2
    assert len({scores[row].tobytes() for row in range(len(scores))}) == len(scores)


def test_true_popularity_counts_everything_and_alone_sees_the_test(material):
    split = material.split(SplitSeed("cold-items", 1)).split
    model = TruePopularity().fit(split)
    assert not model.score(Query.known(split.train))[:, split.cold_items].any()
    model.see(split.test)
    expected = material.dataset.interactions.item_counts()
    np.testing.assert_array_equal(model.score(Query.known(split.train))[0], expected)
    assert [entry.name for entry in ENTRIES if entry.sees_test] == ["true-popularity"]


class Clock:
    """Predicts from the time alone, where it is told."""

    def predict_ratings(self, query, rows, items):
        return RatingPrediction(np.full(len(items), 1, dtype=np.float32))

    def predict_at(self, query, rows, items, times):
        return RatingPrediction((1 + times % 5).astype(np.float32))


def test_timestamps_are_those_of_the_truth():
    world = two_genre_world()
    truth, query = world.test, Query.known(world.train)
    told = evaluate_ratings(with_timestamps(Clock(), truth), truth, query)
    error = (1 + truth.time % 5) - truth.rating
    assert told.rmse == pytest.approx(np.sqrt(np.mean(error**2)))
    assert evaluate_ratings(Clock(), truth, query).rmse != pytest.approx(told.rmse)
    model = GlobalMean()
    assert with_timestamps(model, truth) is model


def test_only_the_evaluated_pairs_have_times():
    truth, query = two_genre_world().test, Query.known(two_genre_world().train)
    predictor = with_timestamps(Clock(), truth)
    with pytest.raises(DataError, match="all of them together"):
        predictor.predict_ratings(query, truth.user[:5], truth.item[:5])

"""From files to a bundle and back: what is served is what was measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("sklearn", reason="encoding needs scikit-learn")

from recsys.experiment.evaluate import (
    DEMO_BASELINES,
    Candidate,
    Material,
    ServedExperiment,
    document_of,
    fit_baseline,
    judge,
    limited_threads,
    results_of,
)
from recsys.experiment.measure import Judge
from recsys.experiment.prepare import prepare
from recsys.experiment.train import save, train

from recsys.bundle import load_bundle
from recsys.config.experiment import DataConfig, SplitConfig
from recsys.config.sources import FieldConfig, ItemsTableConfig, SourcesConfig
from recsys.data.splits import genre_partition
from recsys.errors import AlignmentError, ConfigError, DataError
from recsys.evaluation.report import ResultsDocument
from recsys.queries.query import Query
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.training.options import RunOptions
from recsys.recommenders.registry import make_baseline
from recsys.testing.joint import toy_experiment


@pytest.fixture(scope="module")
def experiment(toy_features):
    return toy_experiment(epochs=6).model_copy(
        update={
            "features": toy_features,
            "data": DataConfig(name="toy"),
            "split": SplitConfig(name="ro", seed=3),
        }
    )


@pytest.fixture(scope="module")
def ready(experiment, data_dir):
    return prepare(experiment, data_dir)


@pytest.fixture(scope="module")
def trained(ready):
    return train(ready)


@pytest.fixture(scope="module")
def bundle(ready, trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundles") / "toy"
    save(ready, trained, path)
    return path


@pytest.fixture(scope="module")
def served(bundle, data_dir):
    return ServedExperiment.open(bundle, data_dir)


@pytest.fixture(scope="module")
def in_memory(trained, experiment):
    model = trained.recommender.model
    genres = model.genre_probabilities()
    return Candidate(
        "mine", model, model, genres, experiment.seed, trained.seconds, 12, model.audience()
    )


def numbers(row):
    return row.rating, row.ranking, row.overall, row.genre, row.audience, row.n_users


def test_preparing_reads_encodes_and_splits(ready, experiment):
    assert ready.dataset.name == "toy"
    assert list(ready.catalogue.modalities) == ["metadata"]
    assert [report.modality for report in ready.extraction] == ["metadata"]
    assert not ready.dataset.catalogue.modalities
    assert (ready.split.spec.name, ready.split.spec.seed) == ("ro", 3)
    expected = genre_partition(ready.catalogue, experiment.seed)
    for part in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(ready.labels, part), getattr(expected, part))


@pytest.fixture
def genres_elsewhere(data_dir, tmp_path):
    """The data set without years and genres, and an experiment that takes them from a table."""
    (tmp_path / "toy").mkdir()
    ratings = (data_dir / "ratings.csv").read_text()
    (tmp_path / "toy" / "ratings.csv").write_text(ratings)
    (tmp_path / "toy" / "movies.csv").write_text("movieId,title,genres\n1,Movie 0,\n")
    table = ItemsTableConfig(
        path=data_dir / "movies.csv",
        id_column="movieId",
        title="title",
        genres=FieldConfig(column="genres", separator="|"),
    )
    return tmp_path / "toy", SourcesConfig(items=(table,))


def test_genres_are_judged_on_movies_they_were_not_learnt_from(
    experiment, genres_elsewhere, tmp_path
):
    folder, sources = genres_elsewhere
    ready = prepare(experiment.model_copy(update={"sources": sources}), folder)
    assert not ready.dataset.catalogue.genre_names
    learnt = genre_partition(ready.catalogue, experiment.seed)
    assert ready.labels.test.any()
    assert not (ready.labels.test & learnt.train).any()
    trained = train(ready)
    assert "macro_f1" in trained.recommender.log.best_metrics
    save(ready, trained, tmp_path / "bundle")
    served = ServedExperiment.open(tmp_path / "bundle", folder)
    np.testing.assert_array_equal(served.material.labels.test, ready.labels.test)
    row = judge(served.candidate(), served.material)
    assert row.genre == load_bundle(tmp_path / "bundle").contents.metrics.genre


def test_preparing_twice_gives_one_split(ready, experiment, data_dir):
    again = prepare(experiment, data_dir)
    assert again.split.fingerprint == ready.split.fingerprint
    assert again.catalogue.modalities["metadata"].fingerprint == (
        ready.catalogue.modalities["metadata"].fingerprint
    )


def test_a_split_that_is_unknown_is_refused(experiment, data_dir):
    bad = experiment.model_copy(update={"split": SplitConfig(name="roo")})
    with pytest.raises(ConfigError, match="roo"):
        prepare(bad, data_dir)


def test_training_writes_its_log(ready, tmp_path):
    path = tmp_path / "log.jsonl"
    again = train(ready, RunOptions(log_path=path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == again.recommender.log.records
    assert again.seconds > 0


def test_training_is_given_train_and_valid_and_nothing_else(ready, monkeypatch):
    given = []

    class Watched(JointRecommender):
        def fit(self, *parts):
            given.append(parts)
            return super().fit(*parts)

    monkeypatch.setattr("recsys.experiment.train.JointRecommender", Watched)
    train(ready)
    assert given == [(ready.split.train, ready.split.valid, ready.catalogue)]


def test_early_stopping_sees_valid_as_test_will_be_seen(ready, trained):
    judging = Judge(ready.split, "valid", ready.config.evaluation)
    found = trained.recommender.log.best_metrics
    for name, value in judging.ranking(trained.recommender.model).means().items():
        assert found[name] == value


def test_a_bundle_is_judged_exactly_as_the_model_in_memory(ready, in_memory, served):
    one = judge(in_memory, Material.of(ready))
    two = judge(served.candidate(), served.material)
    assert numbers(one) == numbers(two)
    assert one.rating["rmse"] > 0
    assert {"ndcg@10", "recall@10", "coverage@10"} <= one.ranking.keys()
    assert {"nll", "coverage_80"} <= one.rating.keys()
    assert one.audience["rmse"] > 0
    assert one.genre["macro_f1"] >= 0


def test_the_metrics_of_a_bundle_are_those_of_judging_it(ready, in_memory, bundle, served):
    stored = load_bundle(bundle).contents.metrics
    row = judge(served.candidate(), served.material)
    assert stored == document_of(row, served.material.split)
    assert stored.model == served.engine.label
    assert stored.split.fingerprint == ready.split.fingerprint


def test_the_bundle_holds_the_trained_arrays_and_what_is_seen(ready, trained, bundle):
    contents = load_bundle(bundle).contents
    model = trained.recommender.model
    for name, array in model.movies.arrays().items():
        np.testing.assert_array_equal(contents.model.movies.arrays()[name], array)
    expected = ready.split.train.matrix().toarray() + ready.split.valid.matrix().toarray()
    np.testing.assert_array_equal(contents.seen.toarray(), expected > 0)
    assert contents.config == ready.config


def test_the_data_set_is_recorded_by_its_ratings(ready, bundle):
    record = load_bundle(bundle).manifest.provenance
    assert (record.dataset.name, record.dataset.licence) == ("toy", "")
    assert record.dataset.fingerprint == ready.dataset.interactions.fingerprint
    assert record.split.fingerprint == ready.split.fingerprint
    assert list(record.encoders) == ["metadata"]


def test_other_data_is_refused(bundle, other_data_dir):
    with pytest.raises(AlignmentError, match=r"split ro of .* has fingerprint") as caught:
        ServedExperiment.open(bundle, other_data_dir)
    assert "--data" in caught.value.hint


def test_data_that_is_not_there_is_an_error_of_data(bundle, tmp_path):
    with pytest.raises(DataError, match="toy was not found"):
        ServedExperiment.open(bundle, tmp_path / "nowhere")


def test_opening_encodes_nothing(served):
    assert not served.material.catalogue.modalities
    assert served.candidate().seed == served.config.seed


def test_a_model_for_deployment_is_saved_without_metrics(experiment, data_dir, tmp_path):
    whole = experiment.model_copy(update={"split": SplitConfig(name="all", seed=3)})
    ready = prepare(whole, data_dir)
    save(ready, train(ready), tmp_path / "all")
    assert load_bundle(tmp_path / "all").contents.metrics is None
    served = ServedExperiment.open(tmp_path / "all", data_dir)
    with pytest.raises(DataError, match="keeps no test part"):
        judge(served.candidate(), served.material)


def test_a_split_with_cold_movies_is_judged_on_them_and_on_all(experiment, data_dir):
    cold = experiment.model_copy(update={"split": SplitConfig(name="cold-items", seed=3)})
    ready = prepare(cold, data_dir)
    model = train(ready).recommender.model
    row = judge(Candidate("mine", scorer=model), Material.of(ready))
    assert row.overall.keys() == row.ranking.keys()
    assert row.overall["recall@5"] < row.ranking["recall@5"]
    document = document_of(row, ready.split)
    assert (document.overall, document.rating, document.genre) == (row.overall, None, None)


@pytest.mark.parametrize("name", DEMO_BASELINES)
def test_a_baseline_s_row_has_the_heads_it_has(ready, name):
    candidate = fit_baseline(name, Material.of(ready))
    row = judge(candidate, Material.of(ready))
    model = make_baseline(name)
    assert (row.ranking is not None) == hasattr(model, "score")
    assert (row.rating is not None) == hasattr(model, "predict")
    assert row.genre is None
    assert (row.model, row.seed) == (name, None)


def test_a_baseline_is_fitted_on_train_alone(ready):
    row = judge(fit_baseline("popularity", Material.of(ready)), Material.of(ready))
    counts = ready.split.train.item_counts().astype(np.float32)
    scores = np.tile(counts, (ready.split.train.shape[0], 1))

    class Counts:
        def score(self, query: Query):
            return scores[query.users]

    expected = Judge(ready.split, "test", ready.config.evaluation).ranking(Counts())
    assert row.ranking == expected.summary()


def test_an_unknown_baseline_is_refused(ready):
    with pytest.raises(ConfigError, match="popularty"):
        fit_baseline("popularty", Material.of(ready))


def test_rows_say_who_was_judged(ready, in_memory):
    row = judge(in_memory, Material.of(ready))
    assert (row.model, row.seed, row.parameters) == ("mine", ready.config.seed, 12)
    assert row.seconds.fit == in_memory.fit_seconds
    assert row.n_users == len(np.unique(ready.split.test.user))
    nothing = judge(Candidate("mute"), Material.of(ready))
    assert numbers(nothing) == (None, None, None, None, None, 0)


def test_a_row_as_a_document_says_the_same(ready, in_memory):
    row = judge(in_memory, Material.of(ready))
    document = document_of(row, ready.split)
    assert document.rating.rmse == row.rating["rmse"]
    assert document.rating.mae == row.rating["mae"]
    assert document.rating.model_dump() | document.uncertainty == row.rating
    assert (document.ranking, document.genre) == (row.ranking, row.genre)
    assert document.audience == row.audience
    assert (document.n_users, document.model) == (row.n_users, "mine")
    assert document.split.name == "ro"
    assert document.split.fingerprint == ready.split.fingerprint


def test_results_hold_all_that_is_needed_to_measure_again(ready, in_memory, tmp_path):
    material = Material.of(ready)
    rows = [judge(c, material) for c in (in_memory, fit_baseline("popularity", material))]
    document = results_of(rows, ready.split, ready.config)
    assert [row.model for row in document.rows] == ["mine", "popularity"]
    assert document.config == ready.config.fingerprint
    assert document.dataset == ready.dataset.interactions.fingerprint
    assert (document.split.name, document.split.seed) == ("ro", 3)
    document.save(tmp_path / "results.json")
    assert ResultsDocument.load(tmp_path / "results.json") == document


def test_threads_are_limited_for_a_while():
    from threadpoolctl import threadpool_info

    def blas() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = blas()
    with limited_threads(1):
        assert set(blas()) <= {1}
    assert blas() == before


def test_the_name_of_an_experiment_changes_nothing(ready, trained):
    other = replace(ready, config=ready.config.model_copy(update={"name": "other"}))
    again = train(other).recommender.model.movies.arrays()
    for name, array in trained.recommender.model.movies.arrays().items():
        np.testing.assert_array_equal(array, again[name])

"""From files to a bundle and back: what is served is what was measured."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("sklearn", reason="encoding needs scikit-learn")

from support.joint import toy_experiment

from recsys.bundle.loading import read_manifest
from recsys.config.experiment import DataConfig, RecommenderConfig, SplitConfig
from recsys.config.sources import SourcesConfig
from recsys.data.items_spec import FieldSpec, ItemsTable
from recsys.data.split import TrainingData
from recsys.data.splits import genre_partition
from recsys.errors import AlignmentError, ConfigError, DataError
from recsys.evaluation.evaluate import Evaluator
from recsys.evaluation.report import ResultsDocument
from recsys.queries.query import Query
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.training.log import RunOptions
from recsys.recommenders.registry import create
from recsys.recommenders.saving import load
from recsys.workflow import (
    document_of,
    evaluate_row,
    extract_features,
    load_split,
    model_of,
    open_bundle,
    read_dataset,
    reads_content,
    results_of,
    save,
    train,
    with_features,
)

PLAIN = ("popularity", "bias", "item-knn", "ease")


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
def split(experiment, data_dir):
    return load_split(experiment, data_dir)


@pytest.fixture(scope="module")
def trained(experiment, split):
    return train(experiment, split)


@pytest.fixture(scope="module")
def bundle(experiment, split, trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundles") / "toy"
    save(trained, path, experiment, split)
    return path


@pytest.fixture(scope="module")
def served(bundle, data_dir):
    return open_bundle(bundle, data_dir)


def numbers(row):
    return row.rating, row.ranking, row.overall, row.genre, row.audience, row.n_users


def test_loading_reads_encodes_and_splits(experiment, data_dir):
    split = load_split(experiment, data_dir)
    assert split.dataset.name == "toy"
    assert list(split.catalogue.modalities) == ["metadata"]
    assert not read_dataset(experiment, data_dir).catalogue.modalities
    assert (split.spec.name, split.spec.seed) == ("ro", 3)
    expected = genre_partition(split.catalogue, experiment.seed)
    for part in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(split.labels, part), getattr(expected, part))


def test_a_model_that_reads_no_content_does_without_features(experiment, split, data_dir):
    bare = load_split(experiment, data_dir, features=False)
    assert not bare.catalogue.modalities
    assert bare.fingerprint == split.fingerprint
    np.testing.assert_array_equal(bare.labels.test, split.labels.test)


def test_the_genre_task_is_divided_by_the_seed_of_the_training(experiment, data_dir):
    splits = [
        load_split(experiment.model_copy(update={"seed": seed}), data_dir, features=False)
        for seed in (0, 9)
    ]
    assert splits[0].fingerprint == splits[1].fingerprint
    assert (splits[0].labels.test != splits[1].labels.test).any()
    np.testing.assert_array_equal(
        splits[1].labels.test, genre_partition(splits[1].catalogue, 9).test
    )


@pytest.fixture
def genres_elsewhere(data_dir, tmp_path):
    """The data set without years and genres, and an experiment that takes them from a table."""
    (tmp_path / "toy").mkdir()
    ratings = (data_dir / "ratings.csv").read_text()
    (tmp_path / "toy" / "ratings.csv").write_text(ratings)
    (tmp_path / "toy" / "movies.csv").write_text("movieId,title,genres\n1,Movie 0,\n")
    table = ItemsTable(
        path=data_dir / "movies.csv",
        id_column="movieId",
        title="title",
        genres=FieldSpec(column="genres", separator="|"),
    )
    return tmp_path / "toy", SourcesConfig(items=(table,))


def test_genres_are_evaluated_on_movies_they_were_not_learnt_from(
    experiment, genres_elsewhere, tmp_path
):
    folder, sources = genres_elsewhere
    config = experiment.model_copy(update={"sources": sources})
    assert not read_dataset(config, folder).catalogue.genre_names
    split = load_split(config, folder)
    learnt = genre_partition(split.catalogue, config.seed)
    assert split.labels.test.any()
    assert not (split.labels.test & learnt.train).any()
    model = train(config, split)
    assert "macro_f1" in model.log.best_metrics
    save(model, tmp_path / "bundle", config, split)
    engine, again = open_bundle(tmp_path / "bundle", folder)
    np.testing.assert_array_equal(again.labels.test, split.labels.test)
    row = evaluate_row(engine.model, again, config)
    assert row.genre == load(tmp_path / "bundle").contents.metrics.genre


def test_loading_twice_gives_one_split(split, experiment, data_dir):
    again = load_split(experiment, data_dir)
    assert again.fingerprint == split.fingerprint
    assert again.catalogue.modalities["metadata"].fingerprint == (
        split.catalogue.modalities["metadata"].fingerprint
    )


def test_a_split_that_is_unknown_is_refused(experiment, data_dir):
    bad = experiment.model_copy(update={"split": SplitConfig(name="roo")})
    with pytest.raises(ConfigError, match="roo"):
        load_split(bad, data_dir, features=False)


def plain(experiment, name, **options):
    return experiment.model_copy(
        update={"recommender": RecommenderConfig(name=name, options=options)}
    )


def test_the_model_of_an_experiment_has_its_options_and_its_seed(experiment):
    seeded = experiment.model_copy(update={"seed": 7})
    assert isinstance(model_of(seeded), JointRecommender)
    assert model_of(seeded).config is seeded
    assert model_of(plain(seeded, "ease", l2=12.0)).config.l2 == 12.0
    assert model_of(plain(seeded, "svd", factors=3)).config.seed == 7
    assert model_of(plain(seeded, "svd", seed=2)).config.seed == 2
    assert model_of(plain(seeded, "content-knn:metadata")).config.modality == "metadata"
    with pytest.raises(ConfigError, match="no hyper-parameter 'l3'"):
        model_of(plain(seeded, "ease", l3=1.0))


def test_who_reads_content(experiment):
    assert reads_content(experiment)
    assert reads_content(plain(experiment, "content-ridge:text"))
    assert not reads_content(plain(experiment, "ease"))


def test_training_writes_its_log(experiment, split, tmp_path):
    path = tmp_path / "log.jsonl"
    again = train(experiment, split, RunOptions(log_path=path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == again.log.records
    assert again.fit_seconds > 0


@pytest.mark.parametrize("name", ["joint", "popularity"])
def test_training_is_given_train_and_valid_and_nothing_else(experiment, split, monkeypatch, name):
    given = []
    config = plain(experiment, name)
    kind = type(model_of(config))
    fit = kind._fit

    def watched(self, data):
        given.append(data)
        return fit(self, data)

    monkeypatch.setattr(kind, "_fit", watched)
    train(config, split)
    [data] = given
    assert isinstance(data, TrainingData)
    assert (data.train, data.valid, data.catalogue) == (split.train, split.valid, split.catalogue)


def test_early_stopping_sees_valid_as_test_will_be_seen(experiment, split, trained):
    asked = Evaluator.on_valid(split, experiment.evaluation)
    found = trained.log.best_metrics
    for name, value in asked.ranking(trained).means().items():
        assert found[name] == value


def test_a_bundle_is_evaluated_exactly_as_the_model_in_memory(experiment, split, trained, served):
    engine, again = served
    one, two = (
        evaluate_row(*pair, experiment) for pair in ((trained, split), (engine.model, again))
    )
    assert numbers(one) == numbers(two)
    assert one.rating["rmse"] > 0
    assert {"ndcg@10", "recall@10", "coverage@10"} <= one.ranking.keys()
    assert {"nll", "coverage_80"} <= one.rating.keys()
    assert one.audience["rmse"] > 0
    assert one.genre["macro_f1"] >= 0


def test_the_metrics_of_a_bundle_are_those_of_evaluating_it(split, bundle, served):
    engine, again = served
    stored = load(bundle).contents.metrics
    found = document_of(evaluate_row(engine.model, again, engine.contents.config), again)
    assert stored == found.model_copy(update={"model": engine.label})
    assert stored.split.fingerprint == split.fingerprint


def test_the_bundle_holds_the_trained_arrays_and_what_is_seen(experiment, split, trained, bundle):
    contents = load(bundle).contents
    for name, array in trained.arrays().items():
        np.testing.assert_array_equal(contents.arrays[name], array)
    expected = split.train.matrix().toarray() + split.valid.matrix().toarray()
    np.testing.assert_array_equal(contents.context.seen.toarray(), expected > 0)
    assert contents.config == experiment


def test_the_data_set_is_recorded_by_its_ratings(split, bundle):
    record = read_manifest(bundle).provenance
    assert (record.dataset.name, record.dataset.licence) == ("toy", "")
    assert record.dataset.fingerprint == split.dataset.interactions.fingerprint
    assert record.split.fingerprint == split.fingerprint
    assert list(record.encoders) == ["metadata"]


def test_other_data_is_refused(bundle, other_data_dir):
    with pytest.raises(AlignmentError, match=r"split ro of .* has fingerprint") as caught:
        open_bundle(bundle, other_data_dir)
    assert "--data" in caught.value.hint


def test_data_that_is_not_there_is_an_error_of_data(bundle, tmp_path):
    with pytest.raises(DataError, match="toy was not found"):
        open_bundle(bundle, tmp_path / "nowhere")


def test_opening_encodes_nothing_until_features_are_asked_for(experiment, split, served, data_dir):
    _, again = served
    assert not again.catalogue.modalities
    whole = with_features(again, experiment, data_dir)
    made, expected = (part.catalogue.modalities["metadata"] for part in (whole, split))
    assert made.fingerprint == expected.fingerprint
    assert whole.fingerprint == again.fingerprint


def test_a_model_for_deployment_is_saved_without_metrics(experiment, data_dir, tmp_path):
    whole = experiment.model_copy(update={"split": SplitConfig(name="all", seed=3)})
    split = load_split(whole, data_dir)
    assert save(train(whole, split), tmp_path / "all", whole, split) is None
    assert load(tmp_path / "all").contents.metrics is None
    engine, again = open_bundle(tmp_path / "all", data_dir)
    with pytest.raises(DataError, match="keeps no test part"):
        evaluate_row(engine.model, again, whole)


def test_a_split_with_cold_movies_is_evaluated_on_them_and_on_all(experiment, data_dir):
    cold = experiment.model_copy(update={"split": SplitConfig(name="cold-items", seed=3)})
    split = load_split(cold, data_dir)
    row = evaluate_row(train(cold, split), split, cold)
    assert row.overall.keys() == row.ranking.keys()
    assert row.overall["recall@5"] < row.ranking["recall@5"]
    assert document_of(row, split).overall == row.overall


@pytest.mark.parametrize("name", PLAIN)
def test_a_model_s_row_has_the_heads_it_has(experiment, split, name, tmp_path, data_dir):
    config = plain(experiment, name)
    model = train(config, split)
    row = evaluate_row(model, split, config)
    assert (row.ranking is not None) == model.ranks
    assert (row.rating is not None) == model.predicts_ratings
    assert row.genre is None
    assert (row.model, row.seed, row.parameters) == (name, None, model.parameters)
    save(model, tmp_path / name, config, split)
    engine, again = open_bundle(tmp_path / name, data_dir)
    assert numbers(evaluate_row(engine.model, again, config)) == numbers(row)


def test_a_model_is_fitted_on_train_alone(experiment, split):
    row = evaluate_row(create("popularity").fit(split), split, experiment)
    counts = split.train.item_counts().astype(np.float32)
    scores = np.tile(counts, (split.train.shape[0], 1))

    class Counts:
        def score(self, query: Query):
            return scores[query.users]

    expected = Evaluator.on_test(split, experiment.evaluation).ranking(Counts())
    assert row.ranking == expected.summary()


def test_an_unknown_model_is_refused(experiment, split):
    with pytest.raises(ConfigError, match="popularty"):
        train(plain(experiment, "popularty"), split)


def test_rows_say_who_was_evaluated(experiment, split, trained):
    row = evaluate_row(trained, split, experiment)
    assert (row.model, row.seed) == ("joint", experiment.seed)
    assert row.parameters == trained.parameters
    assert row.seconds.fit == trained.fit_seconds
    assert row.n_users == len(np.unique(split.test.user))


def test_a_row_as_a_document_says_the_same(experiment, split, trained):
    row = evaluate_row(trained, split, experiment)
    document = document_of(row, split)
    assert document.rating.rmse == row.rating["rmse"]
    assert document.rating.mae == row.rating["mae"]
    assert document.rating.model_dump() | document.uncertainty == row.rating
    assert (document.ranking, document.genre) == (row.ranking, row.genre)
    assert document.audience == row.audience
    assert (document.n_users, document.model) == (row.n_users, "joint")
    assert document.split.name == "ro"
    assert document.split.fingerprint == split.fingerprint


def test_results_hold_all_that_is_needed_to_measure_again(experiment, split, trained, tmp_path):
    models = (trained, create("popularity").fit(split))
    document = results_of([evaluate_row(m, split, experiment) for m in models], split, experiment)
    assert [row.model for row in document.rows] == ["joint", "popularity"]
    assert document.config == experiment.fingerprint
    assert document.dataset == split.dataset.interactions.fingerprint
    assert (document.split.name, document.split.seed) == ("ro", 3)
    document.save(tmp_path / "results.json")
    assert ResultsDocument.load(tmp_path / "results.json") == document


def test_the_name_of_an_experiment_changes_nothing(experiment, split, trained):
    again = train(experiment.model_copy(update={"name": "other"}), split)
    for name, array in trained.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])


def test_features_are_encoded_for_the_movies_of_the_data_set(experiment, data_dir, split):
    found = extract_features(experiment, read_dataset(experiment, data_dir)).catalogue
    made, expected = (c.modalities["metadata"] for c in (found, split.catalogue))
    assert made.fingerprint == expected.fingerprint

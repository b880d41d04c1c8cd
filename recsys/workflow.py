"""Whole experiments: read, encode and split; train; evaluate; keep; open again.

The command line, the front door of the package and the benchmark call these functions.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.config.experiment import ExperimentConfig
from recsys.data.dataset import Dataset
from recsys.data.sources import open_dataset
from recsys.data.split import Split
from recsys.data.splits import make_split
from recsys.engine import Engine
from recsys.errors import AlignmentError
from recsys.evaluation.environment import hardware, versions
from recsys.evaluation.evaluate import Evaluator
from recsys.evaluation.report import (
    EvaluationDocument,
    RatingScores,
    ResultRow,
    ResultsDocument,
    SplitReference,
)
from recsys.features.cache import FeatureCache
from recsys.features.extract import Extraction, Origin, extract
from recsys.recommenders.base import Recommender
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.training.log import RunOptions
from recsys.recommenders.registry import configured, create, entry_of
from recsys.recommenders.saving import contents_of
from recsys.recommenders.saving import save as save_model


def read_dataset(config: ExperimentConfig, data_dir: Path | None = None) -> Dataset:
    """The ratings and movies of an experiment, without features.

    Raises:
        DataError: the data cannot be found or used.
    """
    return open_dataset(config.data.name, data_dir, config.data.on_bad_row)


def extract_features(
    config: ExperimentConfig, dataset: Dataset, cache: FeatureCache | None = None
) -> Extraction:
    """The movies of a data set with every configured fact and modality.

    Args:
        config: the experiment.
        dataset: whose movies.
        cache: where encoded features are kept; the user's cache folder by default.

    Raises:
        DataError: a source is missing or cannot be used as it is.
        ConfigError: a source or an encoder is configured as it cannot be.
    """
    origin = Origin(dataset.name, dataset.interactions.item_counts())
    return extract(dataset.catalogue, config.features, config.sources, origin, cache)


def split_of(config: ExperimentConfig, dataset: Dataset) -> Split:
    """The split of an experiment; the genre task is divided by the seed of the training."""
    chosen = config.split
    return make_split(dataset, chosen.name, chosen.seed, label_seed=config.seed)


def load_split(
    config: ExperimentConfig,
    data_dir: Path | None = None,
    *,
    features: bool = True,
    cache: FeatureCache | None = None,
) -> Split:
    """Read, encode and split.

    Args:
        config: the experiment.
        data_dir: where to look for the data set, instead of the usual places.
        features: whether movies get their modalities, which a model that reads no content can do
            without.
        cache: where encoded features are kept; the user's cache folder by default.

    Raises:
        DataError: the data cannot be found or used, or the split is not defined for it.
        ConfigError: the split or an encoder is unknown.
    """
    dataset = read_dataset(config, data_dir)
    if features:
        dataset = dataset.with_catalogue(extract_features(config, dataset, cache).catalogue)
    return split_of(config, dataset)


def model_of(config: ExperimentConfig, options: RunOptions | None = None) -> Recommender:
    """The model of an experiment, not fitted; its seed is the experiment's unless it says so.

    Args:
        config: the experiment.
        options: where a training of the joint model writes and whom it tells.

    Raises:
        ConfigError: the model or one of its hyper-parameters is unknown.
    """
    chosen = config.recommender
    if chosen.name == "joint":
        return JointRecommender(config, options)
    known = {field.name for field in fields(configured(chosen.name, {}))}
    seed: dict[str, Any] = {"seed": config.seed} if "seed" in known else {}
    return create(chosen.name, **{**seed, **chosen.options})


def reads_content(config: ExperimentConfig) -> bool:
    """Whether the model of an experiment reads the modalities of movies."""
    return entry_of(config.recommender.name)[0].load().facts.reads_content


def train(
    config: ExperimentConfig, split: Split | None = None, options: RunOptions | None = None
) -> Recommender:
    """Fit the model of an experiment; the test part is not touched.

    Args:
        config: the experiment.
        split: of its data; read, encoded and split here unless given.
        options: where a training of the joint model writes and whom it tells.

    Raises:
        RecsysError: see ``load_split`` and the model's ``fit``.
    """
    model = model_of(config, options)
    return model.fit(split or load_split(config, features=reads_content(config)))


def save(
    model: Recommender, path: str | Path, config: ExperimentConfig, split: Split
) -> EvaluationDocument | None:
    """Evaluate a model on test, if its split has one, and write it as a bundle.

    Raises:
        BundleError: ``path`` holds something that is not a bundle.
    """
    found = None
    if len(split.test):
        label = {"model": contents_of(model, config).label}
        found = document_of(evaluate_row(model, split, config), split).model_copy(update=label)
    save_model(model, path, config, found)
    return found


def evaluate_row(model: Recommender, split: Split, config: ExperimentConfig) -> ResultRow:
    """Everything that a model answers, on test.

    Raises:
        DataError: the split keeps no test part.
    """
    seed = config.seed if model.facts.random else None
    return (
        Evaluator.on_test(split, config.evaluation)
        .evaluate(model)
        .row(seed=seed, fit_seconds=model.fit_seconds, parameters=model.parameters)
    )


def open_bundle(path: Path, data_dir: Path | None = None) -> tuple[Engine, Split]:
    """A bundle, and the split it was trained on, rebuilt from the data.

    Raises:
        BundleError: the bundle cannot be trusted.
        DataError: the data cannot be found.
        AlignmentError: the data is not what the bundle was trained on.
    """
    engine = Engine.load(path)
    config = engine.contents.config
    dataset = read_dataset(config, data_dir)
    split = split_of(config, dataset).with_catalogue(engine.catalogue)
    recorded = engine.contents.provenance.split.fingerprint
    if split.fingerprint != recorded:
        raise AlignmentError(
            f"split {split.spec.name} of {dataset.origin} has fingerprint "
            f"{split.fingerprint[:12]}, the bundle was trained on {recorded[:12]}",
            hint="point --data at the data set the bundle was trained on",
        )
    return engine, split


def with_features(split: Split, config: ExperimentConfig, data_dir: Path | None) -> Split:
    """The same split, its movies with the modalities that the experiment names.

    Raises:
        DataError: a source of them is missing.
    """
    dataset = read_dataset(config, data_dir)
    return split.with_catalogue(extract_features(config, dataset).catalogue)


def document_of(row: ResultRow, split: Split) -> EvaluationDocument:
    """One row in the form ``recsys evaluate --format json`` prints."""
    rest = dict(row.rating or {})
    errors = RatingScores(rmse=rest.pop("rmse"), mae=rest.pop("mae")) if row.rating else None
    same = row.model_dump(include={"model", "n_users", "overall", "genre", "audience"})
    return EvaluationDocument(
        **same,
        split=reference(split),
        rating=errors,
        ranking=row.ranking or {},
        uncertainty=rest or None,
    )


def reference(split: Split) -> SplitReference:
    """The split as documents name it."""
    return SplitReference(name=split.spec.name, seed=split.spec.seed, fingerprint=split.fingerprint)


def results_of(rows: list[ResultRow], split: Split, config: ExperimentConfig) -> ResultsDocument:
    """Rows measured on one split, with all that is needed to measure them again."""
    return ResultsDocument(
        created=datetime.now(UTC).date(),
        versions=versions(),
        hardware=hardware(),
        dataset=split.spec.dataset,
        split=reference(split),
        config=config.fingerprint,
        rows=rows,
    )

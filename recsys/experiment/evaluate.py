"""Judge models and baselines on the test part of a split, and say so in one document."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.config.experiment import EvaluationConfig, ExperimentConfig
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.splits import LabelSplit, Split, genre_partition
from recsys.engine import Engine
from recsys.errors import AlignmentError
from recsys.evaluation.blocks import Scorer
from recsys.evaluation.environment import hardware, versions
from recsys.evaluation.report import (
    EvaluationDocument,
    RatingScores,
    ResultRow,
    ResultsDocument,
    Seconds,
    SplitReference,
)
from recsys.experiment.measure import Judge, judge_genres
from recsys.experiment.prepare import Prepared, extract_features, read_and_split
from recsys.queries.query import (
    AudiencePrediction,
    Predictor,
    RatingPredictor,
    Recommender,
)
from recsys.recommenders.registry import make_baseline

DEMO_BASELINES = ("popularity", "bias", "item-knn", "ease")


@dataclass(frozen=True)
class Material:
    """What a model is judged on.

    Attributes:
        catalogue: the movies that the model was trained on.
        split: train, valid, test.
        labels: the movies whose genres train, choose and test.
        config: what is reported.
    """

    catalogue: Catalogue
    split: Split
    labels: LabelSplit
    config: EvaluationConfig

    @classmethod
    def of(cls, prepared: Prepared) -> Material:
        """The material of a prepared experiment."""
        return cls(prepared.catalogue, prepared.split, prepared.labels, prepared.config.evaluation)


@dataclass(frozen=True)
class Candidate:
    """A fitted model under the name its results carry; a head it lacks is None.

    Attributes:
        name: of the row.
        scorer: ranks.
        predictor: predicts stars.
        genres: (I, G) genre probabilities.
        seed: of its training; None where nothing is random.
        fit_seconds: what fitting took; None for a model fitted before.
        parameters: numbers learnt.
        audience: mean ratings of the movies.
    """

    name: str
    scorer: Scorer | None = None
    predictor: Predictor | None = None
    genres: NDArray[np.float32] | None = field(default=None, repr=False)
    seed: int | None = None
    fit_seconds: float | None = None
    parameters: int | None = None
    audience: AudiencePrediction | None = field(default=None, repr=False)


def judge(candidate: Candidate, material: Material) -> ResultRow:
    """Measure every head of a candidate on test.

    Raises:
        DataError: the split keeps no test part.
    """
    judging = Judge(material.split, "test", material.config)
    started = time.perf_counter()
    ranking = judging.ranking(candidate.scorer) if candidate.scorer else None
    seconds = time.perf_counter() - started
    overall = judging.overall(candidate.scorer) if candidate.scorer else None
    rating = judging.rating(candidate.predictor) if candidate.predictor else None
    genre = (
        None
        if candidate.genres is None
        else judge_genres(candidate.genres, material.catalogue, material.labels, "test")
    )
    audience = None if candidate.audience is None else judging.audience(candidate.audience)
    return ResultRow(
        model=candidate.name,
        seed=candidate.seed,
        rating=rating.summary() if rating else None,
        ranking=ranking.summary() if ranking else None,
        overall=overall.summary() if overall else None,
        genre=genre.summary() if genre else None,
        audience=audience.summary() if audience else None,
        seconds=Seconds(fit=candidate.fit_seconds, score=seconds),
        n_users=ranking.n_users if ranking else 0,
        parameters=candidate.parameters,
    )


def fit_baseline(name: str, material: Material) -> Candidate:
    """Fit one baseline on the training part.

    Raises:
        ConfigError: there is no such baseline.
    """
    model = make_baseline(name)
    started = time.perf_counter()
    model.fit(material.split.train, material.split.valid, material.catalogue)
    return Candidate(
        name,
        scorer=model if isinstance(model, Recommender) else None,
        predictor=model if isinstance(model, RatingPredictor) else None,
        fit_seconds=time.perf_counter() - started,
    )


def document_of(row: ResultRow, split: Split) -> EvaluationDocument:
    """One row in the form ``recsys evaluate --format json`` prints."""
    errors, uncertainty = _rating_of(row)
    return EvaluationDocument(
        split=reference(split),
        rating=errors,
        ranking=row.ranking or {},
        overall=row.overall,
        genre=row.genre,
        audience=row.audience,
        uncertainty=uncertainty,
        n_users=row.n_users,
        model=row.model,
    )


def _rating_of(row: ResultRow) -> tuple[RatingScores | None, dict[str, float] | None]:
    if row.rating is None:
        return None, None
    rest = dict(row.rating)
    return RatingScores(rmse=rest.pop("rmse"), mae=rest.pop("mae")), rest or None


def reference(split: Split) -> SplitReference:
    """The split as documents name it."""
    return SplitReference(name=split.spec.name, seed=split.spec.seed, fingerprint=split.fingerprint)


def results_of(
    rows: Sequence[ResultRow], split: Split, config: ExperimentConfig
) -> ResultsDocument:
    """Rows measured on one split, with all that is needed to measure them again."""
    return ResultsDocument(
        created=datetime.now(UTC).date(),
        versions=versions(),
        hardware=hardware(),
        dataset=split.spec.dataset,
        split=reference(split),
        config=config.fingerprint,
        rows=list(rows),
    )


@dataclass(frozen=True)
class ServedExperiment:
    """A bundle beside the data it was trained on, ready to be judged."""

    engine: Engine
    material: Material
    config: ExperimentConfig
    dataset: Dataset

    @classmethod
    def open(cls, bundle: Path, data_dir: Path | None) -> ServedExperiment:
        """Load a bundle and rebuild its split.

        Raises:
            BundleError: the bundle cannot be trusted.
            DataError: the data cannot be found.
            AlignmentError: the data is not what the bundle was trained on.
        """
        engine = Engine.load(bundle)
        config, catalogue = engine.bundle.contents.config, engine.bundle.contents.catalogue
        dataset, split = read_and_split(config, data_dir)
        recorded = engine.bundle.manifest.provenance.split.fingerprint
        if split.fingerprint != recorded:
            raise AlignmentError(
                f"split {split.spec.name} of {dataset.origin} has fingerprint "
                f"{split.fingerprint[:12]}, the bundle was trained on {recorded[:12]}",
                hint="point --data at the data set the bundle was trained on",
            )
        labels = genre_partition(catalogue, config.seed)
        material = Material(catalogue, split, labels, config.evaluation)
        return cls(engine, material, config, dataset)

    def candidate(self) -> Candidate:
        """The served model."""
        served, model = self.engine.as_recommender(), self.engine.model
        return Candidate(
            self.engine.label,
            scorer=served,
            predictor=served,
            genres=model.genre_probabilities(),
            seed=self.config.seed,
            audience=model.audience(),
        )

    def with_features(self) -> Material:
        """The same material, its movies with the modalities the model was trained on.

        Raises:
            DataError: a source of them is missing.
        """
        return replace(
            self.material, catalogue=extract_features(self.config, self.dataset).catalogue
        )


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Bound the threads of NumPy's linear algebra, so that measured seconds mean something."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads):
        yield

"""Fitting and judging one variant or baseline; nothing is chosen on test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from multitask_plan import SUBSET, Cell, Protocol
from multitask_variants import MODALITIES
from numpy.typing import NDArray
from recsys.experiment.evaluate import Candidate, Material, fit_baseline, judge
from recsys.experiment.measure import Judge
from recsys.experiment.prepare import Prepared, extract_features
from recsys.experiment.subsets import judge_subset, subsets
from recsys.experiment.train import Trained, train

from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import load_experiment
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.sources import open_dataset
from recsys.data.splits import genre_partition, make_split
from recsys.errors import DataError
from recsys.evaluation.report import ResultRow
from recsys.queries.query import Query, RatingPrediction
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.embedding_model import EmbeddingModel
from recsys.recommenders.joint.training.calibration import ConstantSigma

Rows = NDArray[np.integer[Any]]


def prepared_for(protocol: Protocol, cell: Cell) -> Prepared:
    """The material of a cell; its movies have the modalities of the cell and no others.

    A modality is encoded without looking at the others, so taking its vectors away is what not
    encoding it would be.
    """
    config, (dataset, catalogue) = cell.config, _encoded(protocol.base, protocol.data_dir)
    tables = {name: catalogue.modalities[name] for name in cell.modalities}
    split = make_split(
        dataset.interactions, dataset.catalogue, config.split.name, config.split.seed
    )
    labels = genre_partition(catalogue, config.seed)
    return Prepared(config, dataset, replace(catalogue, modalities=tables), split, labels, [])


@cache
def _encoded(base: str, data_dir: Path | None) -> tuple[Dataset, Catalogue]:
    """The data set and its movies with every modality: neither depends on split or seed."""
    config = load_experiment(base)
    dataset = open_dataset(config.data.name, data_dir, config.data.on_bad_row)
    return dataset, extract_features(config, dataset).catalogue


def measure(cell: Cell, prepared: Prepared) -> list[ResultRow]:
    """The rows of one cell."""
    kinds = {"baselines": _baseline, "subsets": _subsets}
    rows = kinds.get(cell.group, _variant)(cell, prepared)
    mark = {"config": cell.config.fingerprint}
    return [row.model_copy(update=mark) for row in rows]


def _variant(cell: Cell, prepared: Prepared) -> Iterator[ResultRow]:
    trained = train(prepared)
    row = judge(candidate_of(cell.name, trained, prepared.config), Material.of(prepared))
    log, model = trained.recommender.log, trained.recommender.model
    known = heads(prepared.config)
    valid = {n: v for n, v in log.best_metrics.items() if math.isfinite(v) and _of(n) in known}
    yield row.model_copy(
        update={"valid": valid, "epochs": log.epochs, "gates": gates(model, prepared)}
    )
    for name in cell.rows[1:]:
        yield one_sigma(name, model, prepared)


def heads(config: ExperimentConfig) -> set[str]:
    """What a configuration trains; the other heads stay as they were drawn."""
    losses = config.losses
    found = {"rating": losses.rating, "genre": losses.genre, "audience": losses.audience}
    found["ranking"] = losses.ranking + losses.distillation
    return {name for name, weight in found.items() if weight}


def _of(metric: str) -> str:
    """The head that a validation metric belongs to."""
    if "@" in metric:
        return "ranking"
    return "genre" if metric.startswith(("macro", "micro")) else "rating"


def candidate_of(name: str, trained: Trained, config: ExperimentConfig) -> Candidate:
    """A trained model with the heads that it was trained for."""
    recommender, model, known = trained.recommender, trained.recommender.model, heads(config)
    return Candidate(
        name,
        scorer=model if "ranking" in known else None,
        predictor=model if "rating" in known else None,
        genres=model.genre_probabilities() if "genre" in known else None,
        audience=model.audience() if "audience" in known else None,
        seed=config.seed,
        fit_seconds=trained.seconds,
        parameters=recommender.parameters,
    )


def gates(model: EmbeddingModel, prepared: Prepared) -> dict[str, float] | None:
    """How far each modality counts where it is weighed; see ``ResultRow.gates``."""
    tables = prepared.catalogue.modalities
    if prepared.config.fusion.kind not in {"gated", "sparse", "attention"}:
        return None
    present = np.stack([tables[name].present for name in sorted(tables)], axis=1)
    weights = model.movies.modality_weights
    means = {n: float(weights[present[:, m], m].mean()) for m, n in enumerate(sorted(tables))}
    return means | {"off": float((weights[present] == 0).mean())}


@dataclass(frozen=True)
class _Latent:
    """The latent means of a model as a predictor."""

    model: EmbeddingModel

    def predict(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        return RatingPrediction(*self.model.latent(query, rows, items))


def one_sigma(name: str, model: EmbeddingModel, prepared: Prepared) -> ResultRow:
    """The same latent means with one σ for all ratings, fitted on valid like the model's own."""
    split = prepared.split
    levels = RatingLevels.of(split.train)
    if levels is None:
        raise DataError(f"the ratings of {prepared.dataset.name} have no levels")
    constant = ConstantSigma(_Latent(model), levels).fit(split.valid, Query.known(split.train))
    candidate = Candidate(name, predictor=constant, seed=prepared.config.seed)
    return judge(candidate, Material.of(prepared))


def _baseline(cell: Cell, prepared: Prepared) -> Iterator[ResultRow]:
    material = Material.of(prepared)
    candidate = fit_baseline(cell.name, material)
    judging = Judge(material.split, "valid", material.config)
    valid: dict[str, float] = {}
    if candidate.scorer:
        valid |= judging.ranking(candidate.scorer).means()
    if candidate.predictor:
        valid |= judging.rating(candidate.predictor).summary()
    yield judge(candidate, material).model_copy(update={"valid": valid})


def _subsets(cell: Cell, prepared: Prepared) -> Iterator[ResultRow]:
    trained, material = train(prepared), Material.of(prepared)
    model, tower = trained.recommender.model, trained.recommender.tower
    for kept in subsets(sorted(MODALITIES)):
        row = judge_subset(model, tower, material, kept)
        yield row.model_copy(update={"model": SUBSET + row.model, "seed": cell.config.seed})

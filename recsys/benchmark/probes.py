"""What features are worth by themselves: ALIGNMENT.md and FEATURES.md, each from one document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.split_data import BenchmarkData
from recsys.config.experiment import AlignmentConfig, ExperimentConfig
from recsys.config.loading import load_experiment
from recsys.data.catalogue import Catalogue
from recsys.data.files import atomic_write_text
from recsys.data.split import TrainingData
from recsys.evaluation.environment import hardware, versions
from recsys.features.report import coverage
from recsys.workflow import load_split

ALIGNED: Final = "ml-100k-multimodal"
SEEDS: Final = (2020, 2021, 2022, 2023, 2024)
GENRES, FOLDS, SHUFFLES, PENALTY = 10, 5, 3, 0.01

Say = Callable[[str], None]


def probe(kind: str, results: Path, say: Say) -> Path:
    """Measure ``alignment`` or ``features``, and write its document; reports make the page."""
    found = _alignment(say) if kind == "alignment" else _features(say)
    made = {"created": str(datetime.now(UTC).date()), "versions": versions()}
    document = {**made, "hardware": hardware().model_dump(), **found}
    path = results / f"{kind}.json"
    atomic_write_text(path, json.dumps(document, indent=2) + "\n")
    return path


def _alignment(say: Say) -> dict[str, Any]:
    """How often a plot finds its own metadata, before and after alignment, once a seed.

    The configured settings were chosen by held-out retrieval with seeds 0 to 2; these seeds hold
    out other films.
    """
    config = load_experiment(ALIGNED, ("alignment.epochs=50", "training.threads=1"))
    data, rows = load_split(config).for_fitting(), []
    for seed in SEEDS:
        say(f"seed {seed}")
        found = measure_alignment(config, data, config.alignment, seed)
        rows.append({"seed": seed} | found.summary())
    settings = config.alignment.model_dump(mode="json")
    return {"config": ALIGNED, "alignment": settings, "rows": rows}


def measure_alignment(
    config: ExperimentConfig, data: TrainingData, alignment: AlignmentConfig, seed: int
) -> Any:
    """Align a new tower of the experiment's codes; the report says what that came to.

    Settings compared by its metrics are chosen by films no code was trained on; to state what the
    chosen one reaches, measure it with seeds that chose nothing, for those hold out other films.

    Args:
        config: the experiment.
        data: movies, and the training ratings that say which of them are warm.
        alignment: of the stage, in place of the experiment's.
        seed: of initial weights, held-out films, batches and dropout.
    """
    from recsys.recommenders.joint.item_tower import ItemTower, TowerConfig
    from recsys.recommenders.joint.training.alignment import align
    from recsys.recommenders.joint.training.devices import deterministic

    with deterministic(seed, config.training.threads):
        tower = ItemTower(
            data.catalogue.modalities,
            data.train.item_counts() > 0,
            TowerConfig(config.fusion, config.sharing, (), seed),
        )
        return align(tower, alignment, data.catalogue.film_groups, seed)


def _features(say: Say) -> dict[str, Any]:
    """For each modality a logistic regression a genre, over the commonest genres of its movies.

    All entries of a film lie in one fold; columns are standardised, with one penalty for all
    modalities, tuned for none. The same with rows shuffled among the movies must fall to chance.
    """
    protocol = {"genres": GENRES, "folds": FOLDS, "shuffles": SHUFFLES, "C": PENALTY}
    names = ("multitask-ml-ro", "multitask-mmtf-ro")
    return {"protocol": protocol, "rows": [row for name in names for row in _rows(name, say)]}


def _rows(name: str, say: Say) -> Iterator[dict[str, Any]]:
    from recsys.benchmark.ablations import EVERY_PROTOCOL

    protocol = EVERY_PROTOCOL[name]
    data = BenchmarkData.of(protocol)
    catalogue = data.dataset.catalogue
    for entry in coverage(catalogue, data.dataset.interactions):
        say(f"{protocol.bases[0]}: {entry.name}")
        shuffled = [genre_auc(catalogue, entry.name, seed) for seed in range(SHUFFLES)]
        yield {
            "config": protocol.bases[0],
            **entry.to_dict(),
            "roc_auc": genre_auc(catalogue, entry.name, None),
            "shuffled": shuffled,
        }


def genre_auc(catalogue: Catalogue, modality: str, shuffle: int | None) -> float:
    """Mean ROC-AUC over the genres, out of fold."""
    table = catalogue.modalities[modality]
    rows = np.flatnonzero(table.present & catalogue.genres.any(axis=1))
    vectors = table.vectors[rows]
    if shuffle is not None:
        vectors = vectors[np.random.default_rng(shuffle).permutation(len(rows))]
    genres, films = catalogue.genres[rows], catalogue.film_groups[rows]
    commonest = np.argsort(-genres.sum(axis=0), kind="stable")[:GENRES]
    return float(np.mean([_one_genre(vectors, genres[:, g], films) for g in commonest]))


def _one_genre(
    vectors: NDArray[np.float32], labels: NDArray[np.bool_], films: NDArray[np.int32]
) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.zeros(len(labels))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(vectors, labels, films):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1000))
        model.fit(vectors[train], labels[train])
        scores[test] = model.decision_function(vectors[test])
    return float(roc_auc_score(labels, scores))

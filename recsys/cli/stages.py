"""What ``recsys train`` says while it works."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.output import busy, note, say

if TYPE_CHECKING:
    from recsys.config.experiment import ExperimentConfig
    from recsys.data.dataset import Dataset
    from recsys.experiment.prepare import Prepared
    from recsys.experiment.train import Trained
    from recsys.features.extract import Extraction, ExtractionReport


def prepared(experiment: ExperimentConfig, data: Path | None) -> Prepared:
    """The data, encoded and split.

    Raises:
        DataError: see ``recsys.experiment.prepare``.
    """
    from recsys.experiment.prepare import prepare

    started = time.perf_counter()
    with _waiting(experiment):
        ready = prepare(experiment, data)
    seconds = time.perf_counter() - started
    _say_data(ready, seconds - sum(report.seconds for report in ready.extraction))
    say_features(ready.extraction)
    return ready


def extracted(experiment: ExperimentConfig, data: Path | None) -> tuple[Dataset, Extraction]:
    """The data with every modality, and what making them came to.

    Raises:
        DataError: see ``recsys.experiment.prepare``.
    """
    from recsys.data.sources import open_dataset
    from recsys.experiment.prepare import extract_features

    with _waiting(experiment):
        dataset = open_dataset(experiment.data.name, data, experiment.data.on_bad_row)
        extraction = extract_features(experiment, dataset)
    for source in extraction.facts:
        found = source.matched
        say("facts", f"{source.source}: {found.present:,} movies ({found.by_movies:.1%})")
        for warning in source.warnings:
            note(warning)
    say_features(extraction.reports)
    return dataset, extraction


def _waiting(experiment: ExperimentConfig) -> AbstractContextManager[None]:
    """A sign of life, where the files to be encoded will not show a bar of their own."""
    sources = experiment.sources
    if any(getattr(sources, folder) for folder in sources.further()):
        return nullcontext()
    return busy(f"reading and encoding {experiment.data.name}")


def _say_data(ready: Prepared, seconds: float) -> None:
    dataset, split = ready.dataset, ready.split
    ratings, bad = dataset.interactions, dataset.report.bad
    users, movies = len(ratings.users), len(ratings.items)
    size = f"{len(ratings):,} ratings by {users:,} users of {movies:,} movies"
    say("data", f"{dataset.name}: {size}, from {dataset.origin}", seconds)
    if bad:
        note(f"{len(bad):,} of {dataset.report.total:,} rows are bad and were set aside")
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in split.parts.items())
    say("split", f"{split.spec.name}, seed {split.spec.seed}: {sizes}")


def say_features(reports: Iterable[ExtractionReport]) -> None:
    """How many movies have each modality, and what it took."""
    for report in reports:
        work = f"{report.encoded:,} encoded, {report.reused:,} known"
        failed = f", {report.failed:,} files failed" if report.failed else ""
        have = f"{report.coverage:.1%} of the movies ({work}{failed})"
        say(report.modality, f"{have}: {report.card.name}", report.seconds)


def say_training(experiment: ExperimentConfig) -> None:
    """What is about to be done."""
    from recsys.recommenders.joint.training.devices import device_of, precision_of

    loop, device = experiment.training, device_of(experiment.training)
    precision = str(precision_of(loop, device)).removeprefix("torch.")
    where = f"{loop.threads} threads on the CPU" if device.type == "cpu" else "the GPU"
    say(
        "training",
        f"seed {experiment.seed}, at most {loop.epochs} epochs, {where}, {precision}",
    )


def say_trained(trained: Trained, monitor: Iterable[str]) -> None:
    """Which weights were kept, and why."""
    log = trained.recommender.log
    metrics = ", ".join(f"{name} {log.best_metrics[name]:.4f}" for name in monitor)
    best = f"epoch {log.best_epoch} of {log.epochs} is best on valid: {metrics}"
    say("", best, trained.seconds)

"""What ``recsys train`` says while it works."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.output import busy, note, say

if TYPE_CHECKING:
    from recsys.config.experiment import ExperimentConfig
    from recsys.experiment.prepare import Prepared
    from recsys.experiment.train import Trained


def prepared(experiment: ExperimentConfig, data: Path | None) -> Prepared:
    """The data, encoded and split.

    Raises:
        DataError: see ``recsys.experiment.prepare``.
    """
    from recsys.experiment.prepare import prepare

    started = time.perf_counter()
    with busy(f"reading and encoding {experiment.data.name}"):
        ready = prepare(experiment, data)
    seconds = time.perf_counter() - started
    _say_data(ready, seconds - sum(report.seconds for report in ready.extraction))
    _say_features(ready)
    return ready


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


def _say_features(ready: Prepared) -> None:
    for report in ready.extraction:
        work = f"{report.encoded:,} encoded, {report.reused:,} known"
        have = f"{report.coverage:.1%} of the movies ({work})"
        say(report.modality, f"{have}: {report.card.name}", report.seconds)


def say_training(experiment: ExperimentConfig) -> None:
    """What is about to be done."""
    loop = experiment.training
    text = (
        f"seed {experiment.seed}, at most {loop.epochs} epochs, {loop.threads} threads on the CPU"
    )
    say("training", text)


def say_trained(trained: Trained, monitor: Iterable[str]) -> None:
    """Which weights were kept, and why."""
    log = trained.recommender.log
    metrics = ", ".join(f"{name} {log.best_metrics[name]:.4f}" for name in monitor)
    best = f"epoch {log.best_epoch} of {len(log.records)} is best on valid: {metrics}"
    say("", best, trained.seconds)

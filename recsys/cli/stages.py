"""What ``recsys train`` says while it works, and about a training that was cut off."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recsys.cli.output import busy, note, say
from recsys.errors import RecsysError

if TYPE_CHECKING:
    from recsys.config.experiment import ExperimentConfig
    from recsys.data.dataset import Dataset
    from recsys.data.split import Split
    from recsys.features.extract import Extraction, ExtractionReport
    from recsys.recommenders.joint.recommender import JointRecommender

LIVE_LOG: Final = "log.jsonl"
"""The log of a training that is under way, in the folder of its checkpoint."""


def _reached(folder: Path) -> str | None:
    from recsys.recommenders.joint.training.checkpoints import read_document

    document = read_document(folder)
    if document is None:
        return None
    state = document["state"]["trainer"]
    return f"after {state['epoch'] - 1} epochs and {state['step']} steps of the next"


@contextmanager
def resumable(folder: Path, resume: bool) -> Iterator[None]:
    """Say what becomes of a checkpoint that is there, and how to go on after Ctrl-C.

    Nothing is left behind where there is nothing to go on from.

    Raises:
        DataError: it is to be gone on from, and is torn or altered.
    """
    from recsys.recommenders.joint.training.checkpoints import DOCUMENT

    if resume and (reached := _reached(folder)):
        say("resuming", f"the training in {folder}, {reached}")
    elif resume:
        note(f"there is no checkpoint at {folder}, so training starts from the beginning")
    elif (folder / DOCUMENT).is_file():
        note(f"{folder} is discarded when training starts; to go on, press Ctrl-C, give --resume")
    try:
        yield
    except BaseException as error:
        try:
            reached = _reached(folder)
        except RecsysError as unreadable:  # which must not hide why the training ended
            reached = f"that cannot be read ({unreadable.what})"
        if reached is None:
            clear(folder)
        elif isinstance(error, KeyboardInterrupt):
            note(f"the state {reached} is kept; the same command with --resume goes on")
        raise


def clear(folder: Path) -> None:
    """Remove the checkpoint and the log in its folder."""
    from recsys.recommenders.joint.training.checkpoints import discard_checkpoint

    (folder / LIVE_LOG).unlink(missing_ok=True)
    discard_checkpoint(folder)


def ready_split(experiment: ExperimentConfig, data: Path | None, *, features: bool = True) -> Split:
    """The data, encoded and split.

    Raises:
        DataError: see ``recsys.workflow.load_split``.
    """
    from recsys.workflow import extract_features, read_dataset, split_of

    started, reports = time.perf_counter(), []
    with _waiting(experiment):
        dataset = read_dataset(experiment, data)
        if features:
            extraction = extract_features(experiment, dataset)
            dataset, reports = dataset.with_catalogue(extraction.catalogue), extraction.reports
        split = split_of(experiment, dataset)
    seconds = time.perf_counter() - started - sum(report.seconds for report in reports)
    _say_data(split, seconds)
    _say_features(reports)
    return split


def extracted(experiment: ExperimentConfig, data: Path | None) -> tuple[Dataset, Extraction]:
    """The data with every modality, and what making them came to.

    Raises:
        DataError: see ``recsys.workflow.load_split``.
    """
    from recsys.workflow import extract_features, read_dataset

    with _waiting(experiment):
        dataset = read_dataset(experiment, data)
        extraction = extract_features(experiment, dataset)
    for source in extraction.facts:
        found = source.matched
        say("facts", f"{source.source}: {found.present:,} movies ({found.by_movies:.1%})")
        for warning in source.warnings:
            note(warning)
    _say_features(extraction.reports)
    return dataset, extraction


def _waiting(experiment: ExperimentConfig) -> AbstractContextManager[None]:
    """A sign of life, where the files to be encoded will not show a bar of their own."""
    sources = experiment.sources
    if any(getattr(sources, folder) for folder in sources.further()):
        return nullcontext()
    return busy(f"reading and encoding {experiment.data.name}")


def _say_data(split: Split, seconds: float) -> None:
    dataset = split.dataset
    ratings, bad = dataset.interactions, dataset.report.bad
    users, movies = len(ratings.users), len(ratings.items)
    size = f"{len(ratings):,} ratings by {users:,} users of {movies:,} movies"
    say("data", f"{dataset.name}: {size}, from {dataset.origin}", seconds)
    if bad:
        note(f"{len(bad):,} of {dataset.report.total:,} rows are bad and were set aside")
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in split.parts.items())
    say("split", f"{split.spec.name}, seed {split.spec.seed}: {sizes}")


def _say_features(reports: Iterable[ExtractionReport]) -> None:
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
    text = f"seed {experiment.seed}, at most {loop.epochs} epochs, {where}, {precision}"
    say("training", text)


def say_trained(model: JointRecommender, monitor: Iterable[str]) -> None:
    """Which weights were kept, and why."""
    log = model.log
    metrics = ", ".join(f"{name} {log.best_metrics[name]:.4f}" for name in monitor)
    best = f"epoch {log.best_epoch} of {log.epochs} is best on valid: {metrics}"
    say("", best, model.fit_seconds)

"""Files into vectors: a job a movie, each done once, whatever happens to the others."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from recsys.data.catalogue import Catalogue
from recsys.errors import DataError
from recsys.features.cache import FeatureCache
from recsys.features.job_ledger import FileIndex, JobOptions, Ledger
from recsys.features.job_report import FileJob, FileOutcome, JobReport
from recsys.features.media import FileStatus
from recsys.features.workers import EncoderFactory, WorkerPool

__all__ = ["FileJob", "JobOptions", "JobReport", "extract_files", "file_jobs", "find_files"]


def find_files(folder: Path, ids: Iterable[str], suffixes: Sequence[str]) -> list[Path | None]:
    """The file named after each id, such as ``42.jpg``, None where there is none.

    The folder is listed once. Of several files of one id the earliest suffix wins.

    Args:
        folder: where the files lie, not in folders below it.
        ids: names without suffix; an empty one has no file.
        suffixes: such as ``.jpg``, in any case, the preferred first.

    Raises:
        DataError: there is no such folder, or it cannot be listed.
    """
    rank = {suffix.casefold(): order for order, suffix in enumerate(suffixes)}
    best: dict[str, tuple[int, str]] = {}
    for name in _names(folder):
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a Path a name is slow for many
        order = rank.get(suffix.casefold())
        if order is not None:
            best[stem] = min(best.get(stem, (order, name)), (order, name))
    return [folder / best[id_][1] if id_ and id_ in best else None for id_ in ids]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names alone are wanted
    except OSError as error:
        raise DataError(
            f"the files of a folder cannot be listed: {error}", hint="name a folder that exists"
        ) from error


def file_jobs(
    catalogue: Catalogue, folder: Path, suffixes: Sequence[str], ids: Sequence[str] | None = None
) -> list[FileJob]:
    """One job a movie.

    Args:
        catalogue: the movies.
        folder: where the files lie.
        suffixes: those that count, the preferred first.
        ids: what the files are called, one a movie, such as ``catalogue.film_ids``; the movies' own
            ids unless given.

    Raises:
        DataError: there is no such folder, or there is not one id a movie.
    """
    names = catalogue.items.ids if ids is None else ids
    if len(names) != len(catalogue):
        raise DataError(f"{len(names)} names of files for {len(catalogue)} movies")
    found = find_files(folder, names, suffixes)
    pairs = zip(catalogue.items.ids, found, strict=True)
    return [FileJob(item_id, row, path) for row, (item_id, path) in enumerate(pairs)]


def extract_files(
    encoder_factory: EncoderFactory,
    files: Sequence[FileJob],
    cache: FeatureCache,
    options: JobOptions | None = None,
) -> JobReport:
    """Encode what has not been encoded yet; broken files are reported, never raised.

    A vector is known by the encoder's card and the SHA-256 of the file's bytes, a failure likewise.
    The run may be interrupted at any time: what it finished is found by the next one. Memory grows
    with the number of files by what is reported about each, not by their vectors.

    Args:
        encoder_factory: picklable, such as a ``functools.partial`` of a class and its
            configuration; called in every process, and in this one for name and card.
        files: at most one a movie.
        cache: where vectors and what is known about files are kept.
        options: processes, limits and what to distrust.

    Raises:
        ConfigError: the encoder cannot be built, or cannot be used as it is configured.
        DataError: two files are named for one movie.
        OfflineError: the encoder needs a network that is off or out of reach.
    """
    started = time.perf_counter()
    options = options or JobOptions()
    _require_distinct(files)
    encoder = encoder_factory()
    pool = WorkerPool(
        encoder_factory,
        workers=options.processes,
        threads=options.threads_per_worker,
        timeout_s=options.timeout_s,
    )
    with (
        FileIndex(cache.root, rehash=options.rehash) as index,
        _bar(encoder.name, len(files), visible=options.progress) as notify,
        Ledger(encoder.card, cache, index, options, notify) as ledger,
        closing(pool.run(ledger.tasks(files))) as results,
    ):
        for task, result in results:
            ledger.settle(task, result)
    seconds = time.perf_counter() - started
    return JobReport(encoder.name, encoder.card, ledger.outcomes(), seconds, ledger.unsaved)


def _require_distinct(files: Sequence[FileJob]) -> None:
    counts = Counter(job.row for job in files)
    twice = [f"row {job.row}: {job.path}" for job in files if counts[job.row] > 1]
    if twice:
        raise DataError(
            f"{len(twice)} files are named for movies that have another one",
            rows=twice,
            hint="name one file a movie",
        )


@contextmanager
def _bar(name: str, total: int, *, visible: bool) -> Iterator[Callable[[FileOutcome], None]]:
    """A bar with the time that is left; what is returned moves it on."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[found]}"),
        TimeRemainingColumn(),
    )
    hidden = not (visible and console.is_terminal)
    counts: Counter[str] = Counter()
    with Progress(*columns, console=console, disable=hidden, transient=True) as progress:
        shown = progress.add_task(name, total=total, found="")

        def notify(outcome: FileOutcome) -> None:
            counts[_kind(outcome)] += 1
            found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            progress.update(shown, advance=1, found=found)

        yield notify


def _kind(outcome: FileOutcome) -> str:
    if outcome.status is FileStatus.MISSING:
        return "missing"
    if outcome.status is not FileStatus.OK:
        return "failed"
    return "reused" if outcome.reused else "encoded"

"""Files into vectors: a job a movie, each done once, whatever happens to the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from recsys.errors import DataError
from recsys.features.cache import FeatureCache
from recsys.features.file_index import FileIndex
from recsys.features.file_lookup import FileJob, file_jobs, find_files
from recsys.features.job_ledger import Ledger
from recsys.features.job_options import JobOptions
from recsys.features.job_report import FileOutcome, JobReport
from recsys.features.media import Status
from recsys.features.worker_pool import WorkerPool
from recsys.features.worker_process import EncoderFactory

__all__ = ["FileJob", "JobOptions", "JobReport", "extract_files", "file_jobs", "find_files"]


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
    if outcome.status is Status.MISSING:
        return "missing"
    if outcome.status is not Status.OK:
        return "failed"
    return "reused" if outcome.reused else "encoded"

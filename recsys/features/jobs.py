"""Files into vectors: a job a movie, each done once, whatever happens to the others.

Legend: I items, D dimensions of one modality.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import PositiveInt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from recsys.config.sources import JobsConfig
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.files import atomic_write
from recsys.errors import AlignmentError, DataError
from recsys.features.cache import FeatureCache, signature
from recsys.features.media import FileStatus, MediaError
from recsys.features.workers import EncoderFactory, Result, Task, WorkerPool


class JobOptions(JobsConfig):
    """How files are encoded; see ``JobsConfig``.

    Attributes:
        threads_per_worker: of the numerical libraries of each process.
        progress: show a bar on standard error, where that is a terminal.
    """

    threads_per_worker: PositiveInt = 1
    progress: bool = True

    @property
    def processes(self) -> int:
        """Workers, or the cores that this process may use."""
        if self.workers is not None:
            return self.workers
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1


@dataclass(frozen=True)
class FileJob:
    """A movie and its file.

    Attributes:
        item_id: external id of the movie.
        row: its row in the catalogue.
        path: the file; None where there is none.
    """

    item_id: str
    row: int
    path: Path | None


@dataclass(frozen=True)
class FileOutcome(FileJob):
    """What became of one movie's file.

    Attributes:
        status: "ok", or why there is no vector.
        digest: SHA-256 of the file's bytes, "" where they could not be read.
        what: why there is no vector, in a sentence.
        reused: the status was known before: from an earlier run, or from an equal file.
    """

    status: FileStatus
    digest: str = ""
    what: str = ""
    reused: bool = False


@dataclass(frozen=True)
class JobReport:
    """What a run over the files of one modality came to.

    Attributes:
        modality: its name.
        card: the encoder.
        outcomes: one a file, in the order they were asked for.
        seconds: wall-clock time.
    """

    modality: str
    card: EncoderCard
    outcomes: tuple[FileOutcome, ...]
    seconds: float

    @property
    def counts(self) -> dict[FileStatus, int]:
        """How many files have each status; statuses that none has are left out."""
        found = Counter(outcome.status for outcome in self.outcomes)
        return {status: found[status] for status in FileStatus if found[status]}

    @property
    def present(self) -> int:
        """Movies that have a vector."""
        return self.counts.get(FileStatus.OK, 0)

    @property
    def encoded(self) -> int:
        """Vectors computed in this run."""
        return sum(o.status is FileStatus.OK and not o.reused for o in self.outcomes)

    @property
    def failed(self) -> int:
        """Movies that have a file and no vector."""
        return len(self.outcomes) - self.present - self.counts.get(FileStatus.MISSING, 0)

    def write(self, folder: Path) -> None:
        """Everything as ``MODALITY.json``, and the outcomes alone as ``MODALITY.csv``."""
        columns = ["item_id", "row", "status", "reused", "path", "what"]
        files = pd.DataFrame([vars(o) | {"path": str(o.path or "")} for o in self.outcomes])
        files = files.reindex(columns=columns)
        document = {
            "modality": self.modality,
            "encoder": self.card.name,
            "revision": self.card.revision,
            "counts": self.counts,
            "encoded": self.encoded,
            "reused": self.present - self.encoded,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
            "files": files.to_dict("records"),
        }
        texts = {"json": json.dumps(document, indent=1) + "\n", "csv": files.to_csv(index=False)}
        for suffix, text in texts.items():
            with atomic_write(folder / f"{self.modality}.{suffix}") as temporary:
                temporary.write_bytes(text.encode("utf-8", errors="backslashreplace"))

    def table(self, catalogue: Catalogue, cache: FeatureCache) -> ModalityTable:
        """The modality of a catalogue; movies without a vector are absent.

        Args:
            catalogue: the I movies that the files were named for.
            cache: where the run kept its vectors.

        Raises:
            AlignmentError: a file was named for another movie than the catalogue has in its row.
            DataError: vectors have vanished from the cache since.
        """
        ids = dict(enumerate(catalogue.items.ids))
        wrong = [
            f"row {o.row}: {o.item_id!r}" for o in self.outcomes if ids.get(o.row) != o.item_id
        ]
        if wrong:
            raise AlignmentError(
                f"modality {self.modality}: {len(wrong)} files belong to other movies than this "
                "catalogue has in their rows",
                rows=wrong,
            )
        good = {o.row: o.digest for o in self.outcomes if o.status is FileStatus.OK}
        found = cache.read(self.card, set(good.values()))
        lost = [f"row {row}" for row, digest in good.items() if digest not in found]
        if lost:
            what = f"modality {self.modality}: {len(lost)} vectors are no longer in the cache"
            raise DataError(what, rows=lost, hint="run the extraction again")
        vectors = np.zeros((len(catalogue), self.card.dim), dtype=np.float32)
        present = np.zeros(len(catalogue), dtype=bool)
        for row, digest in good.items():
            vectors[row], present[row] = found[digest], True
        fingerprint = catalogue.items.fingerprint
        return ModalityTable(self.modality, vectors, present, self.card, fingerprint)


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
    try:
        names = os.listdir(folder)  # noqa: PTH208 - a Path a name is slow for many
    except OSError as error:
        what = f"the files of a folder cannot be listed: {error}"
        raise DataError(what, hint="name a folder that exists") from error
    for name in names:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        order = rank.get(suffix.casefold())
        if order is not None:
            best[stem] = min(best.get(stem, (order, name)), (order, name))
    return [folder / best[id_][1] if id_ and id_ in best else None for id_ in ids]


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
    counts = Counter(job.row for job in files)
    twice = [f"row {job.row}: {job.path}" for job in files if counts[job.row] > 1]
    if twice:
        raise DataError(f"{len(twice)} files are named for movies that have another", rows=twice)
    encoder = encoder_factory()
    pool = WorkerPool(
        encoder_factory,
        workers=options.processes,
        threads=options.threads_per_worker,
        timeout_s=options.timeout_s,
    )
    with _bar(encoder.name, len(files), visible=options.progress) as notify:
        ledger = Ledger(encoder.card, cache, options, notify)
        with closing(pool.run(ledger.tasks(files))) as results:
            for task, result in results:
                ledger.settle(task, result)
    seconds = time.perf_counter() - started
    return JobReport(encoder.name, encoder.card, ledger.outcomes(), seconds)


class Ledger:
    """What is known, waited for and finished while a run lasts.

    Args:
        card: the encoder.
        cache: where vectors, failures and digests are kept.
        options: what to distrust.
        notify: told every outcome.
    """

    def __init__(
        self,
        card: EncoderCard,
        cache: FeatureCache,
        options: JobOptions,
        notify: Callable[[FileOutcome], None],
    ) -> None:
        self._card, self._cache, self._options, self._notify = card, cache, options, notify
        failures = {} if options.retry_failed else cache.failures(card)
        self._known: dict[str, MediaError | None] = failures | dict.fromkeys(cache.digests(card))
        self._waiting: dict[str, list[tuple[int, FileJob, os.stat_result]]] = {}
        self._outcomes: dict[int, FileOutcome] = {}

    def outcomes(self) -> tuple[FileOutcome, ...]:
        """One a file, in the order they were given."""
        return tuple(outcome for _, outcome in sorted(self._outcomes.items()))

    def tasks(self, files: Sequence[FileJob]) -> Iterator[Task]:
        """The files that have to be encoded; the outcome of every other is noted on the way."""
        for position, job in enumerate(files):
            try:
                path, found, digest = self._look(job)
            except MediaError as error:
                self._note(position, job, "", error, reused=False)
                continue
            if digest in self._known:
                self._note(position, job, digest, self._known[digest], reused=True)
                continue
            waiting = self._waiting.setdefault(digest, [])
            waiting.append((position, job, found))
            if len(waiting) == 1:
                yield digest, path

    def _look(self, job: FileJob) -> tuple[Path, os.stat_result, str]:
        """A file that has bytes, and their digest; pipes and devices would be waited for.

        Raises:
            MediaError: there is nothing to decode.
        """
        if job.path is None:
            raise MediaError(FileStatus.MISSING, f"no file for movie {job.item_id}")
        try:
            found = job.path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise MediaError(FileStatus.UNREADABLE, f"{job.path}: it is not a file")
            if not found.st_size:
                raise MediaError(FileStatus.EMPTY, f"{job.path}: it has no bytes")
            rehash = self._options.rehash
            return job.path, found, self._cache.file_digest(job.path, found, rehash=rehash)
        except FileNotFoundError:
            raise MediaError(FileStatus.MISSING, f"{job.path}: there is no such file") from None
        except OSError as error:
            raise MediaError(FileStatus.UNREADABLE, f"{job.path}: {error.strerror}") from error

    def settle(self, task: Task, result: Result) -> None:
        """Store what became of a file, and note it of every file of equal bytes."""
        digest, path = task
        jobs = self._waiting.pop(digest)
        failure: MediaError | None = None
        if isinstance(result, MediaError):
            failure = self._known[digest] = result
            self._cache.add_failure(self._card, digest, result)
        elif not path.exists() or signature(path.stat()) != signature(jobs[0][2]):
            failure = MediaError(FileStatus.FAILED, f"{path}: it changed while it was read")
        else:
            self._known[digest] = None
            self._cache.add(self._card, {digest: result})
        for place, (position, job, _) in enumerate(jobs):
            self._note(position, job, digest, failure, reused=place > 0)

    def _note(
        self, position: int, job: FileJob, digest: str, failure: MediaError | None, *, reused: bool
    ) -> None:
        status, what = (failure.status, failure.what) if failure else (FileStatus.OK, "")
        outcome = FileOutcome(job.item_id, job.row, job.path, status, digest, what, reused)
        self._outcomes[position] = outcome
        self._notify(outcome)


@contextmanager
def _bar(name: str, total: int, *, visible: bool) -> Iterator[Callable[[FileOutcome], None]]:
    """A bar with the time that is left; what is returned moves it on."""
    console, counts = Console(stderr=True), Counter[str]()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    more = (TextColumn("{task.fields[found]}"), TimeRemainingColumn())
    hidden = not (visible and console.is_terminal)
    with Progress(*columns, *more, console=console, disable=hidden, transient=True) as progress:
        shown = progress.add_task(name, total=total, found="")

        def notify(outcome: FileOutcome) -> None:
            known = "reused" if outcome.reused else "encoded"
            kinds = {FileStatus.OK: known, FileStatus.MISSING: "missing"}
            counts[kinds.get(outcome.status, "failed")] += 1
            found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            progress.update(shown, advance=1, found=found)

        yield notify

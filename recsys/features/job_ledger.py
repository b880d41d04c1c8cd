"""What is known, what is waited for and what is finished while a run over files lasts."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import EncoderCard
from recsys.features.cache import FeatureCache
from recsys.features.file_index import Failure, FileIndex, Signature
from recsys.features.file_lookup import FileJob
from recsys.features.job_options import JobOptions
from recsys.features.job_report import FileOutcome
from recsys.features.media import MediaError, Status
from recsys.features.worker_pool import Task
from recsys.features.worker_process import Result

SAVE_SECONDS = 30.0
"""What is finished is stored at least this often."""

_NO_DIGEST = ""


class Ledger:
    """The account of one run; what it holds is stored block by block, and when it is left.

    Args:
        card: the encoder.
        cache: where vectors are kept.
        index: where digests and failures are kept.
        options: size of a block, and whether to try failures again.
        notify: told every outcome.
    """

    def __init__(
        self,
        card: EncoderCard,
        cache: FeatureCache,
        index: FileIndex,
        options: JobOptions,
        notify: Callable[[FileOutcome], None],
    ) -> None:
        self._card, self._cache, self._index = card, cache, index
        self._block, self._notify = options.block, notify
        self._done = cache.digests(card)
        self._failures = {} if options.retry_failed else index.failures(card)
        self._waiting: dict[str, list[tuple[int, FileJob, Signature]]] = {}
        self._outcomes: dict[int, FileOutcome] = {}
        self._fresh: dict[str, NDArray[np.float32]] = {}
        self._failed: dict[str, Failure] = {}
        self._saved_at = time.monotonic()
        self.unsaved: dict[str, NDArray[np.float32]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.save()

    def outcomes(self) -> tuple[FileOutcome, ...]:
        """One a file, in the order they were given."""
        return tuple(outcome for _, outcome in sorted(self._outcomes.items()))

    def tasks(self, files: Sequence[FileJob]) -> Iterator[Task]:
        """The files that have to be encoded; the outcome of every other is noted on the way."""
        for position, job in enumerate(files):
            try:
                path, signature, digest = self._look(job)
            except MediaError as error:
                failure = Failure(error.status, error.what)
                self._note(position, job, _NO_DIGEST, failure, reused=False)
                continue
            if digest in self._done or digest in self._failures:
                self._note(position, job, digest, self._failures.get(digest), reused=True)
            elif digest in self._waiting:
                self._waiting[digest].append((position, job, signature))
            else:
                self._waiting[digest] = [(position, job, signature)]
                yield digest, path

    def _look(self, job: FileJob) -> tuple[Path, Signature, str]:
        """A file that has bytes, and their digest.

        Raises:
            MediaError: there is nothing to decode.
        """
        if job.path is None:
            raise MediaError(Status.MISSING, f"no file for movie {job.item_id}")
        try:
            found = job.path.stat()
            _require_bytes(job.path, found)
            signature = Signature.of(found)
            return job.path, signature, self._index.digest(job.path, signature)
        except FileNotFoundError:
            raise MediaError(Status.MISSING, f"{job.path}: there is no such file") from None
        except OSError as error:
            raise MediaError(Status.UNREADABLE, f"{job.path}: {error.strerror}") from error

    def settle(self, task: Task, result: Result) -> None:
        """Note what became of a file, and of every file of equal bytes."""
        digest, path = task
        jobs = self._waiting.pop(digest)
        if isinstance(result, MediaError):
            failure = Failure(result.status, result.what)
            self._failures[digest] = self._failed[digest] = failure
        elif not _unchanged(path, jobs[0][2]):
            failure = Failure(Status.FAILED, f"{path}: it changed while it was read")
        else:
            failure = None
            self._fresh[digest] = result
            self._done.add(digest)
        for place, (position, job, _) in enumerate(jobs):
            self._note(position, job, digest, failure, reused=place > 0)
        self._save_if_due()

    def _note(
        self, position: int, job: FileJob, digest: str, failure: Failure | None, *, reused: bool
    ) -> None:
        status, what = failure or (Status.OK, "")
        outcome = FileOutcome(job.item_id, job.row, job.path, status, digest, what, reused)
        self._outcomes[position] = outcome
        self._notify(outcome)

    def _save_if_due(self) -> None:
        overdue = time.monotonic() - self._saved_at > SAVE_SECONDS
        if overdue or len(self._fresh) + len(self._failed) >= self._block:
            self.save()

    def save(self) -> None:
        """Store what is finished."""
        if not self._cache.add(self._card, self._fresh):
            self.unsaved |= self._fresh
        self._index.save(self._card, self._failed)
        self._fresh, self._failed = {}, {}
        self._saved_at = time.monotonic()


def _require_bytes(path: Path, found: os.stat_result) -> None:
    """A pipe or a device would be waited for without end."""
    if not stat.S_ISREG(found.st_mode):
        raise MediaError(Status.UNREADABLE, f"{path}: it is not a file")
    if not found.st_size:
        raise MediaError(Status.EMPTY, f"{path}: it has no bytes")


def _unchanged(path: Path, signature: Signature) -> bool:
    try:
        return Signature.of(path.stat()) == signature
    except OSError:
        return False

"""What is known, waited for and finished while a run over files lasts, and remembered after it.

Neither a good nor a broken file is read twice.

A digest is believed as long as path, size, time of modification and time of change of the file are
what they were: bytes replaced without touching any of them go unnoticed, which no ordinary program
can do. Files that changed within the last seconds are not remembered, for a second change might
fall into the same tick of the clock.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from recsys.config.sources import JobsConfig
from recsys.data.catalogue import EncoderCard
from recsys.data.files import file_sha256
from recsys.features.cache import FeatureCache, card_key
from recsys.features.job_report import FileJob, FileOutcome
from recsys.features.media import FileStatus, MediaError
from recsys.features.workers import Result, Task

SETTLED_SECONDS = 2
"""Age from which a file's times tell it apart from a later version."""

_TABLES = """
CREATE TABLE IF NOT EXISTS digests
    (path BLOB PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, digest TEXT)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures
    (card TEXT, digest TEXT, status TEXT, what TEXT, PRIMARY KEY (card, digest))
    WITHOUT ROWID;
"""

_log = logging.getLogger(__name__)


class FileFailure(NamedTuple):
    """Why a file could not be encoded."""

    status: FileStatus
    what: str


class Signature(NamedTuple):
    """What tells two versions of a file apart; times in nanoseconds."""

    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Self:
        """As the file was when it was looked at."""
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)

    @property
    def settled(self) -> bool:
        """Whether another version would look different."""
        newest = max(self.modified, self.changed)
        return newest < time.time_ns() - SETTLED_SECONDS * 10**9


class FileIndex:
    """Digests of files and failures of encoders, in one SQLite file.

    What cannot be read or written is done again the next time, and logged as a warning.

    Args:
        root: folder of the file.
        rehash: read every file again instead of believing a remembered digest.
    """

    def __init__(self, root: Path, *, rehash: bool = False) -> None:
        self.path = root / "files.sqlite"
        self.rehash = rehash
        self._new: dict[bytes, tuple[bytes, int, int, int, str]] = {}
        self._connection = _open(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def digest(self, path: Path, signature: Signature) -> str:
        """SHA-256, hexadecimal, of the bytes of a file.

        Raises:
            OSError: the file cannot be read.
        """
        key = os.fsencode(path.absolute())
        if not self.rehash and (known := self._known(key, signature)):
            return known
        digest = file_sha256(path)
        if signature.settled:
            self._new[key] = (key, *signature, digest)
        return digest

    def _known(self, key: bytes, signature: Signature) -> str | None:
        query = "SELECT digest FROM digests WHERE (path, size, modified, changed) = (?, ?, ?, ?)"
        try:
            row = self._connection.execute(query, (key, *signature)).fetchone()
        except sqlite3.Error as error:
            _log.warning("%s is not used: %s", self.path, error)
            return None
        return str(row[0]) if row else None

    def failures(self, card: EncoderCard) -> dict[str, FileFailure]:
        """Digest of each file that this encoder is known to fail on, and why."""
        query = "SELECT digest, status, what FROM failures WHERE card = ?"
        try:
            rows = self._connection.execute(query, (card_key(card),)).fetchall()
            return {digest: FileFailure(FileStatus(status), what) for digest, status, what in rows}
        except (sqlite3.Error, ValueError) as error:
            _log.warning("%s is not used: %s", self.path, error)
            return {}

    def save(self, card: EncoderCard, failed: Mapping[str, FileFailure]) -> None:
        """Write the digests that are new, and more failures of an encoder."""
        key = card_key(card)
        rows = [(key, digest, status.value, what) for digest, (status, what) in failed.items()]
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)", self._new.values()
                )
                self._connection.executemany(
                    "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", rows
                )
        except sqlite3.Error as error:
            _log.warning("%s cannot be written: %s", self.path, error)
        self._new.clear()


def _open(path: Path) -> sqlite3.Connection:
    """The file of this path, anew where it is damaged; one in memory where it cannot be had."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connect(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            _log.warning("%s is removed and will be rebuilt: %s", path, error)
            path.unlink(missing_ok=True)
            return _connect(path)
    except (sqlite3.Error, OSError) as error:
        _log.warning("%s cannot be opened, so files are read again: %s", path, error)
        return _connect(":memory:")


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.executescript(_TABLES)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


SAVE_SECONDS = 30.0
"""What is finished is stored at least this often."""

_NO_DIGEST = ""


class JobOptions(JobsConfig):
    """Processes, limits and what to distrust.

    Attributes:
        threads_per_worker: threads of each process.
        block: vectors and failures between two writes: what a killed run may lose.
        progress: show a bar on standard error, where that is a terminal.
    """

    threads_per_worker: PositiveInt = 1
    block: PositiveInt = 64
    progress: bool = True

    @property
    def processes(self) -> int:
        """Workers, or the cores that this process may use."""
        if self.workers is not None:
            return self.workers
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1


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
        self._failed: dict[str, FileFailure] = {}
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
                failure = FileFailure(error.status, error.what)
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
            raise MediaError(FileStatus.MISSING, f"no file for movie {job.item_id}")
        try:
            found = job.path.stat()
            _require_bytes(job.path, found)
            signature = Signature.of(found)
            return job.path, signature, self._index.digest(job.path, signature)
        except FileNotFoundError:
            raise MediaError(FileStatus.MISSING, f"{job.path}: there is no such file") from None
        except OSError as error:
            raise MediaError(FileStatus.UNREADABLE, f"{job.path}: {error.strerror}") from error

    def settle(self, task: Task, result: Result) -> None:
        """Note what became of a file, and of every file of equal bytes."""
        digest, path = task
        jobs = self._waiting.pop(digest)
        if isinstance(result, MediaError):
            failure = FileFailure(result.status, result.what)
            self._failures[digest] = self._failed[digest] = failure
        elif not _unchanged(path, jobs[0][2]):
            failure = FileFailure(FileStatus.FAILED, f"{path}: it changed while it was read")
        else:
            failure = None
            self._fresh[digest] = result
            self._done.add(digest)
        for place, (position, job, _) in enumerate(jobs):
            self._note(position, job, digest, failure, reused=place > 0)
        self._save_if_due()

    def _note(
        self, position: int, job: FileJob, digest: str, failure: FileFailure | None, *, reused: bool
    ) -> None:
        status, what = failure or (FileStatus.OK, "")
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
        raise MediaError(FileStatus.UNREADABLE, f"{path}: it is not a file")
    if not found.st_size:
        raise MediaError(FileStatus.EMPTY, f"{path}: it has no bytes")


def _unchanged(path: Path, signature: Signature) -> bool:
    try:
        return Signature.of(path.stat()) == signature
    except OSError:
        return False

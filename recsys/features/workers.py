"""Processes that each encode one file at a time, and may die of it without harm to the others."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Generator, Iterator
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.errors import ConfigError, OfflineError, RecsysError
from recsys.features.media import FileEncoder, FileStatus, MediaError
from recsys.subprocesses import ProcessDied, Subprocess, TimedOut

EncoderFactory = Callable[[], FileEncoder]
"""Picklable; called once in every process, and in this one for the card."""

Result = NDArray[np.float32] | MediaError

Task = tuple[str, Path]
"""The digest of a file and where it lies."""

START_SECONDS = 300.0
"""A process that has not built its encoder by then will not."""

FIRST_FILE_SECONDS = 60.0
"""Added to the time of the first file of a process, while weights are loaded."""


def serve(pipe: Connection, factory: EncoderFactory) -> None:
    """Build the encoder and say so by None, then answer every path with a vector or an error."""
    warnings.simplefilter("ignore")  # they name no file; what is wrong with one is its status
    try:
        encoder = factory()
    except Exception as error:
        what = f"the encoder cannot be built: {_named(error)}"
        raise _portable(error) or RecsysError(what) from error
    pipe.send(None)
    while True:
        try:
            path = pipe.recv()
        except EOFError:
            return
        pipe.send(_encode(encoder, path))


def _encode(encoder: FileEncoder, path: Path) -> Result | RecsysError:
    try:
        vector = np.asarray(encoder.encode_file(path), dtype=np.float32)
    except MediaError as error:
        return MediaError(error.status, error.what)
    except Exception as error:  # nothing that a file does may stop the others
        return _portable(error) or MediaError(FileStatus.FAILED, f"{path}: {_named(error)}")
    if vector.shape != (encoder.card.dim,) or not np.isfinite(vector).all():
        what = f"{path}: the encoder made {vector.shape} numbers, not all of them usable"
        return MediaError(FileStatus.FAILED, what)
    return vector


def _portable(error: Exception) -> RecsysError | None:
    """An error that every file would meet, in a form that crosses process borders."""
    for kind in (OfflineError, ConfigError):
        if isinstance(error, kind):
            return kind(error.what, hint=error.hint)
    return None


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


class WorkerPool:
    """Encodes files in processes of their own, started when there is work for them.

    Args:
        factory: builds the encoder.
        workers: processes.
        threads: of each process.
        timeout_s: seconds after which a file is given up, and its process killed.
    """

    def __init__(
        self, factory: EncoderFactory, *, workers: int, threads: int, timeout_s: float
    ) -> None:
        self._start = lambda: Subprocess(serve, factory, threads=threads)
        self._workers = workers
        self._timeout_s = timeout_s

    def run(self, tasks: Iterator[Task]) -> Generator[tuple[Task, Result], None, None]:
        """Results in the order they are ready; a task is taken when a process is free for it.

        A file whose process dies or takes too long gives an error of its own. All processes end
        with the iterator.

        Raises:
            ConfigError: the encoder cannot be built, or cannot be used as it is configured.
            OfflineError: it needs a network that is off or out of reach.
            RecsysError: processes do not start.
        """
        idle = [_Worker(self._start, self._timeout_s) for _ in range(self._workers)]
        busy: dict[Connection, _Worker] = {}
        try:
            while True:
                while idle and (task := next(tasks, None)) is not None:
                    worker = idle.pop()
                    busy[worker.assign(task)] = worker
                if not busy:
                    return
                for pipe, worker in _ready(busy):
                    result = worker.result()
                    if result is not None:
                        del busy[pipe]
                        idle.append(worker)
                        yield worker.task, result
        finally:
            for worker in (*idle, *busy.values()):
                worker.kill()


def _ready(busy: dict[Connection, _Worker]) -> list[tuple[Connection, _Worker]]:
    """Workers that have something to say, or whose time is up."""
    soonest = min(worker.deadline for worker in busy.values())
    speaking = connection.wait(list(busy), timeout=max(0.0, soonest - time.monotonic()))
    now = time.monotonic()
    return [pair for pair in busy.items() if pair[0] in speaking or pair[1].deadline <= now]


class _Worker:
    """One place in the pool: a process, replaced when it dies."""

    task: Task
    deadline: float

    def __init__(self, start: Callable[[], Subprocess], timeout_s: float) -> None:
        self._start, self._timeout_s = start, timeout_s
        self._process: Subprocess | None = None
        self._built = False

    def assign(self, task: Task) -> Connection:
        """Hand over a file; the pipe is where the result will arrive."""
        self.task = task
        process = self._process
        if process is None or not process.is_alive:
            process = self._launch()
        try:
            process.pipe.send(task[1])
        except OSError:  # it died this very moment, of nothing that it was asked to do
            process = self._launch()
            process.pipe.send(task[1])
        if self._built:
            self.deadline = time.monotonic() + self._timeout_s
        return process.pipe

    def _launch(self) -> Subprocess:
        self.kill()
        self._process, self._built = self._start(), False
        self.deadline = time.monotonic() + START_SECONDS
        return self._process

    def result(self) -> Result | None:
        """What became of the file; None when the process has only just become ready.

        Raises:
            RecsysError: the process cannot work at all.
        """
        try:
            message = self._process.receive(0) if self._process is not None else None
        except TimedOut:
            return self._lost(f"no result after {self._timeout_s:g} s")
        except (ProcessDied, EOFError) as error:
            return self._lost(str(error) or "its process ended")
        if message is None:
            self._built = True
            self.deadline = time.monotonic() + FIRST_FILE_SECONDS + self._timeout_s
            return None
        if isinstance(message, RecsysError) and not isinstance(message, MediaError):
            raise message
        result: Result = message
        return result

    def _lost(self, how: str) -> MediaError:
        self.kill()
        if not self._built:
            raise RecsysError(
                f"a process that should encode files could not begin: {how}",
                hint="call this from a program guarded by if __name__ == '__main__'",
            )
        return MediaError(FileStatus.FAILED, f"{self.task[1]}: {how}")

    def kill(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process = None

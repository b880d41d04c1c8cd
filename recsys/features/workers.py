"""Processes that each encode one file at a time, and may die of it without harm to the others."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from recsys.errors import ConfigError, OfflineError, RecsysError
from recsys.features.media import FileEncoder, MediaError, Status

EncoderFactory = Callable[[], FileEncoder]
"""Picklable; called once in every process, and in this one for the card."""

Result = NDArray[np.float32] | MediaError

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Start:
    """What a process needs; the factory is unpickled only when threads are limited."""

    factory: bytes
    threads: int


class Built:
    """Said by a process whose encoder is there."""


def serve(pipe: Connection, start: Start) -> None:
    """Life of a process: build the encoder, then answer every path with a vector or an error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    threading.Thread(target=_die_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # they name no file; what is wrong with one is its status
    _limit_threads(start.threads)
    try:
        encoder = pickle.loads(start.factory)()
    except Exception as error:
        pipe.send(_portable(error) or RecsysError(f"the encoder cannot be built: {_named(error)}"))
        return
    _limit_threads(start.threads)
    pipe.send(Built())
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
        return _portable(error) or MediaError(Status.FAILED, f"{path}: {_named(error)}")
    if vector.shape != (encoder.card.dim,) or not np.isfinite(vector).all():
        what = f"{path}: the encoder made {vector.shape} numbers, not all of them usable"
        return MediaError(Status.FAILED, what)
    return vector


def _portable(error: Exception) -> RecsysError | None:
    """An error that every file would meet, in a form that crosses process borders."""
    for kind in (OfflineError, ConfigError):
        if isinstance(error, kind):
            return kind(error.what, hint=error.hint)
    return None


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _die_with_parent() -> None:
    """A process that outlives a killed parent would go on burning time on a file that hangs it."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _limit_threads(threads: int) -> None:
    """For libraries that are loaded already, and those that will be."""
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    threadpoolctl.threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


Task = tuple[str, Path]
"""The digest of a file and where it lies."""

START_SECONDS = 300.0
"""A process that has not built its encoder by then will not."""

FIRST_FILE_SECONDS = 60.0
"""Added to the time of the first file of a process, while weights are loaded."""


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
        self._start = Start(pickle.dumps(factory), threads)
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
                for worker in _ready(busy):
                    result = worker.result()
                    if result is not None:
                        del busy[worker.pipe]
                        idle.append(worker)
                        yield worker.task, result
        finally:
            for worker in (*idle, *busy.values()):
                worker.kill()


def _ready(busy: dict[Connection, _Worker]) -> list[_Worker]:
    """Workers that have something to say, or whose time is up."""
    soonest = min(worker.deadline for worker in busy.values())
    speaking = connection.wait(list(busy), timeout=max(0.0, soonest - time.monotonic()))
    now = time.monotonic()
    return [worker for pipe, worker in busy.items() if pipe in speaking or worker.deadline <= now]


class _Worker:
    """One place in the pool: a process, replaced when it dies."""

    task: Task
    pipe: Connection
    deadline: float

    def __init__(self, start: Start, timeout_s: float) -> None:
        self._given = start
        self._timeout_s = timeout_s
        self._process: SpawnProcess | None = None
        self._built = False

    def assign(self, task: Task) -> Connection:
        """Hand over a file; the pipe is where the result will arrive."""
        self.task = task
        if self._process is None or not self._process.is_alive():
            self.kill()
            self._launch()
        try:
            self.pipe.send(task[1])
        except OSError:  # it died this very moment, of nothing that it was asked to do
            self.kill()
            self._launch()
            self.pipe.send(task[1])
        if self._built:
            self.deadline = time.monotonic() + self._timeout_s
        return self.pipe

    def _launch(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self._given), daemon=True)
        self._process.start()
        theirs.close()
        self._built = False
        self.deadline = time.monotonic() + START_SECONDS

    def result(self) -> Result | None:
        """What became of the file; None when the process has only just become ready.

        Raises:
            RecsysError: the process cannot work at all.
        """
        try:
            message = self.pipe.recv() if self.pipe.poll() else None
        except (EOFError, OSError):
            return self._died()
        if message is None:
            return self._too_late()
        if isinstance(message, Built):
            self._built = True
            self.deadline = time.monotonic() + FIRST_FILE_SECONDS + self._timeout_s
            return None
        if isinstance(message, RecsysError) and not isinstance(message, MediaError):
            raise message
        result: Result = message
        return result

    def _died(self) -> MediaError:
        process = self._process
        if process is not None:
            process.join(5)
        how = _ending(process.exitcode if process else None)
        self._require_built(how)
        self.kill()
        return MediaError(Status.FAILED, f"{self.task[1]}: the process that read it {how}")

    def _too_late(self) -> MediaError:
        self._require_built("was not ready in time")
        self.kill()
        return MediaError(Status.FAILED, f"{self.task[1]}: no result after {self._timeout_s:g} s")

    def _require_built(self, how: str) -> None:
        if not self._built:
            raise RecsysError(
                f"a process that should encode files {how} before it could begin",
                hint="call this from a program guarded by if __name__ == '__main__', and see what "
                "the process wrote to standard error",
            )

    def kill(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join(5)  # one that hangs inside the kernel dies when it comes back
            self._process = None
            self.pipe.close()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"died ({signal.strsignal(-code)})"
    return f"died (exit status {code})"

"""Processes that each encode one file at a time, and may die of it without harm to the others."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
        def start() -> Subprocess:
            return Subprocess(serve, factory, threads=threads)

        self._workers = [_Worker(start, timeout_s) for _ in range(workers)]

    def run(self, tasks: Iterator[Task]) -> Generator[tuple[Task, Result], None, None]:
        """Results in the order they are ready; a task is taken when a process is free for it.

        A file whose process dies or takes too long gives an error of its own. All processes end
        with the iterator.

        Raises:
            ConfigError: the encoder cannot be built, or cannot be used as it is configured.
            OfflineError: it needs a network that is off or out of reach.
            RecsysError: processes do not start.
        """
        idle, busy = list(self._workers), dict[Future[Result], tuple[_Worker, Task]]()
        threads = ThreadPoolExecutor(len(idle))
        try:
            while True:
                while idle and (task := next(tasks, None)) is not None:
                    worker = idle.pop()
                    busy[threads.submit(worker.encode, task[1])] = worker, task
                if not busy:
                    return
                for future in wait(busy, return_when=FIRST_COMPLETED).done:
                    worker, task = busy.pop(future)
                    idle.append(worker)
                    yield task, future.result()
        finally:
            for worker in self._workers:
                worker.close()
            threads.shutdown()


class _Worker:
    """One place in the pool: a process, replaced when it dies."""

    def __init__(self, start: Callable[[], Subprocess], timeout_s: float) -> None:
        self._start, self._timeout_s = start, timeout_s
        self._process: Subprocess | None = None
        self._closed = False

    def encode(self, path: Path) -> Result:
        """What becomes of a file, in a thread that waits for it.

        Raises:
            RecsysError: the process cannot work at all.
        """
        process, patience = self._process, self._timeout_s
        if process is None or not process.is_alive:
            process, patience = self._started(), patience + FIRST_FILE_SECONDS
        try:
            process.pipe.send(path)
        except OSError:  # it died this very moment, of nothing that it was asked to do
            process.kill()
            return self.encode(path)
        try:
            result: Result | RecsysError = process.receive(patience)
        except TimedOut:
            what = f"no result after {self._timeout_s:g} s"
        except (ProcessDied, EOFError) as error:
            what = str(error) or "its process ended"
        else:
            if isinstance(result, RecsysError) and not isinstance(result, MediaError):
                raise result
            return result
        process.kill()
        return MediaError(FileStatus.FAILED, f"{path}: {what}")

    def _started(self) -> Subprocess:
        process = self._process = self._start()
        if self._closed:
            process.kill()
        try:
            process.receive(START_SECONDS)
        except (ProcessDied, TimedOut, EOFError) as error:
            raise RecsysError(
                f"a process that should encode files could not begin: {error}",
                hint="call this from a program guarded by if __name__ == '__main__'",
            ) from error
        return process

    def close(self) -> None:
        """End the process, whatever it does, and start no other."""
        self._closed = True
        if self._process is not None:
            self._process.kill()

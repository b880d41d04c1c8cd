"""Jobs in processes of their own: nothing is shared but what is sent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from recsys.benchmark.job import Job, Message, work
from recsys.benchmark.tuning import explained
from recsys.errors import RecsysError

ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
_LAST_LINES: Final = 5


@dataclass(frozen=True)
class Failure:
    """Why a job has no result.

    Attributes:
        what: went wrong.
        died: whether the process ended without saying so itself.
    """

    what: str
    died: bool = False


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes that are started have one thread: libraries read that when they are loaded."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@dataclass
class Apart:
    """Does jobs, each in a fresh process."""

    _running: set[BaseProcess] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def __call__(self, job: Job, tell: Callable[[Message], None]) -> Failure | None:
        """Do one job; ``tell`` is given what it finds. Several threads may call this at a time."""
        context = multiprocessing.get_context("spawn")
        receiving, sending = context.Pipe(duplex=False)
        with tempfile.TemporaryDirectory(prefix="recsys-bench-") as folder:
            said = Path(folder) / "output"
            process = context.Process(target=_serve, args=(job, sending, said))
            with self._lock:
                if self._stopped:
                    return Failure("stopped")
                process.start()
                self._running.add(process)
            sending.close()
            failure = _listen(receiving, tell)
            process.join()
            with self._lock:
                self._running.discard(process)
            if failure is None and process.exitcode:
                failure = Failure(_death(process.exitcode, said), died=True)
            return failure

    def stop(self) -> None:
        """End what is running, with whatever it has started."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _end(process)


def _listen(receiving: Connection, tell: Callable[[Message], None]) -> Failure | None:
    with receiving:
        while True:
            try:
                message = receiving.recv()
            except EOFError:
                return None
            if isinstance(message, Failure):
                return message
            tell(message)


def _end(process: BaseProcess) -> None:
    if process.pid is None or not process.is_alive():
        return
    try:
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.kill()


def _death(code: int, said: Path) -> str:
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    hint = ": out of memory?" if code == -signal.SIGKILL else ""
    text = said.read_text(encoding="utf-8", errors="replace") if said.is_file() else ""
    lines = "\n    ".join(text.splitlines()[-_LAST_LINES:])
    return f"its process ended with {reason}{hint}" + (f"\n    {lines}" if lines else "")


def _serve(job: Job, sending: Connection, said: Path) -> None:
    """What the process does; what libraries print goes to a file."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with said.open("w", encoding="utf-8") as stream:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            for message in work(job):
                sending.send(message)
        except Exception as error:  # it is told to whoever asked
            sending.send(Failure(_whole(error)))
        finally:
            sending.close()


def _whole(error: Exception) -> str:
    """An error of ours explains itself; of any other, where it came from is of use."""
    if isinstance(error, RecsysError):
        return explained(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return explained(error) + where


def _end_with_parent() -> None:
    """A process whose parent was killed would measure what the next one measures as well."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.killpg(os.getpgid(0), signal.SIGKILL)

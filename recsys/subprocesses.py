"""One process for one job: spawned, in a process group of its own, and never outliving its parent.

Whatever needs isolation (files that crash a decoder, models of a library with old requirements,
measurements of memory) runs a function in a ``Subprocess`` and exchanges picklable messages with
it. What the process prints is captured and shown only where it fails.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final, Self

from recsys.errors import RecsysError

LAST_LINES: Final = 8
_THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_STARTING: Final = threading.Lock()
_RUNNING: Final[weakref.WeakSet[Subprocess]] = weakref.WeakSet()


class ProcessDied(RecsysError):  # noqa: N818 - reads as the condition it names
    """The process ended without an answer: killed, out of memory, or by an exit of its own."""


class TimedOut(RecsysError):  # noqa: N818 - reads as the condition it names
    """The process did not answer in time, and was killed."""


@dataclass(frozen=True)
class _Raised:
    """An exception of the process, in a form that can be pickled whatever it carried."""

    kind: type[RecsysError]
    what: str
    hint: str

    @classmethod
    def by(cls, error: Exception) -> Self:
        """An error of ours keeps its class where that takes a text alone; others say their line."""
        if isinstance(error, RecsysError):
            plain = type(error).__init__ is RecsysError.__init__
            what = str(error).removesuffix(f"\n  → {error.hint}")
            return cls(type(error) if plain else RecsysError, what, error.hint)
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
        return cls(RecsysError, f"{type(error).__name__}: {error}{where}", "")


class Subprocess:
    """Runs ``target(pipe, *arguments)`` in a fresh process; a context manager that ends it.

    Args:
        target: an importable function; it sends messages through its end of the pipe, and may
            receive some.
        arguments: picklable; unpickled in the process, once its threads are limited.
        threads: of the numerical libraries of the process.
        environment: variables that are set in the process.
    """

    def __init__(
        self,
        target: Callable[..., None],
        *arguments: Any,
        threads: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._output = tempfile.NamedTemporaryFile(prefix="recsys-output-")  # noqa: SIM115
        self._lock = threading.Lock()
        job = pickle.dumps((target, arguments))
        given = (theirs, job, self._output.name)
        self._process: BaseProcess = context.Process(target=_serve, args=given)
        limits = {"OMP_WAIT_POLICY": "PASSIVE", **dict.fromkeys(_THREADS, str(threads))}
        with _variables({**limits, **(environment or {})}):
            self._process.start()
        theirs.close()
        _RUNNING.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def is_alive(self) -> bool:
        """Whether the process is running."""
        return self._process.is_alive()

    def receive(self, timeout: float | None = None) -> Any:
        """The next message.

        Args:
            timeout: seconds to wait at most; None waits for ever.

        Raises:
            EOFError: the target has returned, and there are no more messages.
            RecsysError: the target raised an exception.
            ProcessDied: the process ended in the middle.
            TimedOut: there was no message in time; the process is killed.
        """
        if not self.pipe.poll(timeout):
            self.kill()
            raise TimedOut(f"it took more than {timeout:g} seconds{self._last_lines()}")
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            if code := self._joined():
                raise ProcessDied(f"its process {_ending(code)}{self._last_lines()}") from None
            raise EOFError from None
        if isinstance(message, _Raised):
            self._joined()
            raise message.kind(message.what, hint=message.hint)
        return message

    def messages(self) -> Iterator[Any]:
        """All messages until the target returns; raises what ``receive`` does."""
        with suppress(EOFError):
            while True:
                yield self.receive()

    def kill(self) -> None:
        """End the process with everything it has started; harmless where it has ended."""
        process = self._process
        if process.pid is not None and process.is_alive():
            with suppress(ProcessLookupError):
                if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
                    os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        self._joined(5)  # one that hangs inside the kernel ends when it comes back

    def _joined(self, timeout: float | None = None) -> int | None:
        """The exit code; two threads that wait for one process would take it from each other."""
        with self._lock:
            self._process.join(timeout)
            return self._process.exitcode

    def _last_lines(self) -> str:
        """The end of what the process printed, indented; "" where that is nothing."""
        text = Path(self._output.name).read_text(encoding="utf-8", errors="replace")
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        return "".join(f"\n    {line}" for line in lines[-LAST_LINES:])


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}" + (
        ": out of memory?" if code == -signal.SIGKILL else ""
    )


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    """Environment of a process that is started: libraries read it when they are loaded."""
    with _STARTING:
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _serve(pipe: Connection, job: bytes, output: str) -> None:
    """Life of the process."""
    if hasattr(os, "setsid"):
        os.setsid()  # an interrupt from the keyboard reaches the parent, which decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Path(output).open("ab") as stream:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    try:
        target, arguments = pickle.loads(job)
        target(pipe, *arguments)
    except Exception as error:  # it is raised in the parent
        traceback.print_exc()
        pipe.send(_Raised.by(error))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        pipe.close()


def _end_with_parent() -> None:
    """A process whose parent was killed would go on for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        if hasattr(os, "killpg"):
            os.killpg(os.getpgid(0), signal.SIGKILL)
        os._exit(1)


@atexit.register
def _kill_all() -> None:
    """Before multiprocessing waits for processes that nobody ended."""
    for process in list(_RUNNING):
        process.kill()

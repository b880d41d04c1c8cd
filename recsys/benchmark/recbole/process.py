"""A process that is waited for, and that never outlives its purpose."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import recsys
from recsys.errors import RecsysError

LAST_LINES: Final = 8
_THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_module(module: str, spec: Path, threads: int, seconds: float | None) -> None:
    """Run ``python -m module spec`` in the folder of ``spec``.

    Raises:
        RecsysError: it failed, or took too long; the error shows its last lines.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(spec)],
        cwd=spec.parent,
        env=_environment(threads),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        _, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise RecsysError(
            f"it took more than {seconds:g} seconds" + _last_lines(process.communicate()[1]),
            hint="allow it more seconds, give it fewer epochs, or leave it out",
        ) from None
    except BaseException:
        _kill(process)
        process.communicate()
        raise
    if process.returncode:
        raise RecsysError(
            _ending(process.returncode) + _last_lines(stderr),
            hint="compare its options with RecBole's documentation of the model",
        )


def _environment(threads: int) -> dict[str, str]:
    """Ours, with what RecBole needs of torch, and the package that is running first."""
    root = str(Path(recsys.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    settings = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "PYTHONPATH": path}
    return {**os.environ, **settings, **dict.fromkeys(_THREADS, str(threads))}


def _kill(process: subprocess.Popen[str]) -> None:
    """With all that it started, where the system knows groups of processes."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _ending(code: int) -> str:
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}; is there enough memory?"
    return f"it ended with code {code}"


def _last_lines(stderr: str) -> str:
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    return "".join(f"\n    {line}" for line in lines[-LAST_LINES:])

"""What happens in a process that encodes files for another."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
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

"""A file encoder that does what its files say, harmful things included."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import EncoderCard
from recsys.errors import ConfigError, OfflineError
from recsys.features.media import FileStatus, MediaError

DIM = 2


@dataclass(frozen=True)
class ScriptedEncoder:
    """Encodes a file that begins with a number; any other first word is an order.

    The orders are the keys of ``ORDERS``, and ``sleep``, which takes 50 milliseconds.

    Attributes:
        diary: every file that is encoded is noted here, by name, before anything happens.
        revision: of the card.
    """

    diary: Path
    revision: str = "1"
    name = "scripted"

    @property
    def card(self) -> EncoderCard:
        """How vectors are made."""
        return EncoderCard("scripted", self.revision, DIM, "none", "none", "none", "none")

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """The number, and the length of the file."""
        with self.diary.open("a", encoding="utf-8") as stream:
            stream.write(f"{path.name}\n")
        word, *rest = path.read_text(encoding="utf-8").split()
        if word == "sleep":
            time.sleep(0.05)
            word = rest[0]
        if word in ORDERS:
            return ORDERS[word]()
        return np.array([float(word), path.stat().st_size], dtype=np.float32)

    def encoded(self) -> list[str]:
        """Names of the files that were encoded so far."""
        if not self.diary.exists():
            return []
        return self.diary.read_text(encoding="utf-8").splitlines()


def _raise(error: Exception) -> Callable[[], NDArray[np.float32]]:
    def order() -> NDArray[np.float32]:
        raise error

    return order


def _exit() -> NDArray[np.float32]:
    os._exit(7)


def _kill() -> NDArray[np.float32]:
    os.kill(os.getpid(), 9)
    return _hang()


def _hang() -> NDArray[np.float32]:
    while True:
        time.sleep(1)


def _leave() -> NDArray[np.float32]:
    raise SystemExit(3)


def _threads() -> NDArray[np.float32]:
    import threadpoolctl

    used = max((pool["num_threads"] for pool in threadpoolctl.threadpool_info()), default=1)
    return np.array([float(os.environ["OMP_NUM_THREADS"]), used], dtype=np.float32)


ORDERS: Mapping[str, Callable[[], NDArray[np.float32]]] = {
    "raise": _raise(ZeroDivisionError("by nothing")),
    "media": _raise(MediaError(FileStatus.TRUNCATED, "it breaks off")),
    "memory": _raise(MemoryError()),
    "config": _raise(ConfigError("the size does not fit", hint="take another")),
    "offline": _raise(OfflineError("no weights", hint="get them")),
    "exit": _exit,
    "kill": _kill,
    "leave": _leave,
    "hang": _hang,
    "nan": lambda: np.full(DIM, np.nan, dtype=np.float32),
    "threads": _threads,
    "long": lambda: np.zeros(DIM + 1, dtype=np.float32),
}
"""What a file may order the encoder to do."""

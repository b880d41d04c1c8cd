"""Files that are whole or not there, fingerprints of contents, and what the environment allows."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path that becomes ``path`` when the block ends, and vanishes when it fails.

    It lies in the same folder, which is made if need be, so that the rename is atomic: a reader
    finds the old file or the new one, never half of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until the bytes are on the disk: a rename can outlive a crash that the bytes do not."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def fingerprint(parts: Iterable[bytes | str | NDArray[np.generic]]) -> str:
    """SHA-256, hexadecimal, of length-prefixed parts: ("ab", "c") differs from ("a", "bc")."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            header = f"{part.dtype.str}{part.shape}".encode()
            raw = header + np.ascontiguousarray(part).tobytes()
        else:
            raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def freeze(holder: object, dtype: type[np.generic], *names: str) -> None:
    """Put copies that nobody can write to in the place of arrays of a frozen dataclass."""
    for name in names:
        array = np.array(getattr(holder, name), dtype=dtype)
        array.setflags(write=False)
        object.__setattr__(holder, name, array)


def file_sha256(path: Path) -> str:
    """SHA-256, hexadecimal, of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cache_folder() -> Path:
    """``RECSYS_CACHE_DIR``, else the user's cache folder."""
    given = os.environ.get("RECSYS_CACHE_DIR")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("recsys")


def is_offline() -> bool:
    """Whether ``RECSYS_OFFLINE`` keeps off the network."""
    return os.environ.get("RECSYS_OFFLINE", "0") not in {"", "0"}

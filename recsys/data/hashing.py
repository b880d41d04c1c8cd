"""Fingerprints: short content hashes that say whether two things are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


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


def file_sha256(path: Path) -> str:
    """SHA-256, hexadecimal, of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

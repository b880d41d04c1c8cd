"""Files that are either complete or not there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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

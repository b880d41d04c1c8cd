"""Files that are whole or not there, fingerprints of contents, and what the environment allows."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import platformdirs
from numpy.typing import NDArray
from pydantic import ValidationError

from recsys.documents import Document
from recsys.errors import DataError

D = TypeVar("D", bound=Document)


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


def atomic_write_text(path: Path, text: str) -> None:
    """Write a file of text at once or not at all; see ``atomic_write``."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_document(of: type[D], path: Path, kind: str, hint: str) -> D:
    """Read a document from JSON.

    Args:
        of: its class.
        path: of the file.
        kind: what it is, for errors.
        hint: what to do with another.

    Raises:
        DataError: the file is absent, no JSON, or not a document of this schema version.
    """
    if not path.is_file():
        raise DataError(f"there is no {kind} file {path}")
    try:
        return of.model_validate_json(path.read_bytes())
    except ValidationError as error:
        found = error.errors(include_url=False)
        version = of.model_fields["schema_version"].default
        raise DataError(
            f"{path} is not a {kind} document of schema version {version}",
            rows=[f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in found],
            hint=hint,
        ) from None


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

"""What is remembered about files, so that neither a good nor a broken one is read twice.

A digest is believed as long as path, size, time of modification and time of change of the file are
what they were: bytes replaced without touching any of them go unnoticed, which no ordinary program
can do. Files that changed within the last seconds are not remembered, for a second change might
fall into the same tick of the clock.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from recsys.data.catalogue import EncoderCard
from recsys.data.hashing import file_sha256
from recsys.features.cache import card_key
from recsys.features.media import Status

SETTLED_SECONDS = 2
"""Age from which a file's times tell it apart from a later version."""

_TABLES = """
CREATE TABLE IF NOT EXISTS digests
    (path BLOB PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, digest TEXT)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures
    (card TEXT, digest TEXT, status TEXT, what TEXT, PRIMARY KEY (card, digest))
    WITHOUT ROWID;
"""

_log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """Why a file could not be encoded."""

    status: Status
    what: str


class Signature(NamedTuple):
    """What tells two versions of a file apart; times in nanoseconds."""

    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Self:
        """As the file was when it was looked at."""
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)

    @property
    def settled(self) -> bool:
        """Whether another version would look different."""
        newest = max(self.modified, self.changed)
        return newest < time.time_ns() - SETTLED_SECONDS * 10**9


class FileIndex:
    """Digests of files and failures of encoders, in one SQLite file.

    What cannot be read or written is done again the next time, and logged as a warning.

    Args:
        root: folder of the file.
        rehash: read every file again instead of believing a remembered digest.
    """

    def __init__(self, root: Path, *, rehash: bool = False) -> None:
        self.path = root / "files.sqlite"
        self.rehash = rehash
        self._new: dict[bytes, tuple[bytes, int, int, int, str]] = {}
        self._connection = _open(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def digest(self, path: Path, signature: Signature) -> str:
        """SHA-256, hexadecimal, of the bytes of a file.

        Raises:
            OSError: the file cannot be read.
        """
        key = os.fsencode(path.absolute())
        if not self.rehash and (known := self._known(key, signature)):
            return known
        digest = file_sha256(path)
        if signature.settled:
            self._new[key] = (key, *signature, digest)
        return digest

    def _known(self, key: bytes, signature: Signature) -> str | None:
        query = "SELECT digest FROM digests WHERE (path, size, modified, changed) = (?, ?, ?, ?)"
        try:
            row = self._connection.execute(query, (key, *signature)).fetchone()
        except sqlite3.Error as error:
            _log.warning("%s is not used: %s", self.path, error)
            return None
        return str(row[0]) if row else None

    def failures(self, card: EncoderCard) -> dict[str, Failure]:
        """Digest of each file that this encoder is known to fail on, and why."""
        query = "SELECT digest, status, what FROM failures WHERE card = ?"
        try:
            rows = self._connection.execute(query, (card_key(card),)).fetchall()
            return {digest: Failure(Status(status), what) for digest, status, what in rows}
        except (sqlite3.Error, ValueError) as error:
            _log.warning("%s is not used: %s", self.path, error)
            return {}

    def save(self, card: EncoderCard, failed: Mapping[str, Failure]) -> None:
        """Write the digests that are new, and more failures of an encoder."""
        key = card_key(card)
        rows = [(key, digest, status.value, what) for digest, (status, what) in failed.items()]
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)", self._new.values()
                )
                self._connection.executemany(
                    "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", rows
                )
        except sqlite3.Error as error:
            _log.warning("%s cannot be written: %s", self.path, error)
        self._new.clear()


def _open(path: Path) -> sqlite3.Connection:
    """The file of this path, anew where it is damaged; one in memory where it cannot be had."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connect(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            _log.warning("%s is removed and will be rebuilt: %s", path, error)
            path.unlink(missing_ok=True)
            return _connect(path)
    except (sqlite3.Error, OSError) as error:
        _log.warning("%s cannot be opened, so files are read again: %s", path, error)
        return _connect(":memory:")


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.executescript(_TABLES)
    except sqlite3.Error:
        connection.close()
        raise
    return connection

"""What encoders have made of their inputs, in one SQLite file: nothing is encoded twice.

It holds the vectors of each encoder, the files that an encoder fails on, and the digests of files.
A vector carries a checksum; a damaged file is removed and rebuilt. Everything is written as soon as
it is known, so a killed process loses what it was working on; several may write at once. A crash
of the machine may damage the file, for writes are not waited for.

A digest is believed as long as path, size, time of modification and time of change of the file are
what they were: bytes replaced without touching any of them go unnoticed, which no ordinary program
can do. Files that changed within the last seconds are not remembered, for a second change might
fall into the same tick of the clock.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import time
import weakref
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import EncoderCard
from recsys.data.files import cache_folder, file_sha256
from recsys.features.media import FileStatus, MediaError

Vectors = Mapping[str, NDArray[np.float32]]
"""Digest of an input to its (D,) vector."""

SETTLED_SECONDS = 2
"""Age from which a file's times tell it apart from a later version."""

_TABLES = """
PRAGMA synchronous = OFF;
PRAGMA journal_mode = TRUNCATE;
CREATE TABLE IF NOT EXISTS vectors (card, digest, vector, PRIMARY KEY (card, digest));
CREATE TABLE IF NOT EXISTS failures (card, digest, status, what, PRIMARY KEY (card, digest));
CREATE TABLE IF NOT EXISTS files (path PRIMARY KEY, size, modified, changed, digest);
"""
_BUSY = (5, 6, 8, 10, 13, 14)
"""SQLite's codes for a file that is sound and cannot be used: busy, locked, read-only, full, …"""

# What SQLite says of a damaged file may quote it, and then be no text.
_UNUSABLE = (sqlite3.Error, UnicodeDecodeError)

_log = logging.getLogger(__name__)


def cache_root() -> Path:
    """``$RECSYS_CACHE_DIR/features``, else the user's cache folder."""
    return cache_folder() / "features"


def card_key(card: EncoderCard) -> str:
    """A hash of everything that a card says."""
    return hashlib.sha256(json.dumps(asdict(card), sort_keys=True).encode()).hexdigest()


def signature(found: os.stat_result) -> tuple[int, int, int]:
    """What tells two versions of a file apart: its size, and its times in nanoseconds."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


class FeatureCache:
    """Vectors and failures by encoder card and digest, and digests of files.

    A cache must never stop a run: what cannot be read is encoded again, what cannot be written is
    kept in memory, and both are logged as warnings.

    Args:
        root: folder of the file; the user's, or that of ``RECSYS_CACHE_DIR``, unless given.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_root() if root is None else root
        self.path = self.root / "features.sqlite"
        self._unsaved: dict[tuple[str, str], NDArray[np.float32]] = {}

    def read(self, card: EncoderCard, wanted: Collection[str] | None = None) -> Vectors:
        """The vectors that an encoder has made: all of them, or those of the wanted digests."""
        key, query = card_key(card), "SELECT digest, vector FROM vectors WHERE card = ?"
        found = {d: v for (k, d), v in self._unsaved.items() if k == key}
        for digest, packed in self._ask(query, key):
            if isinstance(packed, bytes) and packed[:4] == _check(key, digest, packed[4:]):
                found[digest] = np.frombuffer(packed, dtype="<f4", offset=4)
        return found if wanted is None else {d: found[d] for d in found.keys() & set(wanted)}

    def digests(self, card: EncoderCard) -> set[str]:
        """Of which inputs there are vectors."""
        key = card_key(card)
        rows = self._ask("SELECT digest FROM vectors WHERE card = ?", key)
        return {digest for (digest,) in rows} | {d for k, d in self._unsaved if k == key}

    def add(self, card: EncoderCard, vectors: Vectors) -> None:
        """Keep more vectors beside those that are there."""
        key = card_key(card)
        raw = {digest: vector.astype("<f4").tobytes() for digest, vector in vectors.items()}
        rows = [(key, digest, _check(key, digest, body) + body) for digest, body in raw.items()]
        if not self._write("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows):
            self._unsaved |= {(key, digest): vector for digest, vector in vectors.items()}

    def failures(self, card: EncoderCard) -> dict[str, MediaError]:
        """Digest of each file that this encoder is known to fail on, and why."""
        query, known = "SELECT digest, status, what FROM failures WHERE card = ?", set(FileStatus)
        rows = self._ask(query, card_key(card))
        return {d: MediaError(FileStatus(s), str(what)) for d, s, what in rows if s in known}

    def add_failure(self, card: EncoderCard, digest: str, error: MediaError) -> None:
        """Remember that an encoder fails on a file."""
        row = (card_key(card), digest, error.status.value, error.what)
        self._write("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", [row])

    def file_digest(self, path: Path, found: os.stat_result, *, rehash: bool = False) -> str:
        """SHA-256, hexadecimal, of the bytes of a file.

        Args:
            path: the file.
            found: what it looks like.
            rehash: read it again instead of believing a remembered digest.

        Raises:
            OSError: the file cannot be read.
        """
        known = (os.fsencode(path.absolute()), *signature(found))
        query = "SELECT digest FROM files WHERE (path, size, modified, changed) = (?, ?, ?, ?)"
        if not rehash and (rows := self._ask(query, *known)):
            return str(rows[0][0])
        digest = file_sha256(path)
        if max(known[2:]) < time.time_ns() - SETTLED_SECONDS * 10**9:
            self._write("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", [(*known, digest)])
        return digest

    def _ask(self, query: str, *values: object) -> list[Any]:
        return self._transaction(lambda sql: sql.execute(query, values).fetchall()) or []

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> bool:
        return self._transaction(lambda sql: sql.executemany(statement, rows)) is not None

    def _transaction(self, do: Callable[[sqlite3.Connection], Any]) -> Any:
        """What comes of it; None where the file is busy, or damaged for good."""
        for _ in range(2):
            try:
                with self._connection as connection:
                    return do(connection)
            except sqlite3.ProgrammingError:
                raise
            except _UNUSABLE as error:
                if _is_busy(error):
                    _log.warning("feature cache %s cannot be used: %s", self.path, error)
                    break
                self._remove(error)
        return None

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        """To the file, anew where it is damaged; to memory where it cannot be had."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            try:
                return self._connected(self.path)
            except _UNUSABLE as error:
                if _is_busy(error):
                    raise
                self._remove(error)
                return self._connected(self.path)
        except (*_UNUSABLE, OSError) as error:
            _log.warning("feature cache %s cannot be written: %s", self.path, error)
            return self._connected(":memory:")

    def _connected(self, path: Path | str) -> sqlite3.Connection:
        # Garbage may be collected, and the connection closed, in any thread.
        connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
        weakref.finalize(self, connection.close)
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        connection.executescript(_TABLES)
        return connection

    def _remove(self, error: Exception) -> None:
        _log.warning("feature cache %s is removed and will be rebuilt: %s", self.path, error)
        self.__dict__.pop("_connection", None)
        for path in (self.path, Path(f"{self.path}-journal")):
            path.unlink(missing_ok=True)


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY


def _check(key: str, digest: object, body: bytes) -> bytes:
    """Four bytes that fit these of this encoder and input alone."""
    return zlib.crc32(f"{key}{digest}".encode() + body).to_bytes(4, "little")

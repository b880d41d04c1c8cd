"""What TMDB answered, kept on disk: one file a movie, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.data.files import atomic_write
from recsys.data.sources import cache_dir
from recsys.data.tmdb.client import Answer
from recsys.data.tmdb.settings import TmdbSettings
from recsys.errors import DataError

SCHEMA = 1
KEPT_DAYS = 180
"""TMDB's terms allow its data to be kept for six months."""


@dataclass(frozen=True)
class Stored:
    """What is known of one movie; ``movie`` is None when TMDB has none of that id."""

    movie: Answer | None


@dataclass(frozen=True)
class MovieStore:
    """A folder of answers.

    An answer counts while it is not older than TMDB's terms allow, was given to the same question,
    and is what was written, byte for byte; otherwise it is as if it were not there.

    Attributes:
        folder: where the files are.
        question: language and appended parts of the requests.
        now: seconds since the epoch.
    """

    folder: Path
    question: str
    now: Callable[[], float] = field(default=time.time)

    @classmethod
    def of(cls, settings: TmdbSettings, folder: Path | None = None) -> MovieStore:
        """The store for answers to such requests, by default in the cache."""
        question = f"{settings.language}; {','.join(sorted(settings.append))}"
        return cls(folder or cache_dir().parent / "tmdb", question)

    def get(self, tmdb_id: str) -> Stored | None:
        """What is known of a movie; None if it has to be asked for."""
        try:
            document = json.loads(self._path(tmdb_id).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(document, dict) or not self._holds(document, tmdb_id):
            return None
        return Stored(document["movie"])

    def put(self, tmdb_id: str, movie: Answer | None) -> None:
        """Keep an answer.

        Raises:
            DataError: it cannot be written.
        """
        document = {
            "schema": SCHEMA,
            "id": tmdb_id,
            "question": self.question,
            "fetched": int(self.now()),
            "sha256": _digest(movie),
            "movie": movie,
        }
        path = self._path(tmdb_id)
        try:
            with atomic_write(path) as temporary:
                temporary.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror}") from error

    def movies(self, tmdb_ids: Iterable[str]) -> Iterator[Answer]:
        """The movies that are kept, of those named."""
        for tmdb_id in tmdb_ids:
            found = self.get(tmdb_id)
            if found is not None and found.movie is not None:
                yield found.movie

    def _path(self, tmdb_id: str) -> Path:
        if not (tmdb_id.isascii() and tmdb_id.isdigit()):
            raise DataError(f"{tmdb_id!r} is no TMDB id", hint="one looks like 862")
        return self.folder / f"{tmdb_id}.json"

    def _holds(self, document: Mapping[str, Any], tmdb_id: str) -> bool:
        expected = {"schema": SCHEMA, "id": tmdb_id, "question": self.question}
        if any(document.get(name) != value for name, value in expected.items()):
            return False
        fetched = document.get("fetched")
        if not isinstance(fetched, int) or self.now() - fetched > KEPT_DAYS * 86_400:
            return False
        return "movie" in document and document.get("sha256") == _digest(document["movie"])


def _digest(movie: Answer | None) -> str:
    text = json.dumps(movie, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

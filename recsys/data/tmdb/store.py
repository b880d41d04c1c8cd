"""What TMDB answered: kept on disk, fetched for many movies, and as facts of a catalogue."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.data.catalogue import Catalogue
from recsys.data.coverage import Counts, SourceReport
from recsys.data.facts import Crosswalk
from recsys.data.files import atomic_write_text
from recsys.data.items_join import ItemRows, cell_text
from recsys.data.items_spec import ItemsTable, presets
from recsys.data.items_table import with_item_rows
from recsys.data.sources import cache_dir
from recsys.data.tmdb.client import Answer, TmdbClient
from recsys.data.tmdb.settings import (
    TmdbNotFoundError,
    TmdbRefusedError,
    TmdbSettings,
    TmdbUnavailableError,
)
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
            atomic_write_text(path, json.dumps(document, ensure_ascii=False))
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


Progress = Callable[[int, int], None]
"""Told after each movie how many are done, and of how many."""

FAILURES_IN_A_ROW = 3
"""So many movies without an answer, and the server is taken to be down."""


@dataclass
class FetchReport:
    """What became of the movies asked for; the counts add up to ``total``.

    Attributes:
        total: distinct ids.
        fetched: asked for and kept now.
        kept: there already.
        not_found: ids that TMDB does not have, now or when last asked.
        failed: id to why there is no answer; asked again the next time.
        stopped: why the rest was not asked for; "" if all were.
    """

    total: int
    fetched: int = 0
    kept: int = 0
    not_found: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    stopped: str = ""

    @property
    def done(self) -> int:
        """Movies that are settled or failed."""
        return self.fetched + self.kept + len(self.not_found) + len(self.failed)

    @property
    def remaining(self) -> int:
        """Movies that were not asked for."""
        return self.total - self.done


def fetch_many(
    client: TmdbClient,
    ids: Iterable[str],
    store: MovieStore,
    progress: Progress | None = None,
) -> FetchReport:
    """Fetch the movies that are not kept yet, one after another.

    Each is kept as soon as it is there: interrupted or killed, the next call asks for the rest. One
    movie without an answer does not stop the others, several in a row do.

    Args:
        client: who asks.
        ids: TMDB ids; repeats and "" are left out.
        store: where answers are kept.
        progress: told of every movie.

    Raises:
        TmdbKeyError: the key is refused.
        OfflineError: ``RECSYS_OFFLINE`` is set and a movie is not kept.
        DataError: an id is none, or an answer cannot be written.
    """
    wanted = [id_ for id_ in dict.fromkeys(ids) if id_]
    report = FetchReport(total=len(wanted))
    in_a_row = 0
    for id_ in wanted:
        in_a_row = in_a_row + 1 if _fetch(client, id_, store, report) else 0
        if progress is not None:
            progress(report.done, report.total)
        if in_a_row == FAILURES_IN_A_ROW:
            report.stopped = f"{in_a_row} movies in a row got no answer: {report.failed[id_]}"
            break
    return report


def _fetch(client: TmdbClient, id_: str, store: MovieStore, report: FetchReport) -> bool:
    """Settle one movie; whether TMDB is out of reach."""
    known = store.get(id_)
    if known is not None:
        if known.movie is None:
            report.not_found.append(id_)
        else:
            report.kept += 1
        return False
    try:
        store.put(id_, client.movie(id_))
        report.fetched += 1
    except TmdbNotFoundError:
        store.put(id_, None)
        report.not_found.append(id_)
    except (TmdbRefusedError, TmdbUnavailableError) as error:
        report.failed[id_] = error.what
        return isinstance(error, TmdbUnavailableError)
    return False


# Where a column of the table is not a field of the answer itself.
_INSIDE = {"cast": ("credits", "cast"), "crew": ("credits", "crew")}


def tmdb_facts(
    catalogue: Catalogue,
    movies: Iterable[Answer],
    ids: Crosswalk,
    *,
    table: ItemsTable | None = None,
    ratings: Counts | None = None,
) -> tuple[Catalogue, SourceReport]:
    """The same movies with what TMDB knows about them, and the account of it.

    Args:
        catalogue: the movies.
        movies: answers, such as those of ``MovieStore.movies``.
        ids: the movies' ids at TMDB.
        table: which facts, and how they are called; the preset "tmdb" unless given.
        ratings: (I,) number of ratings of each movie, for coverage by ratings.

    Raises:
        DataError: no answer is given.
    """
    table = table or presets()["tmdb"]
    return with_item_rows(catalogue, table, tmdb_rows(movies, table), ids=ids, ratings=ratings)


def tmdb_rows(movies: Iterable[Answer], table: ItemsTable) -> ItemRows:
    """One row a movie, of the columns that a table names; lists and objects as JSON."""
    every = list(movies)
    columns = {name: [cell_text(_at(movie, name)) for movie in every] for name in table.columns}
    return ItemRows("TMDB", columns)


def _at(movie: Answer, name: str) -> Any:
    if name == "certification":
        return _certificate(movie)
    value: Any = movie
    for step in _INSIDE.get(name, (name,)):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _certificate(movie: Answer, country: str = "US") -> str:
    """The first age rating that a movie was given in a country."""
    results = _at(movie, "release_dates")
    releases = results.get("results") if isinstance(results, dict) else None
    for release in releases if isinstance(releases, list) else ():
        if isinstance(release, dict) and release.get("iso_3166_1") == country:
            dates = release.get("release_dates") or ()
            found = [str(date["certification"]) for date in dates if date.get("certification")]
            return found[0] if found else ""
    return ""

"""Fetching many movies: what is kept is not asked for again, and a stop loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from recsys.data.tmdb.client import TmdbClient
from recsys.data.tmdb.errors import TmdbNotFoundError, TmdbRefusedError, TmdbUnavailableError
from recsys.data.tmdb.store import MovieStore

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

"""TMDB's answers as rows of a table of movies."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from recsys.data.catalogue import Catalogue
from recsys.data.coverage import Counts
from recsys.data.crosswalk import Crosswalk
from recsys.data.item_presets import PRESETS
from recsys.data.items_file import ItemRows
from recsys.data.items_spec import ItemsTable
from recsys.data.items_table import with_item_rows
from recsys.data.source_report import SourceReport
from recsys.data.tmdb.client import Answer

TABLE: ItemsTable = PRESETS["tmdb"]

# Where a column of the table is not a field of the answer itself.
_INSIDE = {"cast": ("credits", "cast"), "crew": ("credits", "crew")}


def tmdb_facts(
    catalogue: Catalogue,
    movies: Iterable[Answer],
    ids: Crosswalk,
    *,
    table: ItemsTable = TABLE,
    ratings: Counts | None = None,
) -> tuple[Catalogue, SourceReport]:
    """The same movies with what TMDB knows about them, and the account of it.

    Args:
        catalogue: the movies.
        movies: answers, such as those of ``MovieStore.movies``.
        ids: the movies' ids at TMDB.
        table: which facts, and how they are called.
        ratings: (I,) number of ratings of each movie, for coverage by ratings.

    Raises:
        DataError: no answer is given.
    """
    return with_item_rows(catalogue, table, tmdb_rows(movies, table), ids=ids, ratings=ratings)


def tmdb_rows(movies: Iterable[Answer], table: ItemsTable = TABLE) -> ItemRows:
    """One row a movie, of the columns that a table names; lists and objects as JSON."""
    columns: dict[str, list[str]] = {name: [] for name in table.columns}
    for movie in movies:
        for name, cells in columns.items():
            cells.append(
                _cell(_certificate(movie) if name == "certification" else _at(movie, name))
            )
    return ItemRows("TMDB", columns)


def _at(movie: Answer, name: str) -> Any:
    value: Any = movie
    for step in _INSIDE.get(name, (name,)):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


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

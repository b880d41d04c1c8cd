"""How the rows of a table of movies find the movies of a catalogue: by id, or by title and year.

Legend: I items, N rows of the table.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.crosswalk import Crosswalk, MovieIds
from recsys.data.items_spec import ItemKey
from recsys.data.matching import MatchReport, TitleList, match_titles
from recsys.data.rawtable import require_columns
from recsys.data.textfile import decode, read_bytes
from recsys.errors import ConfigError, DataError

_INTEGRAL = re.compile(r"(\d+)\.0+", re.ASCII)


@dataclass(frozen=True)
class Join:
    """Which row of a table is about which movie.

    Attributes:
        row: (I,) row of each movie, -1 for none; twins share a row.
        has_key: (I,) whether the movie can be found at all.
        used: how many rows are about a movie of the catalogue.
        empty: rows that name no movie.
        duplicates: rows that name a movie which a row above names, as text.
        unmatched: rows about other movies, as text.
        matching: how titles were matched, where they were.
    """

    row: NDArray[np.int64]
    has_key: NDArray[np.bool_]
    used: int
    empty: int
    duplicates: tuple[str, ...]
    unmatched: tuple[str, ...]
    matching: MatchReport | None = None


def item_keys(catalogue: Catalogue, key: ItemKey, ids: Crosswalk | None) -> tuple[str, ...]:
    """I keys of one kind, "" where a movie has none.

    Raises:
        DataError: the catalogue has no film ids.
        ConfigError: ids at IMDb or TMDB are asked for and no table of them is given.
    """
    if key == "item":
        return catalogue.items.ids
    if key == "film":
        return _film_ids(catalogue)
    if ids is None:
        raise ConfigError(
            f"a table whose key is {key!r} needs the movies' ids there",
            hint="give a crosswalk: ids.csv of the data set, or MovieLens' links.csv",
        )
    known = [ids.ids.get(item) for item in catalogue.items]
    return tuple((getattr(found, key) if found else "") for found in known)


def _film_ids(catalogue: Catalogue) -> tuple[str, ...]:
    if not catalogue.film_ids:
        raise DataError(
            "the movies of this catalogue have no film ids",
            hint="give the table's key as 'item', 'imdb', 'tmdb' or 'title', or add ids to the "
            "recipe",
        )
    return catalogue.film_ids


def join_by_key(catalogue_keys: Sequence[str], table_keys: Sequence[str], key: ItemKey) -> Join:
    """Match ids; where a table has an id twice, its first row counts."""
    wanted = [_normal(id_, key, ()) for id_ in catalogue_keys]
    known = set(wanted) - {""}
    first: dict[str, int] = {}
    empty, duplicates = 0, []
    for position, cell in enumerate(table_keys):
        id_ = _normal(cell, key, known)
        if not id_:
            empty += 1
        elif first.setdefault(id_, position) != position:
            duplicates.append(f"{id_!r} in row {position + 1}")
    unmatched = tuple(repr(id_) for id_ in first if id_ not in known)
    return Join(
        row=np.array([first.get(id_, -1) if id_ else -1 for id_ in wanted], dtype=np.int64),
        has_key=np.array([bool(id_) for id_ in wanted], dtype=bool),
        used=len(first) - len(unmatched),
        empty=empty,
        duplicates=tuple(duplicates),
        unmatched=unmatched,
    )


def _normal(text: str, key: ItemKey, known: set[str] | tuple[()]) -> str:
    """An id without what programs do to ids: decimals, lost zeros, a lost prefix."""
    text = text.strip()
    if text in known:
        return text
    if key == "item" and not known:
        return text
    integral = _INTEGRAL.fullmatch(text)
    text = integral[1] if integral else text
    digits = text.removeprefix("tt")
    return f"tt{digits.zfill(7)}" if key == "imdb" and digits.isdigit() else text


def join_by_title(catalogue: Catalogue, table: TitleList) -> Join:
    """Match titles and years."""
    report = match_titles(TitleList(catalogue.titles, catalogue.years.tolist()), table)
    row = np.full(len(catalogue), -1, dtype=np.int64)
    for pair in report.pairs:
        row[pair.left] = pair.right
    empty = [r for r in report.unmatched_right if not table.titles[r].strip()]
    others = [r for r in report.unmatched_right if table.titles[r].strip()]
    return Join(
        row=row,
        has_key=np.array([bool(title) for title in catalogue.titles], dtype=bool),
        used=len({pair.right for pair in report.pairs}),
        empty=len(empty),
        duplicates=(),
        unmatched=tuple(f"{table.titles[r]!r} ({table.years[r]})" for r in others),
        matching=report,
    )


def read_links(path: Path, catalogue: Catalogue) -> Crosswalk:
    """MovieLens' ``links.csv`` (movieId, imdbId, tmdbId), for the movies of a catalogue.

    Its movieId is the film id, never the item id: MovieLens-100K numbers its movies otherwise.

    Raises:
        DataError: a column is missing, or the catalogue has no film ids.
    """
    reader = csv.DictReader(io.StringIO(decode(path, read_bytes(path), "utf-8").decode()))
    require_columns(path, list(reader.fieldnames or ()), ["movieId", "imdbId", "tmdbId"])
    films = {
        row["movieId"]: MovieIds(row["movieId"], _normal(row["imdbId"], "imdb", ()), row["tmdbId"])
        for row in reader
    }
    pairs = zip(catalogue.items, _film_ids(catalogue), strict=True)
    return Crosswalk({item: films[film] for item, film in pairs if film in films})

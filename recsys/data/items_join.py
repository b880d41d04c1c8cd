"""The rows of a table of movies, and how they find the movies of a catalogue: by id or title.

Legend: I items, N rows of the table that can be used.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.facts import Crosswalk, MovieIds
from recsys.data.items_spec import ItemKey
from recsys.data.matching import MatchReport, TitleList, match_titles
from recsys.data.rawtable import Encoding, decode, parquet_table, read_bytes, require_columns
from recsys.errors import ConfigError, DataError


@dataclass(frozen=True)
class ItemRows:
    """Rows about movies, column by column.

    Attributes:
        source: where they come from, for messages.
        columns: name to N cells; "" where a cell is empty.
        malformed: what is wrong with each row that cannot be used.

    Raises:
        DataError: columns differ in length.
    """

    source: str
    columns: Mapping[str, Sequence[str]]
    malformed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({len(cells) for cells in self.columns.values()}) > 1:
            raise DataError(f"{self.source}: its columns differ in length")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def read_items_file(path: Path, wanted: Sequence[str], encoding: Encoding = "utf-8") -> ItemRows:
    """The wanted columns of a ``.csv``, ``.tsv`` or ``.parquet`` file.

    Raises:
        DataError: the file cannot be read, is empty, or lacks a column; the error names the nearest
            one that is there.
    """
    distinct = list(dict.fromkeys(wanted))
    if path.suffix != ".parquet":
        return _read_csv(path, distinct, encoding)
    table = parquet_table(path, distinct)
    columns = {name: [cell_text(value) for value in table[name].to_pylist()] for name in distinct}
    return ItemRows(str(path), columns)


def cell_text(value: Any) -> str:
    """A value as the text of a cell; lists and objects as JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a column of ids that lacks one of them is a column of floats
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _read_csv(path: Path, wanted: list[str], encoding: Encoding) -> ItemRows:
    text = decode(path, read_bytes(path), encoding).decode()
    delimiter = "\t" if path.suffix == ".tsv" else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    malformed: list[str] = []
    try:
        header = [name.strip() for name in next(reader)]
        require_columns(path, header, wanted)
        for name in wanted:
            if header.count(name) > 1:
                raise DataError(f"{path}: {header.count(name)} columns are called {name!r}")
        for row in reader:
            if len(row) == len(header):
                rows.append(row)
            elif row:
                fault = f"{len(row)} fields, not {len(header)}: {','.join(row)[:80]!r}"
                malformed.append(f"line {reader.line_num}: {fault}")
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error
    if not rows:
        raise DataError(f"{path} has no row of {len(header)} fields", rows=malformed)
    at = {name: header.index(name) for name in wanted}
    columns = {name: [row[position] for row in rows] for name, position in at.items()}
    return ItemRows(str(path), columns, tuple(malformed))


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

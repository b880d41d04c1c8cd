"""From the rows of a table of movies to values of a catalogue.

Legend: I items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.item_fields import FieldSpec, parse_cell
from recsys.data.item_keys import Join
from recsys.data.items_file import ItemRows
from recsys.data.items_spec import ItemsTable
from recsys.data.matching import TitleList
from recsys.data.movies import title_and_year

Values = Sequence[tuple[str, ...]]
"""I tuples of the values of one fact."""


@dataclass(frozen=True)
class Column:
    """The values of a field, and what its cells were.

    Attributes:
        values: of each movie.
        filled: used rows with a value.
        unreadable: used rows whose cell is not what it should be, described.
    """

    values: Values
    filled: int
    unreadable: tuple[str, ...]

    @classmethod
    def read(cls, rows: ItemRows, spec: FieldSpec, join: Join) -> Column:
        """Read the cells of the rows that are about movies of the catalogue, each once."""
        cells = rows.columns[spec.column]
        parsed: dict[int, tuple[str, ...]] = {-1: ()}
        bad: list[str] = []
        for row in dict.fromkeys(join.row[join.row >= 0].tolist()):
            try:
                parsed[row] = parse_cell(cells[row], spec)
            except ValueError as error:
                parsed[row] = ()
                bad.append(f"row {row + 1}: {error}: {cells[row][:80]!r}")
        values = tuple(parsed[row] for row in join.row.tolist())
        return cls(values, sum(map(bool, parsed.values())), tuple(bad))


def table_titles(table: ItemsTable, rows: ItemRows) -> TitleList:
    """The titles and years of all rows."""
    blank = [""] * len(rows)
    titles = rows.columns[table.title] if table.title else blank
    years = rows.columns[table.year] if table.year else blank
    split = [title_and_year(*pair) for pair in zip(titles, years, strict=True)]
    columns = [rows.columns[name] for name in table.other_titles if name in rows.columns]
    others = list(zip(*columns, strict=True))
    return TitleList([title for title, _ in split], [year for _, year in split], others)


def merged(
    catalogue: Catalogue, name: str, new: Values, existing: Literal["replace", "fill"]
) -> Values:
    """The values of a fact that the catalogue may have already."""
    if existing == "replace" or name not in catalogue.facts:
        return new
    return tuple(old or add for old, add in zip(catalogue.facts[name], new, strict=True))


def with_titles(catalogue: Catalogue, table: ItemsTable, rows: ItemRows, join: Join) -> Catalogue:
    """Titles and years for the movies that have none."""
    if table.title is None and table.year is None:
        return catalogue
    found = table_titles(table, rows)
    titles, years = list(catalogue.titles), catalogue.years.copy()
    for item, row in enumerate(join.row.tolist()):
        if row >= 0 and not titles[item]:
            titles[item] = found.titles[row]
        if row >= 0 and years[item] == UNKNOWN_YEAR:
            years[item] = found.years[row]
    return replace(catalogue, titles=tuple(titles), years=years)


def with_genres(catalogue: Catalogue, values: Values) -> Catalogue:
    """The same movies with genre labels."""
    names = sorted({name for found in values for name in found})
    genres = np.array([[name in found for name in names] for found in values], dtype=bool)
    return replace(
        catalogue, genre_names=tuple(names), genres=genres.reshape(len(catalogue), len(names))
    )

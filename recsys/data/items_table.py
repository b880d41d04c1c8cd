"""Facts about movies from a table of one's own, or from a published one: the same mechanism.

Legend: I items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.coverage import Counts, FieldReport, SourceReport, covered, fact_coverage
from recsys.data.facts import Crosswalk
from recsys.data.items_join import (
    ItemRows,
    Join,
    item_keys,
    join_by_key,
    join_by_title,
    read_items_file,
)
from recsys.data.items_spec import FieldSpec, ItemsTable, parse_cell
from recsys.data.matching import TitleList
from recsys.data.movies import genre_labels, title_and_year
from recsys.errors import DataError, nearest

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


TELLING = 0.5
"""A text that names its movie's genre this often is a label in other words."""


def genre_naming(catalogue: Catalogue, name: str) -> float:
    """Of the movies with a text and genres, the share whose text names one of these genres."""
    labels = [label.casefold().removesuffix("'s") for label in catalogue.genre_names]
    texts = (" ".join(values).casefold() for values in catalogue.facts[name])
    found = [
        any(label in text for label, has in zip(labels, genres, strict=True) if has)
        for text, genres in zip(texts, catalogue.genres.tolist(), strict=True)
        if text and any(genres)
    ]
    return sum(found) / len(found) if found else 0.0


def with_items_table(
    catalogue: Catalogue,
    table: ItemsTable,
    *,
    ids: Crosswalk | None = None,
    ratings: Counts | None = None,
) -> tuple[Catalogue, SourceReport]:
    """The same movies with the facts of a table, and the account of it.

    Args:
        catalogue: the movies.
        table: where the facts are.
        ids: the movies' ids elsewhere, for the keys "imdb" and "tmdb"; ``Crosswalk.read`` or
            ``read_links`` gives them.
        ratings: (I,) number of ratings of each movie, for coverage by ratings.

    Raises:
        DataError: the file cannot be read or lacks a column, or the catalogue has no ids of the
            table's kind.
        ConfigError: the table's key needs ``ids``.
    """
    rows = read_items_file(table.file, table.columns, table.encoding)
    return with_item_rows(catalogue, table, rows, ids=ids, ratings=ratings)


def with_item_rows(
    catalogue: Catalogue,
    table: ItemsTable,
    rows: ItemRows,
    *,
    ids: Crosswalk | None = None,
    ratings: Counts | None = None,
) -> tuple[Catalogue, SourceReport]:
    """As ``with_items_table``, from rows that have been read; ``table.path`` is not used."""
    if table.key == "title":
        join = join_by_title(catalogue, table_titles(table, rows))
    else:
        keys = rows.columns[str(table.id_column)]
        join = join_by_key(item_keys(catalogue, table.key, ids), keys, table.key)
    read = {name: Column.read(rows, spec, join) for name, spec in table.loaded.items()}
    facts = {name: column.values for name, column in read.items()}
    if table.existing == "fill":
        for name in facts.keys() & catalogue.facts.keys():
            pairs = zip(catalogue.facts[name], facts[name], strict=True)
            facts[name] = tuple(old or new for old, new in pairs)
    known = replace(catalogue, facts={**catalogue.facts, **facts})
    known = with_titles(known, table, rows, join)
    if table.genres is not None and not catalogue.genre_names:
        names, genres = genre_labels(Column.read(rows, table.genres, join).values)
        known = replace(known, genre_names=names, genres=genres)
    texts = [name for name, spec in table.loaded.items() if spec.kind == "text"]
    replaced = [name for name in read if name in catalogue.facts and table.existing == "replace"]
    return known, SourceReport(
        source=rows.source,
        key=table.key,
        rows=len(rows),
        used=join.used,
        unmatched=len(join.unmatched),
        unmatched_ids=join.unmatched[:5],
        duplicates=len(join.duplicates),
        duplicate_ids=join.duplicates[:5],
        empty_keys=join.empty,
        malformed=len(rows.malformed),
        malformed_rows=rows.malformed[:5],
        keyed=covered("key", join.has_key, ratings),
        matched=covered("row", join.row >= 0, ratings),
        fields=tuple(
            FieldReport(
                field=name,
                column=table.loaded[name].column,
                kind=table.loaded[name].kind,
                filled=column.filled,
                empty=join.used - column.filled - len(column.unreadable),
                unreadable=len(column.unreadable),
                examples=column.unreadable[:5],
                coverage=fact_coverage(known, [name], ratings),
            )
            for name, column in read.items()
        ),
        any_text=fact_coverage(known, texts, ratings) if texts else None,
        replaced=tuple(replaced),
        left_out=table.left_out,
        warnings=(*_warnings(catalogue, table, join), *_telling(known, texts)),
        matching=join.matching,
    )


def numeric_fact(catalogue: Catalogue, name: str) -> NDArray[np.float32]:
    """(I,) the numbers of a fact, NaN where a movie has none.

    Raises:
        DataError: there is no such fact, or its values are not numbers.
    """
    if name not in catalogue.facts:
        close = nearest(name, catalogue.facts) or list(catalogue.facts)
        raise DataError(f"the catalogue has no fact {name!r}", hint=f"it has {', '.join(close)}")
    try:
        return np.array([v[0] if v else np.nan for v in catalogue.facts[name]], dtype=np.float32)
    except ValueError as error:
        raise DataError(f"fact {name!r} does not hold numbers: {error}") from error


def _warnings(catalogue: Catalogue, table: ItemsTable, join: Join) -> list[str]:
    warnings = []
    if table.leakage_prone and table.known_later:
        warnings.append(
            f"{', '.join(table.known_later)}: leakage-prone, known only after the movies were "
            "rated; results with them are not comparable to results without"
        )
    if table.genres is not None and catalogue.genre_names:
        warnings.append(f"column {table.genres.column!r}: the catalogue keeps its own genres")
    if not join.used:
        warnings.append(f"no row is about a movie of the catalogue: is {table.key!r} its key?")
    return warnings


def _telling(catalogue: Catalogue, texts: Sequence[str]) -> list[str]:
    shares = {name: genre_naming(catalogue, name) for name in texts}
    return [
        f"{name}: {share:.0%} of these texts name a genre of their movie: not for the text that "
        "the genre task reads"
        for name, share in shares.items()
        if share > TELLING
    ]

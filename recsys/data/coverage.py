"""How much of a catalogue has something, and the account of a source of facts.

Coverage is rarely random: the movies that have a trailer are the popular ones, so that the share
of the ratings is the larger of the two.

Legend: I items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.items_spec import FieldKind
from recsys.data.matching import MatchReport

Counts = NDArray[np.integer[Any]]
"""(I,) ratings of each movie."""


@dataclass(frozen=True)
class Coverage:
    """How many movies have something.

    Attributes:
        name: of what they have.
        present: how many.
        movies: I.
        by_movies: their share.
        by_ratings: the share of the ratings that are of such a movie; None without ratings.
    """

    name: str
    present: int
    movies: int
    by_movies: float
    by_ratings: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def covered(name: str, present: Iterable[bool], ratings: Counts | None = None) -> Coverage:
    """The coverage of anything.

    Args:
        name: of what the movies have.
        present: (I,) which of them have it.
        ratings: (I,) number of ratings of each movie.
    """
    mask = np.fromiter(present, dtype=bool)
    return Coverage(
        name=name,
        present=int(mask.sum()),
        movies=len(mask),
        by_movies=float(mask.mean()) if len(mask) else 0.0,
        by_ratings=share_of_ratings(mask, ratings),
    )


def share_of_ratings(present: NDArray[np.bool_], ratings: Counts | None) -> float | None:
    """Share of the ratings that are of a present movie; None without ratings.

    Args:
        present: (I,) mask.
        ratings: (I,) number of ratings of each movie.
    """
    if ratings is None or not ratings.sum():
        return None
    return float(ratings[present].sum() / ratings.sum())


def fact_coverage(
    catalogue: Catalogue, fields: Iterable[str], ratings: Counts | None = None
) -> Coverage:
    """The movies that have a value of at least one of some facts."""
    names = list(fields)
    columns = [catalogue.facts[name] for name in names if name in catalogue.facts]
    present = (any(column[row] for column in columns) for row in range(len(catalogue)))
    return covered(" or ".join(names), present, ratings)


@dataclass(frozen=True)
class FieldReport:
    """What one field gave.

    Attributes:
        field: the fact.
        column: where it stands.
        kind: what it holds.
        filled: used rows with a value; with the next two, all used rows.
        empty: used rows without.
        unreadable: used rows whose cell is not what it should be, treated as empty.
        examples: the first five of those.
        coverage: movies that have the fact afterwards.
    """

    field: str
    column: str
    kind: FieldKind
    filled: int
    empty: int
    unreadable: int
    examples: tuple[str, ...]
    coverage: Coverage


@dataclass(frozen=True)
class SourceReport:
    """What became of the rows of a table of movies.

    Attributes:
        source: the file.
        key: what its rows are found by.
        rows: well-formed ones; ``used``, ``unmatched``, ``duplicates`` and ``empty_keys`` add up to
            them.
        used: rows about movies of the catalogue.
        unmatched: rows about other movies.
        unmatched_ids: the first five of those.
        duplicates: rows whose movie a row above names: not used.
        duplicate_ids: the first five of those.
        empty_keys: rows that name no movie.
        malformed: rows that cannot be split into fields.
        malformed_rows: the first five of those.
        keyed: movies that could be looked for.
        matched: movies that were found.
        fields: one a fact, in the order of the table's specification.
        any_text: movies with at least one of the textual facts; None if there are none.
        replaced: facts that the catalogue had from another source.
        left_out: leakage-prone fields, which were not asked for.
        warnings: what a reader of results must know.
        matching: how titles were matched, where they were.
    """

    source: str
    key: str
    rows: int
    used: int
    unmatched: int
    unmatched_ids: tuple[str, ...]
    duplicates: int
    duplicate_ids: tuple[str, ...]
    empty_keys: int
    malformed: int
    malformed_rows: tuple[str, ...]
    keyed: Coverage
    matched: Coverage
    fields: tuple[FieldReport, ...]
    any_text: Coverage | None
    replaced: tuple[str, ...]
    left_out: tuple[str, ...]
    warnings: tuple[str, ...]
    matching: MatchReport | None = None

    def coverage(self, field: str) -> Coverage:
        """The coverage of one field."""
        return {report.field: report.coverage for report in self.fields}[field]

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values; of the matching only its counts."""
        matching = self.matching.counts if self.matching else None
        return asdict(replace(self, matching=None)) | {"matching": matching}

"""The same films in two lists that share no ids, by title and year.

It never guesses: films are matched when each is the only candidate of the other, and what was
ambiguous is reported as such.

Legend: L and R, rows of the left and of the right list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.titles import match_keys
from recsys.errors import DataError


@dataclass(frozen=True)
class TitleList:
    """Films by title and year.

    Attributes:
        titles: one a row.
        years: of release, ``UNKNOWN_YEAR`` where unknown.
        others: other titles of each row, such as the original one; () when there are none.

    Raises:
        DataError: they differ in length.
    """

    titles: Sequence[str]
    years: Sequence[int]
    others: Sequence[Sequence[str]] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.titles), len(self.years), len(self.others or self.titles)}
        if len(lengths) > 1:
            raise DataError(f"titles, years and other titles differ in length: {sorted(lengths)}")


YEAR_GAP = 2
"""Greatest difference of the years of one film: sources disagree on festivals."""


class TitlePair(NamedTuple):
    """Rows of one film, and what they agree in."""

    left: int
    right: int
    method: str


class Ambiguity(NamedTuple):
    """A row on the left that may be any of several on the right, or one that others may be too."""

    left: int
    candidates: tuple[int, ...]


@dataclass(frozen=True)
class MatchReport:
    """What was matched and what was not. Each row on the left is in exactly one of the three.

    Attributes:
        pairs: sorted by the row on the left. A row on the right occurs once, unless the left list
            has the same title and year twice.
        unmatched_left: rows without a candidate.
        ambiguous: rows with too many.
        unmatched_right: rows in no pair.
    """

    pairs: tuple[TitlePair, ...]
    unmatched_left: tuple[int, ...]
    ambiguous: tuple[Ambiguity, ...]
    unmatched_right: tuple[int, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Pairs by method, and the rows on the left that have none."""
        methods = Counter(pair.method for pair in self.pairs)
        rest = {"ambiguous": len(self.ambiguous), "unmatched": len(self.unmatched_left)}
        return {**methods, **rest}


def match_titles(left: TitleList, right: TitleList) -> MatchReport:
    """Match two lists: by title and year first, then by year ± 1, then ± 2.

    At each distance titles alone are compared before alternative titles. A film that was matched or
    found ambiguous is no candidate any more. The result does not depend on the order of the rows.

    Args:
        left: a title and year that it has twice is one film listed twice.
        right: such a title is two films, and hence ambiguous.
    """
    state = _Matching(_entries(left, twins=True), _entries(right, twins=False))
    for gap in range(YEAR_GAP + 1):
        year = f"year ± {gap}" if gap else "year"
        state.stage(f"title, {year}", "main", gap)
        state.stage(f"alternative title, {year}", "every", gap)
    return state.report(len(left.titles), len(right.titles))


class _Entry(NamedTuple):
    """One film of a list: its rows and what it is known by."""

    rows: tuple[int, ...]
    year: int
    main: frozenset[str]
    every: frozenset[str]


def _entries(titles: TitleList, *, twins: bool) -> list[_Entry]:
    films: dict[tuple[object, ...], _Entry] = {}
    others = titles.others or [()] * len(titles.titles)
    every_row = enumerate(zip(titles.titles, titles.years, others, strict=True))
    for row, (title, year, also) in every_row:
        main, keys = match_keys(title)
        every = keys.union(*(match_keys(name)[1] for name in also))
        film = (main, every, int(year)) if twins else (row,)
        known = films[film].rows if film in films else ()
        if every:
            films[film] = _Entry((*known, row), int(year), frozenset({main} - {""}), every)
    return list(films.values())


@dataclass
class _Matching:
    """Films that are still open, and what was decided."""

    left: list[_Entry]
    right: list[_Entry]
    pairs: list[TitlePair] = field(default_factory=list)
    ambiguous: list[Ambiguity] = field(default_factory=list)
    closed: set[int] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)

    def stage(self, method: str, which: str, gap: int) -> None:
        """Match films whose keys meet and whose years differ by so many."""
        index: dict[tuple[str, int], list[int]] = {}
        for number, entry in enumerate(self.right):
            for key in getattr(entry, which) if number not in self.taken else ():
                index.setdefault((key, entry.year), []).append(number)
        found: dict[int, set[int]] = {}
        for number, entry in enumerate(self.left):
            if number not in self.closed and entry.year != UNKNOWN_YEAR:
                years = {entry.year + gap, entry.year - gap}
                places = [(key, year) for key in getattr(entry, which) for year in years]
                found[number] = {other for place in places for other in index.get(place, ())}
        self._decide(method, found)

    def _decide(self, method: str, found: Mapping[int, set[int]]) -> None:
        wanted = Counter(other for others in found.values() for other in others)
        for number, others in found.items():
            rows = [self.right[other].rows[0] for other in sorted(others)]
            sure = len(others) == 1 and all(wanted[other] == 1 for other in others)
            for row in self.left[number].rows if others else ():
                if sure:
                    self.pairs.append(TitlePair(row, rows[0], method))
                else:
                    self.ambiguous.append(Ambiguity(row, tuple(rows)))
        self.closed.update(number for number, others in found.items() if others)
        self.taken.update(wanted)

    def report(self, n_left: int, n_right: int) -> MatchReport:
        """What was decided."""
        decided = {p.left for p in self.pairs} | {a.left for a in self.ambiguous}
        matched = {pair.right for pair in self.pairs}
        return MatchReport(
            pairs=tuple(sorted(self.pairs)),
            unmatched_left=tuple(row for row in range(n_left) if row not in decided),
            ambiguous=tuple(sorted(self.ambiguous)),
            unmatched_right=tuple(row for row in range(n_right) if row not in matched),
        )

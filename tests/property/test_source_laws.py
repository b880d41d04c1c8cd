from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from laws import examples

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.items_join import ItemRows
from recsys.data.items_spec import FieldSpec, ItemsTable, number_text, parse_cell
from recsys.data.items_table import with_item_rows
from recsys.data.matching import YEAR_GAP, TitleList, match_titles
from recsys.data.movies import Movie, build_catalogue
from recsys.data.titles import match_keys
from recsys.data.tmdb.client import Clock, TokenBucket, backoff, retry_after
from recsys.data.tmdb.store import MovieStore

TITLES = st.sampled_from(
    ["Emma", "Heat", "The Heat", "Heat, The", "Ran (Chaos)", "Chaos", "Иван", "", "8½"]
)
YEARS = st.sampled_from([1995, 1996, 1997, 1999, UNKNOWN_YEAR])
FILMS = st.lists(st.tuples(TITLES, YEARS), max_size=8)


def _titles(films: list[tuple[str, int]]) -> TitleList:
    return TitleList([title for title, _ in films], [year for _, year in films])


@given(FILMS, FILMS)
def test_every_row_has_one_fate(left: list[tuple[str, int]], right: list[tuple[str, int]]) -> None:
    report = match_titles(_titles(left), _titles(right))
    fates = [pair.left for pair in report.pairs] + [found.left for found in report.ambiguous]
    assert sorted([*fates, *report.unmatched_left]) == list(range(len(left)))
    matched = {pair.right for pair in report.pairs}
    assert sorted([*matched, *report.unmatched_right]) == list(range(len(right)))
    for pair in report.pairs:
        years = left[pair.left][1], right[pair.right][1]
        assert UNKNOWN_YEAR not in years
        assert abs(years[0] - years[1]) <= YEAR_GAP
    for pair in report.pairs:  # only a film that is listed twice has a match in common
        others = [left[other.left] for other in report.pairs if other.right == pair.right]
        assert len({(match_keys(title), year) for title, year in others}) == 1


@given(FILMS, FILMS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    left: list[tuple[str, int]],
    right: list[tuple[str, int]],
    chance: random.Random,
) -> None:
    there, here = list(range(len(left))), list(range(len(right)))
    chance.shuffle(there)
    chance.shuffle(here)
    straight = match_titles(_titles(left), _titles(right))
    moved = match_titles(
        _titles([left[row] for row in there]), _titles([right[row] for row in here])
    )
    back = {(there[pair.left], here[pair.right], pair.method) for pair in moved.pairs}
    assert back == {(pair.left, pair.right, pair.method) for pair in straight.pairs}
    assert {there[found.left] for found in moved.ambiguous} == {
        found.left for found in straight.ambiguous
    }


@given(st.sets(st.tuples(st.integers(0, 999), st.integers(1900, 2030)), max_size=20))
def test_a_list_of_distinct_films_matches_itself(films: set[tuple[int, int]]) -> None:
    titles = _titles([(f"Film number {number}", year) for number, year in sorted(films)])
    report = match_titles(titles, titles)
    assert [(pair.left, pair.right) for pair in report.pairs] == [(n, n) for n in range(len(films))]


CELLS = st.text("ab|1.0 \"'[{", max_size=6)
ROWS = st.lists(st.tuples(st.text("123x. ", max_size=3), CELLS, CELLS), max_size=12)


@given(ROWS)
def test_the_counts_of_a_table_add_up(rows: list[tuple[str, str, str]]) -> None:
    catalogue = build_catalogue([Movie(str(n)) for n in (1, 2, 3, 12)], (), "toy")
    fields = {"x": FieldSpec(column="x", separator="|"), "n": FieldSpec(column="n", kind="number")}
    table = ItemsTable(path=Path("own.csv"), fields=fields, id_column="id")
    columns = dict(zip(("id", "x", "n"), map(list, zip(*rows, strict=True)), strict=False))
    columns = columns or {"id": [], "x": [], "n": []}
    known, report = with_item_rows(catalogue, table, ItemRows("own.csv", columns))
    total = report.used + report.unmatched + report.duplicates + report.empty_keys
    assert total == report.rows == len(rows)
    for field in report.fields:
        assert field.filled + field.empty + field.unreadable == report.used
        assert field.coverage.present == field.filled  # no twins here
        for values in known.facts[field.field]:
            assert all(value and value == value.strip() for value in values)
            assert len(set(values)) == len(values)


@given(st.text(max_size=40))
def test_any_cell_is_read_or_refused(cell: str) -> None:
    specs = [
        FieldSpec(column="x", kind=kind, names=names)
        for kind in ("token", "text", "number")
        for names in (0, 1)
    ]
    for spec in specs:
        try:
            values = parse_cell(cell, spec)
        except ValueError:
            continue
        assert all(isinstance(value, str) and value for value in values)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(number: float) -> None:
    text = number_text(repr(number))
    assert float(text) == number
    assert number_text(text) == text


@given(st.floats(0.5, 50), st.integers(1, 10), st.lists(st.floats(0, 2), min_size=1, max_size=40))
def test_no_window_of_time_holds_more_requests_than_it_may(
    rate: float, burst: int, pauses: list[float]
) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    bucket = TokenBucket(rate, burst, Clock(now=lambda: now[0], sleep=sleep))
    moments = []
    for pause in pauses:
        now[0] += pause
        bucket.take()
        moments.append(now[0])
    for first in range(len(moments)):
        for last in range(first, len(moments)):
            allowed = burst + rate * (moments[last] - moments[first])
            assert last - first + 1 <= allowed + 1e-6


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_it_may_be(attempt: int, chance: float) -> None:
    assert 0.25 <= backoff(attempt, 0.5, 60.0, chance) <= 60.0


@given(st.text())
def test_no_header_breaks_the_reader(header: str) -> None:
    wait = retry_after(header, 0.0)
    assert wait is None or wait >= 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@examples(30)
@given(st.none() | st.dictionaries(st.text(), JSON), st.data())
def test_what_is_kept_comes_back_whole_or_not_at_all(
    movie: dict[str, object] | None, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = MovieStore(Path(folder), "question", lambda: 1_000.0)
        store.put("1", movie)
        found = store.get("1")
        assert found is not None
        assert found.movie == movie
        path = Path(folder) / "1.json"
        content = path.read_bytes()
        at = data.draw(st.integers(0, len(content) - 1))
        path.write_bytes(content[:at])
        assert store.get("1") is None
        flipped = bytes([content[at] ^ data.draw(st.integers(1, 255))])
        path.write_bytes(content[:at] + flipped + content[at + 1 :])
        damaged = store.get("1")
        assert damaged is None or damaged.movie == movie

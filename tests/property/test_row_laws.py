from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from recsys.data.bad_rows import validate
from recsys.data.interactions import RatingScale
from recsys.data.rawtable import Layout, read_delimited

GOOD_IDS = st.text("abc019é \"'", min_size=1, max_size=3).filter(str.strip)
GOOD_RATINGS = st.sampled_from(["1", "2.5", "5", "5.0", "1e0"])
GOOD_TIMES = st.integers(0, 10**10).map(str)
BAD_FIELDS = st.sampled_from(["", "x", "nan", "-1", "1e99", "六"])


def _line(user: str, item: str, rating: str, time: str) -> str:
    return "\t".join((user, item, rating, time))


GOOD_LINES = st.builds(_line, GOOD_IDS, GOOD_IDS, GOOD_RATINGS, GOOD_TIMES)
BAD_LINES = st.one_of(
    st.builds(_line, st.just(""), GOOD_IDS, GOOD_RATINGS, GOOD_TIMES),
    st.builds(_line, GOOD_IDS, GOOD_IDS, BAD_FIELDS, GOOD_TIMES),
    st.builds(_line, GOOD_IDS, GOOD_IDS, GOOD_RATINGS, BAD_FIELDS.filter(lambda f: f != "1e99")),
    st.lists(st.sampled_from(["a", "1", "x"]), min_size=1, max_size=3).map("\t".join),
    st.lists(st.just("1"), min_size=5, max_size=7).map("\t".join),
)


@given(st.lists(st.tuples(st.booleans(), st.one_of(GOOD_LINES, BAD_LINES)), min_size=1))
def test_nothing_is_lost_and_good_rows_keep_their_order(lines: list[tuple[bool, str]]) -> None:
    text = "".join("\n" * blank + line + "\n" for blank, line in lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "u.data"
        path.write_text(text, encoding="utf-8", newline="")
        raw = read_delimited(path, Layout("\t", columns=("user", "item", "rating", "time")))
        frame, report = validate(raw, RatingScale(), "quarantine")
    expected, seen = [], set()
    for _, line in lines:
        fields = line.split("\t")
        if _is_good(fields) and tuple(fields[:2]) not in seen:
            seen.add(tuple(fields[:2]))
            expected.append((*fields[:2], float(fields[2]), int(fields[3])))
    assert list(frame.itertuples(index=False, name=None)) == expected
    assert report.total == len(lines) == report.good + len(report.bad)
    assert report.good == len(expected)
    at = text.split("\n")
    assert all(at[row.line - 1] == row.text for row in report.bad)
    assert sum(report.counts.values()) == len(report.bad)


def _is_good(fields: list[str]) -> bool:
    """The same question asked one row at a time."""
    if len(fields) != 4 or not (fields[0].strip() and fields[1].strip()):
        return False
    try:
        return 1 <= float(fields[2]) <= 5 and 0 <= int(fields[3]) <= 253402300799
    except ValueError:
        return False

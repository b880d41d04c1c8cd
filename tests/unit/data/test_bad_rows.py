from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from recsys.data.bad_rows import BadRow, Reason, RowReport, validate
from recsys.data.interactions import RatingScale
from recsys.data.rawtable import Layout, read_delimited
from recsys.errors import ConfigError, DataError

Write = Callable[[str, str | bytes], Path]
COLUMNS = ("user", "item", "rating", "time")
GOOD = "1\t10\t4\t881250949"

MATRIX = {
    "1\t11\t4": Reason.FIELD_COUNT,
    "1\t11\t4\t5\t6": Reason.FIELD_COUNT,
    "garbage": Reason.FIELD_COUNT,
    "\t11\t4\t5": Reason.EMPTY_ID,
    "1\t \t4\t5": Reason.EMPTY_ID,
    "\t\t\t": Reason.EMPTY_ID,
    "1\t11\tgood\t5": Reason.RATING_NOT_A_NUMBER,
    "1\t11\t\t5": Reason.RATING_NOT_A_NUMBER,
    "1\t11\tNA\t5": Reason.RATING_NOT_A_NUMBER,
    "1\t11\t4,5\t5": Reason.RATING_NOT_A_NUMBER,
    "1\t11\t1_0\t5": Reason.RATING_NOT_A_NUMBER,
    "1\t11\tnan\t5": Reason.RATING_NOT_FINITE,
    "1\t11\tNaN\t5": Reason.RATING_NOT_FINITE,
    "1\t11\t-inf\t5": Reason.RATING_NOT_FINITE,
    "1\t11\tInfinity\t5": Reason.RATING_NOT_FINITE,
    "1\t11\t0\t5": Reason.RATING_OFF_SCALE,
    "1\t11\t5.01\t5": Reason.RATING_OFF_SCALE,
    "1\t11\t-3\t5": Reason.RATING_OFF_SCALE,
    "1\t11\t4\tyesterday": Reason.TIME_NOT_A_NUMBER,
    "1\t11\t4\t": Reason.TIME_NOT_A_NUMBER,
    "1\t11\t4\tnan": Reason.TIME_NOT_A_NUMBER,
    "1\t11\t4\t0x10": Reason.TIME_NOT_A_NUMBER,
    "1\t11\t4\t-1": Reason.TIME_OUT_OF_RANGE,
    "1\t11\t4\t881250949000": Reason.TIME_OUT_OF_RANGE,
    "1\t11\t4\tinf": Reason.TIME_OUT_OF_RANGE,
    "1\t10\t2\t5": Reason.DUPLICATE,
}


def _validate(path: Path, on_bad_row: str = "quarantine") -> tuple[pd.DataFrame, RowReport]:
    raw = read_delimited(path, Layout("\t", columns=COLUMNS))
    return validate(raw, RatingScale(), on_bad_row)  # type: ignore[arg-type]


@pytest.mark.parametrize(("row", "reason"), MATRIX.items())
def test_each_fault_has_its_reason_and_is_refused_or_set_aside(
    write: Write, row: str, reason: Reason
) -> None:
    path = write("u.data", f"{GOOD}\n{row}\n2\t10\t5\t7\n")
    with pytest.raises(DataError) as refused:
        _validate(path, "error")
    assert refused.value.count == 1
    assert all(part in str(refused.value) for part in (str(path), "line 2", str(reason)))

    frame, report = _validate(path)
    assert report.bad == (BadRow(2, reason, row),)
    assert (report.total, report.good) == (3, 2)
    assert frame["user"].tolist() == ["1", "2"]
    assert frame["rating"].tolist() == [4, 5]
    assert frame["time"].tolist() == [881250949, 7]


def test_all_faults_together_are_counted_by_reason(write: Write) -> None:
    path = write("u.data", "\n".join([GOOD, *MATRIX]))
    frame, report = _validate(path)
    assert [row.text for row in report.bad] == list(MATRIX)
    assert [row.line for row in report.bad] == list(range(2, 2 + len(MATRIX)))
    assert report.counts == {str(r): list(MATRIX.values()).count(r) for r in Reason}
    assert len(frame) == 1


def test_an_error_shows_the_first_five_rows_and_the_count(write: Write) -> None:
    path = write("u.data", "\n".join([GOOD, *(f"1\t{i}\tx\t5" for i in range(7))]))
    with pytest.raises(DataError) as refused:
        _validate(path, "error")
    assert refused.value.count == 7
    message = str(refused.value)
    assert "line 6" in message
    assert "line 7" not in message
    assert "7 of 8 rows" in message
    assert "quarantine" in message


def test_a_bad_row_does_not_make_a_later_good_one_a_duplicate(write: Write) -> None:
    frame, report = _validate(write("u.data", "1\t10\t9\t5\n1\t10\t3\t5\n1\t10\t4\t5\n"))
    assert frame["rating"].tolist() == [3]
    assert [row.reason for row in report.bad] == [Reason.RATING_OFF_SCALE, Reason.DUPLICATE]


def test_blank_lines_are_not_rows_but_count_as_lines(write: Write) -> None:
    frame, report = _validate(write("u.data", f"\n{GOOD}\n   \n1\t11\tx\t5\n\n\n"))
    assert (report.total, len(frame)) == (2, 1)
    assert report.bad[0].line == 4


def test_numbers_may_be_written_in_any_usual_way(write: Write) -> None:
    text = "1\t1\t4.0\t881250949.0\n1\t2\t+3\t8.8e8\n1\t3\t 2 \t7.9\n"
    frame, _ = _validate(write("u.data", text))
    assert frame["rating"].tolist() == [4, 3, 2]
    assert frame["time"].tolist() == [881250949, 880000000, 7]


def test_ids_are_kept_as_they_are_written(write: Write) -> None:
    frame, _ = _validate(write("u.data", "007\t01\t4\t5\n7\t1\t4\t5\n7.0\t1\t4\t5\n"))
    assert frame["user"].tolist() == ["007", "7", "7.0"]
    assert frame["item"].tolist() == ["01", "1", "1"]


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_other_line_ends_give_the_same_rows(write: Write, ends: str) -> None:
    frame, report = _validate(write("u.data", ends.join([GOOD, "1\t11\tx\t5", "2\t10\t5\t7", ""])))
    assert len(frame) == 2
    assert report.bad == (BadRow(2, Reason.RATING_NOT_A_NUMBER, "1\t11\tx\t5"),)


def test_bad_rows_are_numbered_across_the_blocks_of_a_large_file(write: Write) -> None:
    rows = [f"{n}\t1\t4\t{n}" for n in range(150_000)]
    rows[140_000] = "short\trow"
    rows[149_999] = "1\t1\tx\t5"
    frame, report = _validate(write("u.data", "\n".join(rows)))
    assert [(row.line, row.text) for row in report.bad] == [
        (140_001, "short\trow"),
        (150_000, "1\t1\tx\t5"),
    ]
    assert frame["user"].tolist() == [str(n) for n in range(149_999) if n != 140_000]


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
@pytest.mark.parametrize("policy", ["error", "quarantine"])
def test_an_empty_file_is_always_an_error(write: Write, content: str, policy: str) -> None:
    path = write("u.data", content)
    with pytest.raises(DataError, match="is empty") as refused:
        _validate(path, policy)
    assert str(path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"u\.data cannot be read: No such file"):
        _validate(tmp_path / "u.data")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"1\t1\t4\t5\n1\t2\t4\t\xff\n", r"byte 0xff at offset 14 \(line 2\)"),
        ("1\t1\t4\t5\n".encode("utf-16-le"), r"byte 0x00 at offset 1 \(line 1\)"),
        ("é\t1\t4\t5\n".encode("latin-1"), r"byte 0xe9 at offset 0 \(line 1\)"),
    ],
)
def test_bytes_that_are_not_text_are_always_an_error(
    write: Write, content: bytes, where: str
) -> None:
    path = write("u.data", content)
    with pytest.raises(DataError, match=where):
        _validate(path, "quarantine")


def test_a_report_is_written_as_json_and_as_csv(write: Write, tmp_path: Path) -> None:
    _, report = _validate(write("u.data", f'{GOOD}\n1\t11\t"x", é\t5\nshort\n'))
    report.write(tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (document["total"], document["good"], document["bad"]) == (3, 1, 2)
    assert document["counts"] == report.counts
    assert document["rows"][0] == {
        "line": 2,
        "reason": "rating is not a number",
        "text": '1\t11\t"x", é\t5',
    }
    report.write(tmp_path / "report.csv")
    table = pd.read_csv(tmp_path / "report.csv")
    assert table.to_dict("records") == document["rows"]
    with pytest.raises(ConfigError, match="xlsx"):
        report.write(tmp_path / "report.xlsx")


def test_a_report_whose_counts_do_not_add_up_cannot_exist() -> None:
    with pytest.raises(DataError, match="do not make 3"):
        RowReport(Path("u.data"), total=3, good=1, bad=(BadRow(2, Reason.EMPTY_ID, ""),))

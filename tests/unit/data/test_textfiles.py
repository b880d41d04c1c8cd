from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.data.rawtable import Layout, read_delimited
from recsys.errors import DataError

Write = Callable[[str, str | bytes], Path]
CSV = Layout(",", quoted=True)


def test_quotes_protect_delimiters_within_a_line(write: Write) -> None:
    path = write("a.csv", 'id,title\n1,"Crow, The"\n2,"He said ""no"""\n3,plain\n')
    assert read_delimited(path, CSV).strict() == {
        "id": ["1", "2", "3"],
        "title": ["Crow, The", 'He said "no"', "plain"],
    }


def test_an_open_quote_spoils_its_own_line_only(write: Write) -> None:
    raw = read_delimited(write("a.csv", 'id,title\n1,one\n2,"two\n"3,three\n4,four\n'), CSV)
    assert raw.table["id"].to_pylist() == ["1", "2", "4"]
    assert raw.malformed.tolist() == [4]
    assert raw.texts(raw.malformed) == ['"3,three']


def test_where_quotes_mean_nothing_they_are_text(write: Write) -> None:
    path = write("a.tsv", 'id\ttitle\n1\t"Crow"\n2\t"half\n')
    assert read_delimited(path, Layout("\t")).strict()["title"] == ['"Crow"', '"half']


def test_a_byte_order_mark_is_no_part_of_the_first_name(write: Write) -> None:
    path = write("a.csv", "id,title\n1,é\n".encode("utf-8-sig"))
    assert read_delimited(path, CSV).columns == ("id", "title")


@pytest.mark.parametrize("content", ["id,title\n", "id,title", "id,title\n\n"])
def test_a_header_alone_is_an_empty_file(write: Write, content: str) -> None:
    with pytest.raises(DataError, match="a header and no rows"):
        read_delimited(write("a.csv", content), CSV)


def test_a_missing_column_is_an_error_that_names_the_nearest(write: Write) -> None:
    raw = read_delimited(write("a.csv", "userId,movie\n1,2\n"), CSV)
    with pytest.raises(DataError, match="no column 'userid'") as refused:
        raw.select({"user": "userid"})
    assert "did you mean userId" in str(refused.value)


def test_of_two_columns_with_one_name_the_first_is_read(write: Write) -> None:
    raw = read_delimited(write("a.csv", "user,user\n1,2\n"), CSV)
    assert raw.select({"id": "user"}).strict() == {"id": ["1"]}


def test_a_file_that_must_be_right_names_its_broken_lines(write: Write) -> None:
    raw = read_delimited(write("a.csv", "id,title\n1,one\n2\n3,three,3\n"), CSV)
    with pytest.raises(DataError, match="2 lines do not have 2 fields") as refused:
        raw.strict()
    assert refused.value.rows == ("line 3: '2'", "line 4: '3,three,3'")


def test_delimiters_may_be_longer_than_a_character(write: Write) -> None:
    path = write("a.dat", "1::a: b:c\n2::d\n")
    assert read_delimited(path, Layout("::", columns=("id", "t"))).strict()["t"] == ["a: b:c", "d"]

"""Readers of anybody's vectors: what they read, and what they say about what they cannot."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.config.imports import FileImport
from recsys.config.section import expand
from recsys.errors import ConfigError, DataError
from recsys.features.published.files import read_file, read_ids

VECTORS = np.array([[1, 2.5, -3], [0.1, 0, 7], [4, 5, 6]], dtype=np.float32)
IDS = ("7", "tt01", "9")


def read(path, **options):
    return read_file(FileImport(path=path, **options))


def text_file(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def npy(tmp_path):
    np.save(tmp_path / "x.npy", VECTORS)
    return tmp_path / "x.npy"


def test_csv_is_read_by_position_with_its_lines(tmp_path):
    path = text_file(tmp_path / "x.csv", 'id,a,b\n7,1,2.5\n\n" t,1",inf,\n9,nan,-1e3\n\n')
    found, card = read(path)
    assert found.ids == ("7", "t,1", "9")
    assert found.places.tolist() == [2, 4, 5]
    np.testing.assert_array_equal(
        found.vectors, np.array([[1, 2.5], [np.inf, np.nan], [np.nan, -1000]], dtype=np.float32)
    )
    assert (card.name, card.dim, card.licence) == ("x.csv", 2, "not stated")


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_of_other_editors(tmp_path, mark, end):
    path = tmp_path / "x.csv"
    path.write_bytes((mark + end.join(["id,0,1", "7,1,2", "8,3,4"])).encode())
    assert read(path)[0].ids == ("7", "8")


def test_csv_fields_that_are_no_numbers_are_named_by_line_and_column(tmp_path):
    path = text_file(tmp_path / "x.csv", "id,a,b\n7,1,2\n8,x,2\n9,1,1;5\n")
    with pytest.raises(DataError, match="2 fields are not numbers") as caught:
        read(path)
    assert caught.value.rows == (
        "line 3, column 2 ('a'): 'x'",
        "line 4, column 3 ('b'): '1;5'",
    )
    assert str(path) in str(caught.value)


def test_csv_lines_of_another_width_keep_their_place_and_id(tmp_path):
    found, _ = read(text_file(tmp_path / "x.csv", "id,a,b\n7,1,2\n8,1\n9,1,2,3\n10,3,4\n"))
    assert sorted(zip(found.places, found.ids, found.widths, strict=True)) == [
        (2, "7", 2),
        (3, "8", 1),
        (4, "9", 3),
        (5, "10", 2),
    ]
    assert np.isnan(found.vectors[found.widths != 2]).all()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("id\n7\n", "its first line has 1 fields"),
        ("id," + "x" * 200_000 + "\n1,2\n", "line 1: field larger"),
        ("7,0.5,1\n8,2,3\n", "has no header"),
        ("id,a\n", "no line has the 2 fields"),
        ("id,a\n7,1,2\n8,1,2\n", "no line has the 2 fields"),
    ],
)
def test_csv_that_is_no_table_is_refused(tmp_path, text, says):
    with pytest.raises(DataError, match=says):
        read(text_file(tmp_path / "x.csv", text))


def test_csv_header_may_number_its_columns(tmp_path):
    pd.DataFrame(VECTORS, index=list(IDS)).to_csv(tmp_path / "x.csv")
    found, _ = read(tmp_path / "x.csv")
    assert found.ids == IDS
    np.testing.assert_array_equal(found.vectors, VECTORS)


def test_csv_in_another_encoding_is_refused_and_not_guessed(tmp_path):
    (tmp_path / "x.csv").write_bytes("id,a\ncafé,1\n".encode("latin-1"))
    with pytest.raises(DataError, match="utf-8"):
        read(tmp_path / "x.csv")


def test_parquet_with_a_column_of_lists(tmp_path):
    frame = pd.DataFrame({"film": [7, 8, 9, 10], "x": [[1.0, 2], None, [3], [4, np.nan]]})
    frame.to_parquet(tmp_path / "x.parquet")
    found, _ = read(tmp_path / "x.parquet", id_column="film")
    assert found.ids == ("7", "9", "10")
    assert found.widths.tolist() == [2, 1, 2]
    assert found.places.tolist() == [1, 3, 4]
    np.testing.assert_array_equal(
        found.vectors, np.array([[1, 2], [np.nan, np.nan], [4, np.nan]], dtype=np.float32)
    )


def test_parquet_with_columns_of_numbers_and_ids_that_pandas_made_floats(tmp_path):
    frame = pd.DataFrame({"id": [7.0, 8.0], "a": [1, 2], "b": [0.5, None]})
    frame.to_parquet(tmp_path / "x.parquet")
    found, _ = read(tmp_path / "x.parquet")
    assert found.ids == ("7", "8")
    np.testing.assert_array_equal(found.vectors, np.array([[1, 0.5], [2, np.nan]], np.float32))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"id": ["1"], "title": ["x"], "a": [1.0]}, "column 'title'"),
        ({"id": ["1"]}, "holds no vectors"),
        ({"id": ["1"], "x": [["a"]]}, "do not hold numbers"),
        ({"id": ["1"], "x": [None]}, "column 'x'"),
    ],
)
def test_parquet_of_other_columns_is_refused(tmp_path, columns, says):
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=says):
        read(tmp_path / "x.parquet")


def test_parquet_names_the_nearest_column(tmp_path):
    pq.write_table(pa.table({"movie_id": ["1"], "a": [1.0]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="did you mean movie_id"):
        read(tmp_path / "x.parquet", id_column="movieid")


def test_a_file_that_is_not_what_its_name_says(tmp_path):
    for name in ("x.parquet", "x.npy"):
        (tmp_path / name).write_bytes(b"not at all")
    (tmp_path / "ids.txt").write_text("1\n")
    with pytest.raises(DataError, match="not a Parquet file"):
        read(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="not an array"):
        read(tmp_path / "x.npy", ids=tmp_path / "ids.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "nowhere.csv")


def test_npy_with_ids_and_mask(npy, tmp_path):
    ids = text_file(tmp_path / "ids.txt", "\n".join(IDS) + "\n")
    np.save(tmp_path / "m.npy", np.array([True, False, True]))
    found, card = read(npy, ids=ids, card={"name": "CLIP", "licence": "MIT"})
    assert found.ids == IDS
    np.testing.assert_array_equal(found.vectors, VECTORS)
    assert (card.name, card.licence, len(card.revision)) == ("CLIP", "MIT", 64)
    assert read(npy, ids=ids, mask=tmp_path / "m.npy")[0].ids == ("7", "9")


def test_npy_never_unpickles(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    ids = text_file(tmp_path / "ids.txt", "1\n")
    with pytest.raises(DataError, match="pickles are not opened"):
        read(tmp_path / "x.npy", ids=ids)


@pytest.mark.parametrize(
    ("array", "ids", "says"),
    [
        (VECTORS, "1\n2\n", "3 vectors for 2 ids"),
        (VECTORS[0], "1\n2\n3\n", r"shape \(3,\)"),
        (VECTORS[:0], "1\n", r"shape \(0, 3\)"),
        (np.array([["a"]]), "1\n", "not numbers"),
        (VECTORS.astype(complex), "1\n2\n3\n", "not numbers"),
    ],
)
def test_npy_of_another_shape_or_type_is_refused(tmp_path, array, ids, says):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=says):
        read(tmp_path / "x.npy", ids=text_file(tmp_path / "ids.txt", ids))


def test_values_too_large_for_float32_are_infinite_and_not_silent(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1e300, 1.0]]))
    found, _ = read(tmp_path / "x.npy", ids=text_file(tmp_path / "ids.txt", "1\n"))
    assert np.isinf(found.vectors[0, 0])


def test_options_that_do_not_go_with_the_file(npy, tmp_path):
    with pytest.raises(ConfigError, match="--ids FILE"):
        read(npy)
    with pytest.raises(ConfigError, match=r"ids goes with a \.npy"):
        read(tmp_path / "x.csv", ids=tmp_path / "ids.txt")
    with pytest.raises(ConfigError, match=r"\.parquet, \.csv, \.npy"):
        read(tmp_path / "x.pkl")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("i.txt", "7\ntt01\n9\n"),
        ("i.csv", "id\n7\ntt01\n9\n"),
        ("i.csv", "item_id\titemID\n9\t2\n7\t0\ntt01\t1\n"),
        ("i.json", json.dumps([7, "tt01", "9"])),
        ("i.json", json.dumps({"9": 2, "tt01": 1, "7": 0})),
    ],
)
def test_ids_come_in_the_order_of_their_rows(tmp_path, name, text):
    assert read_ids(text_file(tmp_path / name, text)) == IDS


def test_ids_from_parquet(tmp_path):
    pq.write_table(pa.table({"id": [9, 7], "row": [1, 0]}), tmp_path / "i.parquet")
    assert read_ids(tmp_path / "i.parquet") == ("7", "9")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("i.csv", "id,row\n7,0\n8,0\n", "row 1 has no id"),
        ("i.csv", "id,title\n7,Heat\n", "row 0 has no id"),
        ("i.csv", "id,row,x\n7,0,1\n", "one column"),
        ("i.csv", "id,row\n7\n", "line 2"),
        ("i.json", "[1.5]", "a list of ids"),
        ("i.json", "[1", "is not JSON"),
        ("i.doc", "7", "ids are read from"),
        ("i.txt", "", "is empty"),
    ],
)
def test_ids_that_leave_the_order_open_are_refused(tmp_path, name, text, says):
    with pytest.raises(DataError, match=says):
        read_ids(text_file(tmp_path / name, text))


def test_paths_keep_their_variables_until_they_are_used(monkeypatch, tmp_path):
    monkeypatch.setenv("SOME_FEATURES", str(tmp_path))
    config = FileImport(path="$SOME_FEATURES/x.csv")
    assert str(config.path) == "$SOME_FEATURES/x.csv"
    text_file(tmp_path / "x.csv", "id,a\n7,1\n")
    assert read_file(config)[0].ids == ("7",)
    monkeypatch.delenv("SOME_FEATURES")
    with pytest.raises(ConfigError, match="not set"):
        expand(config.path)

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.data.dataset import Dataset, Reading
from recsys.data.describe import describe
from recsys.data.interactions import RatingScale
from recsys.data.readers import table
from recsys.data.readers.grouplens import ML_100K
from recsys.errors import AlignmentError

Write = Callable[[str, str | bytes], Path]


def test_a_summary_counts_what_is_there(ml_100k_folder: Path) -> None:
    with (ml_100k_folder / "u.data").open("a") as stream:
        stream.write("1\t1\t6\t5\n")
    item = ml_100k_folder / "u.item"
    first = item.read_bytes().split(b"\n")[0]
    item.write_bytes(item.read_bytes() + b"\n" + first.replace(b"1|", b"51|", 1))
    reading = Reading("toy", RatingScale(), "quarantine")
    summary = describe(ML_100K.read(ml_100k_folder, reading))
    assert (summary.users, summary.items, summary.rated_items, summary.ratings) == (3, 7, 4, 5)
    assert summary.density == pytest.approx(5 / 21)
    assert summary.histogram == {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1}
    assert summary.mean == 3
    assert (summary.first, summary.last) == (
        "1970-01-01T00:00:00+00:00",
        "1997-12-04T15:55:52+00:00",
    )
    assert summary.genres["Animation"] == 3
    assert summary.shares == {"title": 5 / 7, "year": 5 / 7, "genres": 5 / 7}
    assert summary.twins == {"Toy Story (1995)": ["1", "51"]}
    assert summary.bad_rows == {"rating is off the scale": 1}
    assert json.loads(summary.model_dump_json())["scale"] == [1, 5]


def test_many_different_ratings_are_counted_in_ranges_and_times_may_be_absent(
    write: Write,
) -> None:
    rows = "".join(f"{n},1,{n / 100:.2f}\n" for n in range(100, 501))
    path = write("ratings.csv", "user,item,rating\n" + rows)
    files = table.TableFiles(ratings=path.name)
    summary = describe(table.read(path.parent, files, Reading("toy", RatingScale())))
    assert len(summary.histogram) == 10
    assert sum(summary.histogram.values()) == 401
    assert summary.first is None
    assert summary.last is None


def test_ratings_and_catalogue_must_hold_the_same_movies(ml_100k_folder: Path) -> None:
    whole = ML_100K.read(ml_100k_folder, Reading("toy", RatingScale()))
    (ml_100k_folder / "u.item").unlink()
    other = ML_100K.read(ml_100k_folder, Reading("toy", RatingScale()))
    with pytest.raises(AlignmentError):
        Dataset("toy", whole.interactions, other.catalogue, whole.report, whole.origin)

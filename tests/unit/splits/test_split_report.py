from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import Split, SplitSpec, describe, make_split, write_split
from recsys.data.vocabulary import Vocabulary
from recsys.testing.worlds import bare_catalogue


@pytest.fixture
def split() -> Split:
    """Users a and b in train, c in valid, only b in test; d has no ratings at all."""
    ratings = Interactions(
        users=Vocabulary(["a", "b", "c", "d"]),
        items=Vocabulary(["x", "y", "z"]),
        user=np.array([0, 0, 1, 2, 1]),
        item=np.array([0, 1, 0, 1, 2]),
        rating=np.array([4, 3.5, 5, 1, 2]),
        time=np.array([10, 20, 30, 40, 50]),
    )
    parts = (ratings.select(np.array(rows)) for rows in ([0, 1, 2], [3], [4]))
    dataset = Dataset("toy", ratings, bare_catalogue(ratings.items))
    return Split(dataset, *parts, SplitSpec("mine", 1), cold_items=np.array([2], dtype=np.int32))


def test_a_summary_counts_what_the_parts_hold(split: Split) -> None:
    assert describe(split).model_dump() == {
        "name": "mine",
        "seed": 1,
        "params": {},
        "dataset": "",
        "fingerprint": split.fingerprint,
        "parts": {
            "train": {"ratings": 3, "users": 2, "items": 2},
            "valid": {"ratings": 1, "users": 1, "items": 1},
            "test": {"ratings": 1, "users": 1, "items": 1},
        },
        "users_without_test": 2,
        "cold_items": 1,
        "cold_valid_items": 0,
    }


def test_the_files_are_named_after_the_folder(split: Split, tmp_path: Path) -> None:
    paths = write_split(split, tmp_path / "deep" / "ml")
    names = ["ml.train.inter", "ml.valid.inter", "ml.test.inter", "ml.split.json"]
    assert [path.name for path in paths] == names
    assert all(path.parent == tmp_path / "deep" / "ml" for path in paths)
    assert paths[0].read_bytes().decode() == (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "a\tx\t4.0\t10\na\ty\t3.5\t20\nb\tx\t5.0\t30\n"
    )
    assert json.loads(paths[3].read_text(encoding="utf-8")) == describe(split).model_dump()


def test_written_parts_read_back_as_they_were(
    toy: Interactions, toy_catalogue: Catalogue, tmp_path: Path
) -> None:
    split = make_split(Dataset("toy", toy, toy_catalogue), "random-90-10")
    for path, part in zip(write_split(split, tmp_path), split.parts.values(), strict=False):
        frame = pd.read_csv(path, sep="\t", dtype={"user_id:token": str, "item_id:token": str})
        np.testing.assert_array_equal(
            toy.users.rows(frame["user_id:token"].tolist(), unknown="error"), part.user
        )
        np.testing.assert_array_equal(
            toy.items.rows(frame["item_id:token"].tolist(), unknown="error"), part.item
        )
        np.testing.assert_array_equal(frame["rating:float"].astype(np.float32), part.rating)
        np.testing.assert_array_equal(frame["timestamp:float"], part.time)


def test_ratings_without_times_are_written_without_the_column(
    toy: Interactions, toy_catalogue: Catalogue, tmp_path: Path
) -> None:
    split = make_split(Dataset("toy", replace(toy, time=None), toy_catalogue), "all")
    header = [
        path.read_text(encoding="utf-8").split("\n")[0] for path in write_split(split, tmp_path)
    ]
    assert header[:3] == ["user_id:token\titem_id:token\trating:float"] * 3

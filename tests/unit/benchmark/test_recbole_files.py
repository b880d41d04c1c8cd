"""RecBole gets our split, every user and every movie, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.benchmark.recbole.files import write_parts
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.testing.worlds import two_genre_world

WORLD = two_genre_world()


def _pairs(path):
    rows = np.loadtxt(path, dtype=np.int64, delimiter="\t", skiprows=1, usecols=(0, 1), ndmin=2)
    return {(int(user), int(item)) for user, item in rows}


def _expected(part):
    return set(zip(part.user.tolist(), part.item.tolist(), strict=True))


def test_parts_are_written_by_row(tmp_path):
    write_parts(tmp_path, WORLD.train, WORLD.valid, WORLD.test)
    for name, part in (("train", WORLD.train), ("valid", WORLD.valid)):
        assert _pairs(tmp_path / "split" / f"split.{name}.inter") == _expected(part)
    assert _pairs(tmp_path / "test.inter") == _expected(WORLD.test)


def test_no_test_rating_lies_where_recbole_reads(tmp_path):
    write_parts(tmp_path, WORLD.train, WORLD.valid, WORLD.test)
    there = {path.name for path in (tmp_path / "split").iterdir()}
    assert there == {"split.train.inter", "split.valid.inter", "split.user", "split.item"}


def test_every_user_and_movie_is_listed(tmp_path):
    write_parts(tmp_path, WORLD.train, WORLD.valid, None)
    for kind, count in zip(("user", "item"), WORLD.train.shape, strict=True):
        lines = (tmp_path / "split" / f"split.{kind}").read_text().splitlines()
        assert lines == [f"{kind}_id:token", *map(str, range(count))]
    assert WORLD.train.item_counts().min() == 0


def test_no_test_rating_is_written_unless_it_is_given(tmp_path):
    write_parts(tmp_path, WORLD.train, WORLD.valid, None)
    assert not (tmp_path / "test.inter").exists()


def test_ids_that_a_table_reader_would_mistake_stay_here(tmp_path):
    strange = ["NA", "null", "1e5", "a\tb", '"', "01", "1.0", " ", "é"]
    ids = [*strange, *(f"u{n}" for n in range(len(WORLD.train.users) - len(strange)))]
    users = Vocabulary(ids, kind="user")
    parts = [replace(part, users=users) for part in (WORLD.train, WORLD.valid)]
    write_parts(tmp_path, *parts, None)
    assert _pairs(tmp_path / "split" / "split.train.inter") == _expected(WORLD.train)


def test_an_empty_part_is_refused(tmp_path):
    nothing = WORLD.valid.select(np.zeros(len(WORLD.valid), dtype=bool))
    with pytest.raises(DataError, match="RecBole needs valid ratings"):
        write_parts(tmp_path, WORLD.train, nothing, None)

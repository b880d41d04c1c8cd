from __future__ import annotations

import math

import pytest

from recsys.data.people import Person, read_people
from recsys.errors import DataError


def test_movielens_100k(tmp_path):
    (tmp_path / "u.user").write_bytes(
        "1|24|M|technician|85711\n2||F|écrivain|T8H1N\n".encode("latin-1")
    )
    people = read_people(tmp_path)
    assert people["1"] == Person(24, "technician", "85711")
    assert math.isnan(people["2"].age)
    assert people["2"].occupation == "écrivain"


def test_movielens_1m(tmp_path):
    (tmp_path / "users.dat").write_text("1::F::18::10::48067\n")
    assert read_people(tmp_path) == {"1": Person(18, "10", "48067")}


def test_recbole(tmp_path):
    header = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token"
    (tmp_path / "ml-100k.user").write_text(f"{header}\n7\t30\tM\tnone\t1\n")
    assert read_people(tmp_path) == {"7": Person(30, "none", "1")}


def test_recbole_without_some_columns(tmp_path):
    (tmp_path / "x.user").write_text("user_id:token\tage:float\n7\t30.0\n")
    assert read_people(tmp_path) == {"7": Person(30)}


def test_no_file_no_people(tmp_path):
    assert read_people(tmp_path) == {}


def test_an_age_that_is_no_number_is_named(tmp_path):
    (tmp_path / "u.user").write_text("1|young|M|technician|85711\n")
    with pytest.raises(DataError, match="age of user 1 is 'young'"):
        read_people(tmp_path)


@pytest.mark.realdata
def test_the_published_file(real_data):
    people = read_people(real_data / "ml-100k")
    assert len(people) == 943
    assert people["1"] == Person(24, "technician", "85711")
    assert len({person.occupation for person in people.values()}) == 21

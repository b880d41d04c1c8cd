from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.dataset import Dataset, Reading
from recsys.data.describe import describe
from recsys.data.facts import RELATIONS, recbole_data
from recsys.data.interactions import RatingScale
from recsys.data.readers import atomic, table
from recsys.data.sources import open_dataset

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Dataset:
    return open_dataset("ml-100k", real_data / "ml-100k")


@pytest.fixture(scope="module")
def wheel() -> Dataset:
    place = recbole_data("ml-100k")
    if place is None:
        pytest.skip("RecBole's wheel is not installed")
    return open_dataset("ml-100k", place)


def test_movielens_100k_is_the_file_we_mean(real_data: Path) -> None:
    data = (real_data / "ml-100k" / "u.data").read_bytes()
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert digest == "6e47046882bad158b0efbb84cd5cb987"


def test_movielens_100k_has_its_known_size_and_titles(folder: Dataset) -> None:
    summary = describe(folder)
    assert (summary.users, summary.items, summary.ratings) == (943, 1682, 100_000)
    assert summary.histogram == {"1": 6110, "2": 11370, "3": 27145, "4": 34174, "5": 21201}
    assert len(summary.genres) == 18
    assert summary.genres["Drama"] == 725
    catalogue = folder.catalogue
    assert catalogue.items.ids == tuple(str(n) for n in range(1, 1683))
    assert catalogue.display_title(0) == "Toy Story (1995)"
    assert catalogue.display_title(11) == "Usual Suspects, The (1995)"
    assert catalogue.display_title(49) == "Star Wars (1977)"
    assert catalogue.genres_of(0) == ["Animation", "Children's", "Comedy"]
    assert "Misérables, Les" in catalogue.titles
    assert np.flatnonzero(catalogue.years == UNKNOWN_YEAR).tolist() == [266]
    assert folder.catalogue.find("the usual suspects (1995)") == 11


def test_rows_keep_the_order_of_the_file(folder: Dataset, real_data: Path) -> None:
    raw = np.loadtxt(real_data / "ml-100k" / "u.data", dtype=np.int64)
    ratings = folder.interactions
    ids = [np.array(v.ids, dtype=np.int64) for v in (ratings.users, ratings.items)]
    assert np.array_equal(ids[0][ratings.user], raw[:, 0])
    assert np.array_equal(ids[1][ratings.item], raw[:, 1])
    assert np.array_equal(ratings.rating, raw[:, 2])
    assert ratings.time is not None
    assert np.array_equal(ratings.time, raw[:, 3])


def test_the_wheel_and_the_folder_are_one_data_set(folder: Dataset, wheel: Dataset) -> None:
    assert wheel.origin != folder.origin
    assert wheel.interactions.fingerprint == folder.interactions.fingerprint
    assert wheel.catalogue.titles == folder.catalogue.titles
    assert np.array_equal(wheel.catalogue.years, folder.catalogue.years)
    assert wheel.catalogue.genre_names == folder.catalogue.genre_names
    assert np.array_equal(wheel.catalogue.genres, folder.catalogue.genres)
    assert wheel.catalogue.facts == folder.catalogue.facts


def test_facts_cover_the_movies_and_name_no_genre(wheel: Dataset) -> None:
    facts = wheel.catalogue.facts
    assert set(facts) == set(RELATIONS.values())
    shares = describe(wheel).shares
    assert shares["actor"] > 0.89
    assert shares["country"] > 0.90
    assert shares["subject"] > 0.26
    assert "m.0bxtg" in facts["actor"][0]
    rows = wheel.catalogue.items.rows(["50", "172", "181"], unknown="error")
    saga = [set(facts["actor"][row]) for row in rows]  # Star Wars and its two sequels
    assert len(set.intersection(*saga)) >= 10
    place = recbole_data("ml-100k")
    assert place is not None
    graph = atomic.read_atomic(place / "ml-100k.kg")
    triples = list(zip(graph["relation_id"], graph["tail_id"], strict=True))
    genres = {tail for relation, tail in triples if relation == "film.film.genre"}
    known = {tail for relation, tail in triples if relation in RELATIONS}
    told = {value for values in facts.values() for movie in values for value in movie}
    assert told <= known
    assert not told & (genres - known)


def test_a_slice_of_movielens_latest_as_a_table_with_named_columns(real_data: Path) -> None:
    columns = table.RatingColumns(user="userId", item="movieId", time="timestamp")
    files = table.TableFiles(ratings="ratings.csv", columns=columns)
    reading = Reading("mmtf-14k", RatingScale(0.5, 5))
    dataset = table.read(real_data / "mmtf-14k", files, reading)
    summary = describe(dataset)
    assert (summary.ratings, summary.users) == (50_976, 671)
    found = open_dataset(data_dir=real_data / "mmtf-14k")
    assert (found.name, found.scale) == ("mmtf-14k", dataset.scale)
    assert found.report.good == dataset.report.good
    # Its recipe adds the movies' titles, genres and film ids, and those that nobody rated.
    assert len(found.catalogue) == 1_807
    assert set(dataset.catalogue.items) < set(found.catalogue.items)
    assert found.catalogue.film_ids == found.catalogue.items.ids
    assert found.catalogue.display_title(0) == "Grosse Pointe Blank (1997)"
    assert all(found.catalogue.titles)
    assert found.catalogue.genres.any(axis=1).all()
    above = open_dataset("mmtf-14k", real_data)
    assert above.interactions.fingerprint == found.interactions.fingerprint

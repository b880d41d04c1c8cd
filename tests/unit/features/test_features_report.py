"""Coverage by movies and by ratings."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.catalogue import EncoderCard, ModalityTable
from recsys.data.coverage import covered
from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError
from recsys.features.report import coverage, fact_coverage


@pytest.fixture
def movies(make_catalogue):
    catalogue = make_catalogue(
        ["Heat", "", "Casino", "Sabrina"],
        years=[1995, -1, 1995, -1],
        facts={"director": [("Mann",), (), ("",), ()], "writer": [(), (), (), ()]},
    )
    card = EncoderCard("toy", "1", 3, "none", "none", "CC0-1.0", "none")
    vectors = np.array([[1, 2, 3], [9, 9, 9], [0, 0, 0], [0, 5, 3]], dtype=np.float32)
    present = np.array([True, False, True, True])
    table = ModalityTable("poster", vectors, present, card, catalogue.items.fingerprint)
    flat = replace(table, name="audio", vectors=np.ones_like(vectors))
    return catalogue.with_modality(table).with_modality(flat)


@pytest.fixture
def ratings(movies):
    """The first movie has three ratings, the second one."""
    users = Vocabulary(["a", "b", "c"], kind="user")
    rows = np.array([0, 1, 2, 0]), np.array([0, 0, 0, 1])
    return Interactions(users, movies.items, *rows, rating=np.full(4, 3.0))


def test_modalities_are_described_with_what_their_vectors_are_like(movies, ratings):
    poster, audio = coverage(movies, ratings)
    assert poster.to_dict() == {
        "name": "poster",
        "present": 3,
        "movies": 4,
        "by_movies": 0.75,
        "by_ratings": 0.75,
        "encoder": "toy",
        "dim": 3,
        "zero_rows": 1,
        "constant_columns": 0,
    }
    assert (audio.constant_columns, audio.zero_rows) == (3, 0)


def test_without_ratings_their_share_is_not_known(movies):
    assert [found.by_ratings for found in coverage(movies, None)] == [None, None]


def test_facts_that_no_movie_has_are_left_out(movies, ratings):
    found = {c.name: (c.present, c.by_ratings) for c in fact_coverage(movies, ratings)}
    assert found == {"title": (3, 0.75), "year": (2, 0.75), "director": (1, 0.75)}


def test_nothing_is_covered_by_nothing():
    found = covered("x", np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64))
    assert (found.by_movies, found.by_ratings) == (0.0, None)


def test_ratings_of_other_movies_are_refused(movies, make_catalogue, ratings):
    with pytest.raises(AlignmentError):
        coverage(make_catalogue(["Heat"]), ratings)

from __future__ import annotations

import pytest

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.movies import (
    Movie,
    build_catalogue,
    parse_year,
    split_genres,
    split_title,
    title_and_year,
)
from recsys.errors import DataError


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Usual Suspects, The (1995)", "Usual Suspects, The", 1995),
        ("Two Friends (1986) ", "Two Friends", 1986),
        ("Land Before Time III (1995) (V)", "Land Before Time III", 1995),
        ("Death Note (2006–2007)", "Death Note", 2006),
        ("Fawlty Towers (1975-)", "Fawlty Towers", 1975),
        ("1984 (1984)", "1984", 1984),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009),
        ("City of Lost Children, The (Cité) (1995)", "City of Lost Children, The (Cité)", 1995),
        ("Babylon 5", "Babylon 5", UNKNOWN_YEAR),
        ("(1995)", "(1995)", UNKNOWN_YEAR),
        ("unknown", "", UNKNOWN_YEAR),
        ("Unknown (2011)", "Unknown", 2011),
    ],
)
def test_titles_lose_their_year_and_nothing_else(text: str, title: str, year: int) -> None:
    assert split_title(text) == (title, year)


@pytest.mark.parametrize(
    ("text", "year"),
    [("1995", 1995), ("1995.0", 1995), ("1995-10-30", 1995), ("", -1), ("V", -1), ("unkonwn", -1)],
)
def test_years_are_read_or_unknown(text: str, year: int) -> None:
    assert parse_year(text) == year


def test_a_year_field_goes_before_the_title() -> None:
    assert title_and_year("Heat (1995)", "1995") == ("Heat", 1995)
    assert title_and_year("Heat (1995)", "") == ("Heat", 1995)
    assert title_and_year("Blade Runner (2049)", "2017") == ("Blade Runner (2049)", 2017)


def test_labels_that_say_nothing_are_not_labels() -> None:
    assert split_genres("Action|Sci-Fi", "|") == ("Action", "Sci-Fi")
    assert split_genres("Animation  Children's Comedy", None) == (
        "Animation",
        "Children's",
        "Comedy",
    )
    for text in ("(no genres listed)", "unknown", "", " "):
        assert split_genres(text, None) == split_genres(text, "|") == ()


def test_the_catalogue_keeps_the_order_of_the_file_and_adds_what_it_lacks() -> None:
    movies = [
        Movie("30", "C", 1999, ("War",)),
        Movie("4", "D"),
        Movie("007", "B", 1990, ("Action",)),
    ]
    catalogue = build_catalogue(movies, {"4", "12", "9"}, "movies.csv")
    assert catalogue.items.ids == ("30", "4", "007", "9", "12")
    assert catalogue.titles == ("C", "D", "B", "", "")
    assert catalogue.years.tolist() == [1999, UNKNOWN_YEAR, 1990, UNKNOWN_YEAR, UNKNOWN_YEAR]
    assert catalogue.genre_names == ("Action", "War")
    assert [catalogue.genres_of(row) for row in range(5)] == [["War"], [], ["Action"], [], []]


@pytest.mark.parametrize("id_", ["1", " "])
def test_a_movie_listed_twice_or_without_an_id_is_refused(id_: str) -> None:
    with pytest.raises(DataError, match=r"movies\.csv: 1 movie ids are empty or occur more"):
        build_catalogue([Movie("1"), Movie(id_)], (), "movies.csv")

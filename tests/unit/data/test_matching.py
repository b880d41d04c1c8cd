from __future__ import annotations

import numpy as np
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.matching import TitleList, match_titles
from recsys.data.movies import Movie, build_catalogue
from recsys.data.titles import title_key
from recsys.errors import DataError


def _match(left: list[tuple[str, int]], right: list[tuple[str, int]]) -> dict[int, int]:
    lists = (TitleList(*zip(*films, strict=True)) for films in (left, right))
    report = match_titles(*lists)
    return {pair.left: pair.right for pair in report.pairs}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Usual Suspects, The", "The Usual Suspects"),
        ("Misérables, Les", "Les Miserables"),
        ("Enfer, L'", "L'Enfer"),
        ("Fast & Furious", "Fast and Furious"),
        ("Maybe, Maybe Not (Bewegte Mann, Der)", "Der bewegte Mann"),
        ("Maybe, Maybe Not (Bewegte Mann, Der)", "Maybe... Maybe Not"),
        ("City of Lost Children, The (Cité des enfants perdus, La)", "La Cité des Enfants Perdus"),
        ("Colonel Chabert, Le", "Colonel Chabert"),
        ("Seven (a.k.a. Se7en)", "Se7en"),
        ("Mouse Hunt", "MouseHunt"),
        ("Alien 3", "Alien³"),
        ("8 1/2", "8½"),
        ("Schindler's List", "Schindler’s List"),
        ("Ivan Groznyy (Иван Грозный)", "Иван Грозный"),
    ],
)
def test_titles_that_are_one_film(left: str, right: str) -> None:
    assert _match([(left, 1995)], [("Another", 1995), (right, 1995)]) == {0: 1}
    assert _match([(right, 1995)], [(left, 1995), ("Another", 1995)]) == {0: 0}


def test_the_closest_year_wins_and_only_so_far() -> None:
    right = [("Emma", 1996), ("Emma", 1997), ("Emma", 1999)]
    assert _match([("Emma", 1996)], right) == {0: 0}
    assert _match([("Emma", 1995)], right) == {0: 0}
    assert _match([("Emma", 1994)], right) == {0: 0}
    assert _match([("Emma", 1993)], right) == {}


def test_what_is_ambiguous_is_not_guessed_but_reported() -> None:
    left = TitleList(["Emma", "Heat", "Hamlet", "Kundun"], [1996, 1995, 1999, 1997])
    right = TitleList(["Emma", "Emma", "Heat", "Hamlet", "Hamlet"], [1996, 1996, 1995, 1998, 2000])
    report = match_titles(left, right)
    assert [(pair.left, pair.right) for pair in report.pairs] == [(1, 2)]
    assert [(found.left, found.candidates) for found in report.ambiguous] == [
        (0, (0, 1)),
        (2, (3, 4)),
    ]
    assert report.unmatched_left == (3,)
    assert report.unmatched_right == (0, 1, 3, 4)
    assert report.counts == {"title, year": 1, "ambiguous": 2, "unmatched": 1}


def test_an_exact_match_is_no_candidate_for_others() -> None:
    assert _match([("Emma", 1996), ("Emma", 1997)], [("Emma", 1996)]) == {0: 0}


def test_two_films_that_want_the_same_one_get_neither() -> None:
    assert _match([("Emma", 1995), ("Emma", 1997)], [("Emma", 1996)]) == {}


def test_a_film_listed_twice_on_the_left_is_one_film() -> None:
    assert _match([("Ulee's Gold", 1997)] * 2, [("Ulee's Gold", 1997)]) == {0: 0, 1: 0}
    assert _match([("Ulee's Gold", 1997)], [("Ulee's Gold", 1997)] * 2) == {}


def test_a_title_alone_does_not_do() -> None:
    left = [("Heat", UNKNOWN_YEAR), ("Emma", UNKNOWN_YEAR), ("", UNKNOWN_YEAR)]
    right = [("Heat", 1995), ("Emma", 1996), ("Emma", 1997), ("", UNKNOWN_YEAR)]
    assert _match(left, right) == {}


def test_other_titles_count() -> None:
    right = TitleList(["Fireworks", "The Postman"], [1997, 1994], [("Hana-bi",), ("Il postino",)])
    report = match_titles(TitleList(["Postino, Il", "Hana-bi"], [1994, 1997]), right)
    assert [(pair.left, pair.right) for pair in report.pairs] == [(0, 1), (1, 0)]


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="differ in length"):
        TitleList(["Heat"], [])
    with pytest.raises(DataError, match="differ in length"):
        TitleList(["Heat"], [1995], [(), ()])


def test_titles_in_any_script_are_told_apart() -> None:
    assert title_key("千と千尋の神隠し") != title_key("もののけ姫") != ""
    assert title_key("Ёлки 2") == title_key("ЕЛКИ 2") != title_key("Ирония 2")
    movies = [Movie("1", "千と千尋の神隠し", 2001), Movie("2", "ハッシュ!", 2001)]
    catalogue = build_catalogue(movies, (), "toy")
    assert len(np.unique(catalogue.film_groups)) == 2
    assert catalogue.find("ハッシュ! (2001)") == 1

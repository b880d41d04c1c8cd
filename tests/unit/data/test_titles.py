from __future__ import annotations

import math
import random

import numpy as np
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.movies import Movie, build_catalogue, split_title
from recsys.data.titles import title_key
from recsys.errors import AmbiguousNameError, DataError, UnknownIdError

TITLES = [
    "Toy Story (1995)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
    "Fabuleux destin d'Amélie Poulain, Le (2001)",
    "Alfie (1966)",
    "Emma (1996)",
    "Emma (2020)",
    "Star Wars: Episode IV - A New Hope (1977)",
    "Star Wars: Episode V - The Empire Strikes Back (1980)",
    "Dark Star (1974)",
    "Welle, Die (2008)",
    "Das Boot (1981)",
    "Enfer, L' (1994)",
    "Laberinto del fauno, El (Pan's Labyrinth) (2006)",
    "M*A*S*H (1970)",
    "Fast & Furious (2009)",
    "Seven (a.k.a. Se7en) (1995)",
    "千と千尋の神隠し (2001)",
    "もののけ姫 (1997)",
    "Сталкер (1979)",
    "기생충 (2019)",
    "शोले (1975)",
    "शाला (1975)",
    "جدایی نادر از سیمین (2011)",
    "Blade Runner 2049 (2017)",
    "Blade Runner (1982)",
    "Shawshank Redemption, The (1994)",
    "MouseHunt (1997)",
    "unknown",
    "$ (1971)",
    "Heat (1995)",
    "Heat (1986)",
    "I, Robot (2004)",
]


def _catalogue(titles: list[str]) -> Catalogue:
    movies = [Movie(f"m{n}", *split_title(title)) for n, title in enumerate(titles)]
    return build_catalogue(movies, (), "toy")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return _catalogue(TITLES)


def _row(title: str) -> int:
    return next(row for row, text in enumerate(TITLES) if text.startswith(title))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("toy story", "Toy Story"),
        ("TOY  STORY 1995", "Toy Story"),
        ("The City of Lost Children", "City of Lost"),
        ("City of Lost Children (1995)", "City of Lost"),
        ("La Cité des Enfants Perdus", "City of Lost"),
        ("cite des enfants perdus, la (1995)", "City of Lost"),
        ("Cité des enfants perdus", "City of Lost"),
        ("City of Lost Children (La Cité des enfants perdus)", "City of Lost"),
        ("Le fabuleux destin d’Amélie Poulain", "Fabuleux"),
        ("fabuleux destin damelie poulain", "Fabuleux"),
        ("Die Welle", "Welle"),
        ("Welle", "Welle"),
        ("Boot", "Das Boot"),
        ("Boot, Das", "Das Boot"),
        ("L'Enfer", "Enfer"),
        ("enfer", "Enfer"),
        ("El laberinto del fauno", "Laberinto"),
        ("Pans Labyrinth (2006)", "Laberinto"),
        ("MASH", "M*A*S*H"),
        ("m*a*s*h (1970)", "M*A*S*H"),
        ("Fast and Furious", "Fast &"),
        ("Se7en", "Seven"),
        ("千と千尋の神隠し", "千と"),
        ("もののけ姫 (1997)", "もののけ"),
        ("СТАЛКЕР", "Сталкер"),
        ("기생충", "기생충"),
        ("शोले", "शोले"),
        ("शाला (1975)", "शाला"),
        ("جدایی نادر از سیمین", "جدایی"),
        ("Blade Runner 2049", "Blade Runner 2049"),
        ("Blade Runner 2049 2017", "Blade Runner 2049"),
        ("blade runner", "Blade Runner (1982)"),
        ("mouse hunt", "MouseHunt"),
        ("movie m27", "unknown"),
        ("$", "$"),
        ("Heat (1986)", "Heat (1986)"),
        ("i robot", "I, Robot"),
    ],
)
def test_a_movie_is_found_by_any_of_its_names(catalogue: Catalogue, text: str, title: str) -> None:
    assert catalogue.find(text) == _row(title)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Amélie", "Fabuleux"),
        ("Amelei", "Fabuleux"),
        ("Shawshenk Redemtion", "Shawshank"),
        ("Shawshank Redemption (1995)", "Shawshank"),
        ("tye story", "Toy Story"),
        ("mose hunt", "MouseHunt"),
        ("hte haet", "Heat (1995)"),
        ("lost children of the city", "City of Lost"),
        ("Сталкир", "Сталкер"),
        ("千尋", "千と"),
        ("千", "千と"),
        ("سیمین", "جدایی"),
    ],
)
def test_what_is_not_a_name_suggests_words_before_letters(
    catalogue: Catalogue, text: str, first: str
) -> None:
    with pytest.raises(UnknownIdError, match="unknown movie") as refused:
        catalogue.find(text)
    row = _row(first)
    assert refused.value.nearest[0] == f"{catalogue.display_title(row)} [m{row}]"


def test_words_of_several_movies_suggest_them_all(catalogue: Catalogue) -> None:
    suggested = catalogue.title_index.suggest("star wars")
    assert set(suggested[:2]) == {_row("Star Wars: Episode IV"), _row("Star Wars: Episode V")}
    assert suggested[2] == _row("Dark Star")


def test_nothing_is_suggested_for_what_resembles_nothing(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownIdError, match="no movie is close to it") as refused:
        catalogue.find("xqzzt kwv")
    assert refused.value.nearest == ()
    with pytest.raises(UnknownIdError):
        _catalogue([]).find("Heat")


def test_the_name_of_several_movies_is_refused_with_all_of_them(catalogue: Catalogue) -> None:
    with pytest.raises(AmbiguousNameError, match="'emma' is the name of more than one movie") as no:
        catalogue.find("emma")
    assert no.value.nearest == ("Emma (1996) [m4]", "Emma (2020) [m5]")
    many = _catalogue([f"Emma ({year})" for year in range(1990, 1999)])
    with pytest.raises(AmbiguousNameError, match=r"Emma \(1994\) \[m4\]; and 4 more"):
        many.find("Emma")


def test_one_film_listed_twice_is_its_first_entry() -> None:
    assert _catalogue(["Ran (1985)", "Heat (1995)", "Heat (1995)"]).find("heat") == 1


def test_a_whole_title_goes_before_a_name_in_brackets_and_that_before_one_without_article() -> None:
    catalogue = _catalogue(["Die Hard (1988)", "Hot (Hard) (1990)", "Hard (1979)"])
    assert catalogue.find("hard") == 2
    assert catalogue.find("hard (1990)") == 1
    assert _catalogue(["Die Hard (1988)", "Hot (Hard) (1990)"]).find("hard") == 1


def test_vowel_signs_tell_titles_apart() -> None:
    assert title_key("शोले") != title_key("शाला")
    assert title_key("ที่") != title_key("ทา")
    assert len(np.unique(_catalogue(["शोले (1975)", "शाला (1975)"]).film_groups)) == 2


def test_numbers_are_ids() -> None:
    catalogue = build_catalogue([Movie("7", "Heat"), Movie("50", "1984")], (), "toy")
    assert [catalogue.find(7), catalogue.find(np.int64(50)), catalogue.find(50.0)] == [0, 1, 1]
    assert catalogue.items.row(7) == 0
    assert catalogue.find("1984") == 1


@pytest.mark.parametrize("value", [None, math.nan, True, "", " ", 1.5, b"7", ["7"]])
def test_what_is_no_id_or_name_is_refused(catalogue: Catalogue, value: object) -> None:
    with pytest.raises(DataError, match="is no movie id"):
        catalogue.find(value)  # type: ignore[arg-type]


def test_a_search_box_lists_what_begins_so(catalogue: Catalogue) -> None:
    def titles(text: str, limit: int = 3) -> list[str]:
        return [catalogue.display_title(row) for row in catalogue.search(text, limit)]

    assert titles("toy st") == ["Toy Story (1995)"]
    assert titles("star", 1) == ["Star Wars: Episode IV - A New Hope (1977)"]
    assert len(titles("star")) == 3
    assert titles("heat 19") == ["Heat (1995)", "Heat (1986)"]
    assert titles("amel") == ["Fabuleux destin d'Amélie Poulain, Le (2001)"]
    assert titles("enfants per")[0].startswith("City of Lost Children")
    assert titles("神") == ["千と千尋の神隠し (2001)"]
    assert titles("Стал") == ["Сталкер (1979)"]
    assert titles("shawshenk")[0].startswith("Shawshank")
    assert titles("", 3) == titles("qqqq") == []


def test_no_text_breaks_the_index(catalogue: Catalogue) -> None:
    chance = random.Random(5)
    letters = "aeà'’() ,.&1९शो千ガกำ한\u0301\u200d\ud800\x00İßﬁ"
    for _ in range(300):
        text = "".join(chance.choice(letters) for _ in range(chance.randrange(12)))
        rows = _catalogue([text, "Heat (1995)"]).title_index.rows("Heat")
        assert rows == [1]
        index = catalogue.title_index
        for found in (index.rows(text), index.suggest(text), index.search(text, 4)):
            assert all(0 <= row < len(catalogue) for row in found)


def test_every_title_is_found_that_is_one_movies_alone() -> None:
    """What a table of whole titles finds is found, under any spelling that ``title_key`` allows."""
    chance = random.Random(7)
    words = ["The", "Heat", "Émile", "of", "L'eau", "2", "千尋", "A", "(Chaos)", "Ran,", "Die"]
    for _ in range(60):
        titles = [" ".join(chance.choices(words, k=chance.randrange(1, 4))) for _ in range(9)]
        years = [chance.choice([1995, 1996, UNKNOWN_YEAR]) for _ in titles]
        movies = [Movie(f"m{n}", *movie) for n, movie in enumerate(zip(titles, years, strict=True))]
        catalogue = build_catalogue(movies, (), "toy")
        rows: dict[str, list[int]] = {}
        for row, title in enumerate(titles):
            for key in {title_key(title), title_key(catalogue.display_title(row))}:
                rows.setdefault(key, []).append(row)
        for text in [*titles, *map(catalogue.display_title, range(len(titles)))]:
            expected = rows[title_key(text)]
            if len({catalogue.film_groups[row] for row in expected}) == 1:
                assert catalogue.find(text.upper()) == catalogue.find(text) == expected[0]
            else:
                with pytest.raises(AmbiguousNameError):
                    catalogue.find(text)

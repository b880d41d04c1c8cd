from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.facts import Crosswalk, with_film_ids
from recsys.data.items_join import read_links
from recsys.data.items_spec import FieldSpec, ItemsTable, presets
from recsys.data.items_table import numeric_fact, with_items_table
from recsys.data.movies import Movie, build_catalogue
from recsys.errors import ConfigError, DataError

Write = Callable[[str, str | bytes], Path]

IDS = Crosswalk.read(
    "item_id,movielens_id,imdb_id,tmdb_id\n1,10,tt0114709,862\n2,20,tt0113189,710\n"
    "3,10,tt0114709,862\n"
)
RATINGS = np.array([6, 3, 1, 0])

TABLE = """id,plot,cast,minutes,votes
862,A boy's toys.,Tom Hanks|Tim Allen,81.0,5415
862,again,,,
710,,Pierce Brosnan,a long film,1194
949,Heat,Al Pacino,170,1886
,no id,,,
broken,row
"""
FIELDS = {
    "plot": FieldSpec(column="plot", kind="text"),
    "actor": FieldSpec(column="cast", separator="|"),
    "runtime": FieldSpec(column="minutes", kind="number"),
    "votes": FieldSpec(column="votes", kind="number"),
}


@pytest.fixture
def catalogue() -> Catalogue:
    """Toy Story twice, GoldenEye, and a movie of which nothing is known."""
    movies = [
        Movie("1", "Toy Story", 1995),
        Movie("2", "GoldenEye", 1995),
        Movie("3", "Toy Story", 1995),
        Movie("4"),
    ]
    return with_film_ids(build_catalogue(movies, (), "toy"), IDS)


@pytest.fixture
def table(write: Write) -> ItemsTable:
    return ItemsTable(path=write("own.csv", TABLE), fields=FIELDS, id_column="id", key="tmdb")


def test_facts_reach_the_movies_and_every_row_is_accounted_for(
    catalogue: Catalogue, table: ItemsTable
) -> None:
    known, report = with_items_table(catalogue, table, ids=IDS, ratings=RATINGS)
    toy = ("A boy's toys.",)
    assert known.facts["plot"] == (toy, (), toy, ())
    assert known.facts["actor"] == (
        ("Tom Hanks", "Tim Allen"),
        ("Pierce Brosnan",),
        ("Tom Hanks", "Tim Allen"),
        (),
    )
    assert (report.rows, report.used, report.unmatched, report.duplicates) == (5, 2, 1, 1)
    assert (report.empty_keys, report.malformed) == (1, 1)
    assert report.unmatched_ids == ("'949'",)
    assert report.duplicate_ids == ("'862' in row 2",)
    assert report.malformed_rows == ("line 7: 2 fields, not 5: 'broken,row'",)
    assert (report.keyed.present, report.matched.present, report.matched.by_ratings) == (3, 3, 1)
    minutes = report.fields[2]
    assert (minutes.filled, minutes.empty, minutes.unreadable) == (1, 0, 1)
    assert minutes.examples == ("row 3: not a number: 'a long film'",)
    assert (minutes.coverage.present, minutes.coverage.by_movies) == (2, 0.5)
    assert minutes.coverage.by_ratings == pytest.approx(0.7)
    assert report.any_text is not None
    assert report.any_text.present == 2
    np.testing.assert_array_equal(
        numeric_fact(known, "runtime"), np.float32([81, np.nan, 81, np.nan])
    )
    assert json.loads(json.dumps(report.to_dict()))["fields"][0]["field"] == "plot"


def test_what_later_years_knew_is_left_out_unless_asked_for(
    catalogue: Catalogue, table: ItemsTable
) -> None:
    known, report = with_items_table(catalogue, table, ids=IDS)
    assert "votes" not in known.facts
    assert report.left_out == ("votes",)
    assert report.warnings == ()
    asked = ItemsTable(
        path=table.path, fields=FIELDS, id_column="id", key="tmdb", leakage_prone=True
    )
    known, report = with_items_table(catalogue, asked, ids=IDS)
    assert known.facts["votes"][1] == ("1194",)
    assert report.left_out == ()
    assert "votes: leakage-prone, known only after the movies were rated" in report.warnings[0]


@pytest.mark.parametrize("name", ["genre", "keywords"])
def test_labels_are_never_facts(name: str) -> None:
    for fields in ({name: FieldSpec(column="x")}, {"x": FieldSpec(column=name)}):
        with pytest.raises(ConfigError, match="names genres, which are labels"):
            ItemsTable(path=Path("own.csv"), fields=fields, id_column="id")


def test_genres_become_labels_of_a_catalogue_without(catalogue: Catalogue, write: Write) -> None:
    path = write("own.tsv", "item\tkinds\n1\tComedy|Animation\n2\tAction\n")
    table = ItemsTable(path=path, id_column="item", genres=FieldSpec(column="kinds", separator="|"))
    known, _ = with_items_table(catalogue, table)
    assert known.genre_names == ("Action", "Animation", "Comedy")
    assert known.genres_of(0) == ["Animation", "Comedy"]
    assert known.facts == {}
    again, report = with_items_table(known, table)
    assert again.genre_names == known.genre_names
    assert "keeps its own genres" in report.warnings[0]


def test_titles_and_years_are_added_where_they_are_unknown(
    catalogue: Catalogue, write: Write
) -> None:
    path = write("own.csv", "item,name,released\n1,Another Name,2001\n4,Heat (1995),\n")
    table = ItemsTable(path=path, id_column="item", title="name", year="released")
    known, _ = with_items_table(catalogue, table)
    assert known.display_title(0) == "Toy Story (1995)"
    assert known.display_title(3) == "Heat (1995)"
    path = write("bare.csv", "item,x\n4,y\n")
    bare, _ = with_items_table(
        catalogue, ItemsTable(path=path, fields={"x": FieldSpec(column="x")}, id_column="item")
    )
    assert (bare.titles[3], bare.years[3]) == ("", UNKNOWN_YEAR)


def test_a_second_source_replaces_a_fact_or_fills_its_gaps(
    catalogue: Catalogue, write: Write
) -> None:
    first = write("first.csv", "item,director\n1,m.lasseter\n")
    second = write("second.csv", "item,director\n1,John Lasseter\n2,Martin Campbell\n")
    fields = {"director": FieldSpec(column="director")}
    known, _ = with_items_table(catalogue, ItemsTable(path=first, fields=fields, id_column="item"))
    replaced, report = with_items_table(
        known, ItemsTable(path=second, fields=fields, id_column="item")
    )
    assert replaced.facts["director"][:2] == (("John Lasseter",), ("Martin Campbell",))
    assert report.replaced == ("director",)
    filling = ItemsTable(path=second, fields=fields, id_column="item", existing="fill")
    filled, report = with_items_table(known, filling)
    assert filled.facts["director"][:2] == (("m.lasseter",), ("Martin Campbell",))
    assert report.replaced == ()


@pytest.mark.parametrize(
    ("key", "ids"),
    [
        ("item", ["1", "2", "3", "4"]),
        ("item", ["1.0", "2.0", "3.0", "4.0"]),
        ("film", ["10", "20"]),
        ("imdb", ["tt0114709", "0113189"]),
        ("imdb", ["114709", "113189.0"]),
        ("tmdb", ["862", "710.0"]),
    ],
)
def test_movies_are_found_by_any_of_their_ids(
    catalogue: Catalogue, write: Write, key: str, ids: list[str]
) -> None:
    path = write("own.csv", "id,x\n" + "".join(f"{id_},v{i}\n" for i, id_ in enumerate(ids)))
    table = ItemsTable(path=path, fields={"x": FieldSpec(column="x")}, id_column="id", key=key)  # type: ignore[arg-type]
    known, report = with_items_table(catalogue, table, ids=IDS)
    assert report.unmatched == 0
    assert known.facts["x"][:2] == (("v0",), ("v1",))
    assert known.facts["x"][3] == ((("v3",)) if key == "item" else ())


def test_an_id_that_looks_like_a_number_is_first_taken_as_it_is(write: Write) -> None:
    catalogue = build_catalogue([Movie("1"), Movie("1.0"), Movie("2")], (), "toy")
    table = ItemsTable(
        path=write("own.csv", "id,x\n1.0,a\n2.0,b\n"),
        fields={"x": FieldSpec(column="x")},
        id_column="id",
    )
    known, _ = with_items_table(catalogue, table)
    assert known.facts["x"] == ((), ("a",), ("b",))


def test_movies_are_found_by_title_and_year(catalogue: Catalogue, write: Write) -> None:
    text = "name,first,x,year\nGolden Eye,,a,1996\nToys,toy story,b,1995\nToy Story 2,,c,1999\n"
    table = ItemsTable(
        path=write("own.csv", text),
        fields={"x": FieldSpec(column="x")},
        key="title",
        title="name",
        year="year",
        other_titles=("first",),
    )
    known, report = with_items_table(catalogue, table)
    assert known.facts["x"] == (("b",), ("a",), ("b",), ())
    assert report.unmatched_ids == ("'Toy Story 2' (1999)",)
    assert report.rows == report.used + report.unmatched + report.duplicates + report.empty_keys
    assert report.to_dict()["matching"]["title, year ± 1"] == 1


def test_film_ids_are_translated_by_links_and_item_ids_are_not(
    catalogue: Catalogue, write: Write
) -> None:
    links = write(
        "links.csv", "movieId,imdbId,tmdbId\n10,0114709,862\n20,113189,710\n1,0000001,1\n"
    )
    assert read_links(links, catalogue).ids == IDS.ids
    bare = build_catalogue([Movie("1")], (), "toy")
    with pytest.raises(DataError, match="no film ids"):
        read_links(links, bare)


def test_a_missing_column_is_named_with_the_nearest(catalogue: Catalogue, write: Write) -> None:
    path = write("own.csv", "item,overvew\n1,x\n")
    table = ItemsTable(
        path=path, fields={"overview": FieldSpec(column="overview", kind="text")}, id_column="item"
    )
    with pytest.raises(DataError, match=r"no column 'overview'(.|\n)*did you mean 'overvew'"):
        with_items_table(catalogue, table)
    path = write("own.csv", "item,x,x\n1,a,b\n")
    with pytest.raises(DataError, match="2 columns are called 'x'"):
        with_items_table(
            catalogue, ItemsTable(path=path, fields={"x": FieldSpec(column="x")}, id_column="item")
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("item,x\n", "no row of 2 fields"),
        ('item,x\n1,"' + "y" * 200_000, "line 2: field larger"),
        (b"item,x\n1,\xff\n", "is not utf-8 text"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    catalogue: Catalogue, write: Write, content: str | bytes, message: str
) -> None:
    table = ItemsTable(
        path=write("own.csv", content), fields={"x": FieldSpec(column="x")}, id_column="item"
    )
    with pytest.raises(DataError, match=message):
        with_items_table(catalogue, table)


def test_ids_that_are_needed_must_be_given(catalogue: Catalogue, table: ItemsTable) -> None:
    with pytest.raises(ConfigError, match="needs the movies' ids there"):
        with_items_table(catalogue, table)
    with pytest.raises(ConfigError, match="give its id_column"):
        ItemsTable(path=Path("own.csv"))
    with pytest.raises(ConfigError, match="give its title"):
        ItemsTable(path=Path("own.csv"), id_column="id", key="title")


def test_a_table_about_other_movies_says_so(catalogue: Catalogue, write: Write) -> None:
    path = write("own.csv", "id,x\nalpha,1\n")
    _, report = with_items_table(
        catalogue, ItemsTable(path=path, fields={"x": FieldSpec(column="x")}, id_column="id")
    )
    assert "is 'item' its key?" in report.warnings[0]


def test_parquet_columns_may_hold_lists_numbers_and_dates(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    frame = pd.DataFrame(
        {
            "id": [1.0, 2.0, None],
            "cast": [["Tom Hanks", "Tim Allen"], [], None],
            "companies": [[{"name": "Pixar"}], None, None],
            "day": [date(1995, 11, 22), None, None],
            "time": [datetime(1995, 11, 22, 8), None, None],
            "minutes": [81.0, float("nan"), 90.5],
        }
    )
    frame.to_parquet(tmp_path / "own.parquet")
    fields = {
        "actor": FieldSpec(column="cast", names=True),
        "company": FieldSpec(column="companies", names=True),
        "day": FieldSpec(column="day"),
        "time": FieldSpec(column="time"),
        "runtime": FieldSpec(column="minutes", kind="number"),
    }
    known, report = with_items_table(
        catalogue, ItemsTable(path=tmp_path / "own.parquet", fields=fields, id_column="id")
    )
    assert {name: values[0] for name, values in known.facts.items()} == {
        "actor": ("Tom Hanks", "Tim Allen"),
        "company": ("Pixar",),
        "day": ("1995-11-22",),
        "time": ("1995-11-22T08:00:00",),
        "runtime": ("81",),
    }
    assert not any(values[1] for values in known.facts.values())
    assert (report.used, report.empty_keys) == (2, 1)


def test_texts_may_run_over_lines(catalogue: Catalogue, write: Write) -> None:
    path = write("own.csv", 'item,plot\r\n1,"He said ""no"",\r\nand left."\r\n2,x\r\n')
    table = ItemsTable(
        path=path, fields={"plot": FieldSpec(column="plot", kind="text")}, id_column="item"
    )
    known, _ = with_items_table(catalogue, table)
    assert known.facts["plot"][:2] == (('He said "no", and left.',), ("x",))


def test_a_text_that_names_genres_is_told_of(write: Write) -> None:
    movies = [Movie("1", genres=("Comedy", "Children's")), Movie("2", genres=("War",)), Movie("3")]
    text = "item,plot,extract\n1,A dog.,A film for children.\n2,A front.,A war film.\n3,,A film.\n"
    fields = {name: FieldSpec(column=name, kind="text") for name in ("plot", "extract")}
    table = ItemsTable(path=write("own.csv", text), fields=fields, id_column="item")
    _, report = with_items_table(build_catalogue(movies, (), "toy"), table)
    (warning,) = report.warnings
    assert warning.startswith("extract: 100% of these texts name a genre")


def test_numbers_are_asked_for_by_name(catalogue: Catalogue, table: ItemsTable) -> None:
    known, _ = with_items_table(catalogue, table, ids=IDS)
    with pytest.raises(DataError, match=r"no fact 'runtim'(.|\n)*runtime"):
        numeric_fact(known, "runtim")
    with pytest.raises(DataError, match="'actor' does not hold numbers"):
        numeric_fact(known, "actor")


MOVIES_DATASET = {
    "adult": "False",
    "belongs_to_collection": "{'id': 10194, 'name': 'Toy Story Collection', 'poster_path': None}",
    "budget": "0",
    "genres": "[{'id': 16, 'name': 'Animation'}]",
    "id": "862",
    "original_language": "en",
    "original_title": "Toy Story",
    "overview": "No overview found.",
    "popularity": "21.9",
    "production_companies": "[{'name': \"Club d'Investissement\", 'id': 3}]",
    "production_countries": "[{'iso_3166_1': 'US', 'name': 'United States of America'}]",
    "release_date": "1995-10-30",
    "revenue": "373554033.0",
    "runtime": "81.0",
    "tagline": "",
    "title": "Toy Story",
    "vote_average": "7.7",
    "vote_count": "5415.0",
}
BROKEN_ROW = " - Written by Ørnås,0.065736,/ff9qCepilowshEtG2GYWwzt2bs4.jpg\n"


def test_the_movies_dataset_is_read_with_its_broken_rows(
    catalogue: Catalogue, write: Write, tmp_path: Path
) -> None:
    text = pd.DataFrame([MOVIES_DATASET]).to_csv(index=False)
    write("movies_metadata.csv", text + BROKEN_ROW)
    known, report = with_items_table(
        catalogue, ItemsTable(path=tmp_path, preset="the-movies-dataset"), ids=IDS
    )
    assert {name: values[0] for name, values in known.facts.items()} == {
        "overview": (),
        "tagline": (),
        "language": ("en",),
        "runtime": ("81",),
        "budget": (),
        "company": ("Club d'Investissement",),
        "country": ("United States of America",),
        "collection": ("Toy Story Collection",),
    }
    assert known.genre_names == ("Animation",)
    assert report.malformed == 1
    assert set(report.left_out) == {"vote_average", "vote_count", "popularity", "revenue"}


def test_presets_are_tables_like_ones_own(tmp_path: Path) -> None:
    for name, table in presets().items():
        assert ItemsTable(path=tmp_path, preset=name).file == tmp_path / table.path
        assert table.left_out or not table.leakage_prone
    assert ItemsTable(path=tmp_path / "mine.csv", preset="tmdb-5000").file == tmp_path / "mine.csv"
    with pytest.raises(ConfigError, match=r"no preset 'mmtf14k'(.|\n)*mmtf-14k"):
        ItemsTable(path=tmp_path, preset="mmtf14k")

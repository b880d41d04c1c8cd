from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.data import facts
from recsys.data.facts import Crosswalk, with_film_ids
from recsys.data.movies import Movie, build_catalogue
from recsys.data.sources import open_dataset
from recsys.errors import DataError

Write = Callable[[str, str | bytes], Path]

GRAPH = """head_id:token\trelation_id:token\ttail_id:token
m.toy\tfilm.film.actor\tm.hanks
m.toy\tfilm.film.directed_by\tm.lasseter
m.toy\tfilm.film.actor\tm.allen
m.toy\tfilm.film.actor\tm.hanks
m.toy\tfilm.film.genre\tm.animation
m.toy\tfilm.film.award_won\tm.oscar
m.toy\tfilm.film.sequel\tm.toy2
m.lasseter\tfilm.director.film\tm.toy
m.other\tfilm.film.actor\tm.nobody
m.two\tfilm.film.country\tm.usa
"""

# Item 2 is movie 20 elsewhere, and item 9 here is not movie 9 there.
CROSSWALK = Crosswalk.read(
    "item_id,movielens_id,imdb_id,tmdb_id\n1,1,tt1,862\n2,20,tt2,\n9,90,,\n51,1,tt1,862\n"
)


@pytest.fixture
def graph(write: Write) -> Path:
    """A folder of atomic files in which two movies of the toy data set are linked."""
    write("kg/ml-100k.kg", GRAPH)
    write("kg/ml-100k.link", "item_id:token\tentity_id:token\n1\tm.toy\n20\tm.two\n9\tm.other\n")
    items = "item_id:token\tmovie_title:token_seq\n1\tToy Story\n2\tAnother Film\n"
    return write("kg/ml-100k.item", items).parent


def test_facts_are_the_forward_relations_of_linked_films(graph: Path) -> None:
    found = facts.read_graph(graph, "ml-100k", CROSSWALK)
    assert set(found.values) == set(facts.RELATIONS.values())
    cast = ("m.hanks", "m.allen")
    assert found.values["actor"] == {"1": cast, "51": cast}
    assert found.values["director"] == {"1": ("m.lasseter",), "51": ("m.lasseter",)}
    assert found.values["country"] == {"2": ("m.usa",)}
    everything = repr(found.values)
    assert not any(word in everything for word in ("animation", "oscar", "toy2", "nobody"))


def test_a_film_gets_facts_only_if_its_title_agrees(graph: Path) -> None:
    movies = [Movie("2", "Usual Suspects, The", 1995), Movie("1", "toy story", 1995), Movie("3")]
    catalogue = build_catalogue(movies, (), "u.item")
    known = facts.with_facts(catalogue, facts.read_graph(graph, "ml-100k", CROSSWALK))
    assert known.facts["actor"] == ((), ("m.hanks", "m.allen"), ())
    assert known.facts["country"] == ((), (), ())
    assert known.items == catalogue.items
    assert np.array_equal(known.genres, catalogue.genres)


def test_the_recipe_attaches_facts_whatever_the_format_of_the_ratings(
    ml_100k_folder: Path, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "recbole_data", lambda _: graph)
    dataset = open_dataset(data_dir=ml_100k_folder)
    assert dataset.catalogue.facts["director"][0] == ("m.lasseter",)
    monkeypatch.setattr(facts, "recbole_data", lambda _: None)
    assert open_dataset(data_dir=ml_100k_folder).catalogue.facts == {}


def test_a_package_is_located_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "recbole"
    (package / "dataset_example" / "ml-100k").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "recbole", raising=False)
    assert facts.recbole_data("ml-100k") == package / "dataset_example" / "ml-100k"
    assert facts.recbole_data("ml-1m") is None
    assert "recbole" not in sys.modules


def test_a_table_of_ids_lacking_a_column_is_refused() -> None:
    with pytest.raises(DataError, match="tmdb_id"):
        Crosswalk.read("item_id,movielens_id,imdb_id\n1,1,tt1\n")


def test_entries_with_one_film_id_are_one_film_whatever_their_titles() -> None:
    movies = [
        Movie("1", "Bewegte Mann, Der", 1994),
        Movie("2", "Maybe, Maybe Not", 1994),
        Movie("3", "Maybe... Maybe Not", 1994),
        Movie("4", "Heat", 1995),
    ]
    catalogue = build_catalogue(movies, (), "u.item")
    ids = Crosswalk.read("item_id,movielens_id,imdb_id,tmdb_id\n1,860,,\n2,860,,\n4,6,,\n")
    known = with_film_ids(catalogue, ids)
    assert known.film_ids == ("860", "860", "", "6")
    # 1 and 2 by id, 2 and 3 by title: one film, by way of 2.
    assert known.film_groups.tolist() == [0, 0, 0, 1]
    assert catalogue.film_groups.tolist() == [0, 1, 1, 2]

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.data import facts
from recsys.data.movies import Movie, build_catalogue
from recsys.data.sources import open_dataset

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


@pytest.fixture
def graph(write: Write) -> Path:
    """A folder of atomic files in which two movies of the toy data set are linked."""
    write("kg/ml-100k.kg", GRAPH)
    write("kg/ml-100k.link", "item_id:token\tentity_id:token\n1\tm.toy\n2\tm.two\n")
    items = "item_id:token\tmovie_title:token_seq\n1\tToy Story\n2\tAnother Film\n"
    return write("kg/ml-100k.item", items).parent


def test_facts_are_the_forward_relations_of_linked_films(graph: Path) -> None:
    found = facts.read_graph(graph, "ml-100k")
    assert set(found.values) == set(facts.RELATIONS.values())
    assert found.values["actor"] == {"1": ("m.hanks", "m.allen")}
    assert found.values["director"] == {"1": ("m.lasseter",)}
    assert found.values["country"] == {"2": ("m.usa",)}
    everything = repr(found.values)
    assert not any(word in everything for word in ("animation", "oscar", "toy2", "nobody"))


def test_a_film_gets_facts_only_if_its_title_agrees(graph: Path) -> None:
    movies = [Movie("2", "Usual Suspects, The", 1995), Movie("1", "toy story", 1995), Movie("3")]
    catalogue = build_catalogue(movies, (), "u.item")
    known = facts.with_facts(catalogue, facts.read_graph(graph, "ml-100k"))
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

"""The same movies under the ids of other lists, and what a knowledge graph knows about them.

The graph in RecBole's wheel links MovieLens to Freebase; how such links are made: Zhao et al. 2019,
"KB4Rec: A Data Set for Linking Knowledge Bases with Recommender Systems", doi
10.1162/dint_a_00008. Its ``.link`` file calls its key ``item_id``, but the ids are those of the
later MovieLens data sets: read as MovieLens-100K's own, they give most movies the facts of another
film (RUCAIBox/RecSysDatasets issue 130). They are translated here. Its genre relation is left out
because genre is a label, its awards because they come after the ratings, and its sequels and
prequels because they tell nothing of a film's own content.
"""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from recsys.data.catalogue import Catalogue
from recsys.data.readers import atomic
from recsys.data.titles import title_key
from recsys.errors import DataError

_COLUMNS = ("item_id", "movielens_id", "imdb_id", "tmdb_id")


@dataclass(frozen=True)
class MovieIds:
    """One movie's ids; "" where it has none.

    Attributes:
        movielens: the id that MovieLens 1M and all later MovieLens data sets share.
        imdb: with its prefix, ``tt0114709``.
        tmdb: of The Movie Database.
    """

    movielens: str
    imdb: str
    tmdb: str


@dataclass(frozen=True)
class Crosswalk:
    """A data set's item ids to the ids of the same movies elsewhere."""

    ids: Mapping[str, MovieIds]

    @classmethod
    def read(cls, text: str) -> Self:
        """From CSV text with the columns item_id, movielens_id, imdb_id, tmdb_id.

        Raises:
            DataError: a column is missing.
        """
        reader = csv.DictReader(io.StringIO(text))
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"a table of movie ids lacks the columns {', '.join(missing)}")
        return cls({row[_COLUMNS[0]]: MovieIds(*(row[c] for c in _COLUMNS[1:])) for row in reader})

    def by_movielens(self) -> dict[str, list[str]]:
        """MovieLens id to the item ids it has here: two for a film that is listed twice."""
        items: dict[str, list[str]] = {}
        for item, ids in self.ids.items():
            if ids.movielens:
                items.setdefault(ids.movielens, []).append(item)
        return items


def with_film_ids(catalogue: Catalogue, crosswalk: Crosswalk) -> Catalogue:
    """The same movies, with their MovieLens ids as film ids."""
    known = crosswalk.ids
    films = tuple(known[item].movielens if item in known else "" for item in catalogue.items)
    return replace(catalogue, film_ids=films)


RELATIONS: Mapping[str, str] = {
    "film.film.actor": "actor",
    "film.film.directed_by": "director",
    "film.film.written_by": "writer",
    "film.film.produced_by": "producer",
    "film.film.cinematography": "cinematographer",
    "film.film.production_companies": "company",
    "film.film.country": "country",
    "film.film.language": "language",
    "film.film.subjects": "subject",
    "film.film.rating": "content_rating",
}


@dataclass(frozen=True)
class GraphFacts:
    """Facts about movies of one data set, by its ids.

    Attributes:
        titles: item id to title: an id alone may mean another film in another file.
        values: field to item id to values, in the order of the source.
    """

    titles: Mapping[str, str]
    values: Mapping[str, Mapping[str, tuple[str, ...]]]


def with_facts(catalogue: Catalogue, facts: GraphFacts) -> Catalogue:
    """The same movies with the facts of those whose id and title both agree."""
    agree = [
        title != "" and title_key(facts.titles.get(id_, "")) == title_key(title)
        for id_, title in zip(catalogue.items, catalogue.titles, strict=True)
    ]
    known = {
        field: tuple(
            by_id.get(id_, ()) if same else ()
            for id_, same in zip(catalogue.items, agree, strict=True)
        )
        for field, by_id in facts.values.items()
    }
    return replace(catalogue, facts={**catalogue.facts, **known})


def recbole_data(name: str) -> Path | None:
    """The folder of an example data set in RecBole's wheel, if that is installed.

    RecBole is not imported: doing so changes NumPy and reads the command line.
    """
    spec = importlib.util.find_spec("recbole")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "dataset_example" / name
        if folder.is_dir():
            return folder
    return None


def freebase(folder: Path, crosswalk: Crosswalk) -> GraphFacts | None:
    """The Freebase facts of MovieLens-100K, from ``folder`` or else from RecBole's wheel.

    Raises:
        DataError: one of the files cannot be used as it is.
    """
    for place in (folder, recbole_data("ml-100k")):
        if place is not None and (place / "ml-100k.kg").is_file():
            return read_graph(place, "ml-100k", crosswalk)
    return None


def read_graph(folder: Path, stem: str, crosswalk: Crosswalk) -> GraphFacts:
    """Facts from ``.kg``, ``.link`` and ``.item``: relations whose head is a linked film.

    Args:
        folder: where the files are.
        stem: their name without suffix.
        crosswalk: from the MovieLens ids of the links to the ids of the data set.

    Raises:
        DataError: one of the files cannot be used as it is.
    """
    items = crosswalk.by_movielens()
    link = atomic.read_atomic(folder / f"{stem}.link")
    graph = atomic.read_atomic(folder / f"{stem}.kg")
    films: dict[str, list[str]] = {}
    for id_, entity in zip(link["item_id"], link["entity_id"], strict=True):
        films.setdefault(entity, []).extend(items.get(id_, ()))
    found: dict[str, dict[str, dict[str, None]]] = {field: {} for field in RELATIONS.values()}
    triples = zip(graph["head_id"], graph["relation_id"], graph["tail_id"], strict=True)
    for head, relation, tail in triples:
        for id_ in films.get(head, ()) if relation in RELATIONS else ():
            found[RELATIONS[relation]].setdefault(id_, {})[tail] = None
    values = {
        field: {id_: tuple(tails) for id_, tails in by_id.items()} for field, by_id in found.items()
    }
    titles = {movie.id: movie.title for movie in atomic.read_movies(folder / f"{stem}.item")}
    return GraphFacts(titles, values)

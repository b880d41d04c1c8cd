"""Facts from beside the data set, attached to its movies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.config.section import expand
from recsys.config.sources import SourcesConfig
from recsys.data.catalogue import Catalogue
from recsys.data.coverage import SourceReport
from recsys.data.facts import Crosswalk
from recsys.data.items_join import read_links
from recsys.data.items_table import with_items_table
from recsys.data.recipes import load_recipe, recipe_names
from recsys.data.tmdb.store import MovieStore, tmdb_facts
from recsys.errors import ConfigError
from recsys.resources import read_text


def with_sources(
    catalogue: Catalogue, dataset: str, config: SourcesConfig, ratings: NDArray[np.int64] | None
) -> tuple[Catalogue, list[SourceReport]]:
    """The same movies with the facts of every table and of The Movie Database.

    Args:
        catalogue: the movies.
        dataset: name of the data set, whose recipe may know its movies' ids elsewhere.
        config: the sources.
        ratings: (items,) ratings of each movie, for the reports alone.

    Raises:
        ConfigError: a source cannot be used as it is configured.
        DataError: a file is missing, or cannot be used as it is.
    """
    ids = movie_ids(catalogue, dataset, config)
    reports = []
    for entry in config.items:
        table = entry.model_copy(update={"path": expand(entry.path)})
        catalogue, report = with_items_table(catalogue, table, ids=ids, ratings=ratings)
        reports.append(report)
    if config.tmdb is not None:
        known = require_ids(ids, dataset)
        store = MovieStore.of(config.tmdb.settings(), config.tmdb.folder)
        movies = store.movies(m.tmdb for m in known.ids.values() if m.tmdb)
        catalogue, report = tmdb_facts(catalogue, movies, known, ratings=ratings)
        reports.append(report)
    return catalogue, reports


def require_ids(ids: Crosswalk | None, dataset: str) -> Crosswalk:
    """The ids of the movies elsewhere.

    Raises:
        ConfigError: there are none.
    """
    if ids is None:
        raise ConfigError(f"the movies of {dataset} have no ids at TMDB", hint="give sources.links")
    return ids


def movie_ids(catalogue: Catalogue, dataset: str, config: SourcesConfig) -> Crosswalk | None:
    """Under which ids other lists have the movies; None where nothing says so.

    Raises:
        DataError: the file of them cannot be used.
    """
    if config.links is not None:
        return read_links(expand(config.links), catalogue)
    recipe = load_recipe(dataset) if dataset in recipe_names() else None
    if recipe is None or recipe.ids is None:
        return None
    return Crosswalk.read(read_text("datasets", recipe.name, recipe.ids))

"""Facts, files and vectors from beside the data set, attached to its movies."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from recsys.config.features import FeaturesConfig
from recsys.config.imports import expand
from recsys.config.sources import FolderConfig, JobsConfig, SourcesConfig
from recsys.data.catalogue import Catalogue
from recsys.data.crosswalk import Crosswalk
from recsys.data.item_keys import read_links
from recsys.data.items_table import with_items_table
from recsys.data.recipes import load_recipe, recipe_names
from recsys.data.source_report import SourceReport
from recsys.data.tmdb.facts import tmdb_facts
from recsys.data.tmdb.store import MovieStore
from recsys.errors import ConfigError
from recsys.features.audio import AudioEncoder
from recsys.features.cache import FeatureCache
from recsys.features.jobs import FileJob, JobOptions, JobReport, extract_files, file_jobs
from recsys.features.poster import SUFFIXES as POSTER_SUFFIXES
from recsys.features.poster import PosterEncoder
from recsys.features.video import VideoEncoder
from recsys.features.worker_process import EncoderFactory
from recsys.resources import read_text

TRAILER_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".mpg", ".ogv", ".ts")


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
        table = entry.table(expand(entry.path))
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


def encode_files(
    catalogue: Catalogue, features: FeaturesConfig, sources: SourcesConfig, cache: FeatureCache
) -> list[JobReport]:
    """Encode posters and trailers, where there are folders of them.

    Raises:
        ConfigError: an encoder cannot be built.
        DataError: there is no such folder.
    """
    wanted: list[tuple[EncoderFactory, FolderConfig, tuple[str, ...]]] = []
    if sources.posters and features.poster:
        wanted.append((partial(PosterEncoder, features.poster), sources.posters, POSTER_SUFFIXES))
    if sources.trailers and features.video:
        wanted.append((partial(VideoEncoder, features.video), sources.trailers, TRAILER_SUFFIXES))
    if sources.trailers and features.audio:
        wanted.append((partial(AudioEncoder, features.audio), sources.trailers, TRAILER_SUFFIXES))
    return [
        extract_files(factory, _jobs(catalogue, folder, suffixes), cache, _options(sources.jobs))
        for factory, folder, suffixes in wanted
    ]


def _jobs(catalogue: Catalogue, folder: FolderConfig, suffixes: tuple[str, ...]) -> list[FileJob]:
    names = catalogue.film_ids if folder.key == "film" else None
    return file_jobs(catalogue, expand(folder.path), suffixes, names)


def _options(config: JobsConfig) -> JobOptions:
    return JobOptions(**config.model_dump())

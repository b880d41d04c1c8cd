"""Published and home-made vectors as modalities of a catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.config.features import refuse_labels
from recsys.config.imports import FileImport, ImportConfig, Key, MmtfImport, expand
from recsys.data.catalogue import Catalogue, ModalityTable
from recsys.data.movies import Movie
from recsys.data.titles import title_key
from recsys.errors import AlignmentError
from recsys.features.alignment import AlignmentReport, align, rows_by_key
from recsys.features.published.files import read_file
from recsys.features.published.mmtf14k import Mmtf14k
from recsys.features.published.mmtf14k_movies import DESCRIPTION, read_movies

FEWEST_TITLES = 10
"""Titles that are known on both sides, below which nothing is concluded from them."""


def import_modality(
    name: str,
    config: ImportConfig,
    catalogue: Catalogue,
    ratings: NDArray[np.int64] | None = None,
) -> tuple[ModalityTable, AlignmentReport]:
    """Read vectors that were made elsewhere and align them with a catalogue.

    Args:
        name: of the modality.
        config: where they are and what becomes of bad rows.
        catalogue: the movies.
        ratings: (items,) number of ratings of each movie, for the report alone.

    Raises:
        ConfigError: the modality is named for genres, the source does not hold what is asked for,
            or an option does not go with it.
        AlignmentError: the ids of the source mean other films than those of the catalogue.
        DataError: the source cannot be used as it is, or holds rows that are to be refused.
    """
    refuse_labels([name])
    if isinstance(config, FileImport):
        found, card = read_file(config)
        return align(name, found, card, catalogue, config.policy, key=config.key, ratings=ratings)
    return _import_mmtf14k(name, config, catalogue, ratings)


def _import_mmtf14k(
    name: str, config: MmtfImport, catalogue: Catalogue, ratings: NDArray[np.int64] | None
) -> tuple[ModalityTable, AlignmentReport]:
    """The archive speaks of films, by the ids of the later MovieLens data sets."""
    source = Mmtf14k(expand(config.path))
    key: Key = "film" if any(catalogue.film_ids) else "item"
    if DESCRIPTION in source.archive:
        require_same_films(catalogue, key, read_movies(source.archive))
    found, card = source.read(config)
    return align(name, found, card, catalogue, config.policy, key=key, ratings=ratings)


def require_same_films(catalogue: Catalogue, key: Key, movies: Sequence[Movie]) -> None:
    """Refuse ids that happen to be in the catalogue but name other films there.

    The numbers of most lists of films start at 1: read as those of another list, they give nearly
    every movie the vector of a stranger, and nothing else would tell.

    Args:
        catalogue: the movies.
        key: what the ids of ``movies`` are looked up as.
        movies: titles under the ids of the source.

    Raises:
        AlignmentError: fewer than half of the titles agree, with ten or more to compare.
    """
    rows = rows_by_key(catalogue, key)
    pairs = [
        (movie, catalogue.titles[row])
        for movie in movies
        for row in rows.get(movie.id, ())
        if movie.title and catalogue.titles[row]
    ]
    wrong = [pair for pair in pairs if title_key(pair[0].title) != title_key(pair[1])]
    if len(pairs) >= FEWEST_TITLES and 2 * len(wrong) > len(pairs):
        raise AlignmentError(
            f"{len(wrong)} of {len(pairs)} ids mean other films here than in the source",
            rows=[f"id {movie.id}: {movie.title!r}, here {title!r}" for movie, title in wrong[:5]],
            count=len(wrong),
            hint="the catalogue needs film ids of the same list as the source",
        )

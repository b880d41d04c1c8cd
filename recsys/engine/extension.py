"""A bundle that knows one more movie, placed by its content alone.

Legend: U users, I movies, D_m dimensions of modality m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle import Bundle
from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.engine.filters import genre_column
from recsys.errors import DataError
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import MovieVectors


@dataclass(frozen=True)
class NewMovie:
    """A movie that came after training.

    Attributes:
        id: external id, new to the catalogue.
        title: without the year.
        year: of release, None where unknown.
        genres: labels the catalogue knows.
        features: modality to its (D_m,) vector, made as the bundle's encoder cards say; modalities
            it lacks are left out.
    """

    id: str
    title: str
    features: Mapping[str, NDArray[np.floating[Any]]]
    year: int | None = None
    genres: Sequence[str] = field(default=())


def with_movie(bundle: Bundle, movie: NewMovie) -> Bundle:
    """The same bundle with the movie in the row after the last; nothing is trained.

    Raises:
        DataError: the id is taken, or the features are not what the content tower reads.
        UnknownIdError: a genre is unknown.
    """
    old = bundle.contents
    vectors = _embed(old.tower, movie)
    catalogue = _extended(old.catalogue, movie)
    model = old.model.with_movies(vectors)
    seen = old.seen
    contents = replace(
        old,
        catalogue=catalogue,
        histories=replace(old.histories, items=catalogue.items),
        seen=sp.csr_array(
            (seen.data, seen.indices, seen.indptr), shape=(seen.shape[0], len(catalogue))
        ),
        model=model,
    )
    index = type(bundle.index).build(model.item_vectors())
    return replace(bundle, contents=contents, index=index)


def _embed(tower: ContentTower, movie: NewMovie) -> MovieVectors:
    features = {
        name: np.asarray(vector, dtype=np.float32).reshape(1, -1)
        for name, vector in movie.features.items()
    }
    if not any(np.isfinite(vector).all() for vector in features.values()):
        known = ", ".join(f"{name} ({tower.dim(name)})" for name in tower.modalities)
        raise DataError(
            f"movie {movie.id!r} has no content vector, so nothing is known about it",
            hint=f"give at least one of: {known or 'none, the model reads no content'}",
        )
    return tower.embed(features)


def _extended(catalogue: Catalogue, movie: NewMovie) -> Catalogue:
    if movie.id in catalogue.items:
        row = catalogue.items.row(movie.id)
        raise DataError(
            f"movie id {movie.id!r} is taken by {catalogue.display_title(row)}",
            hint="give the new movie an id of its own",
        )
    genres = np.zeros((1, len(catalogue.genre_names)), dtype=bool)
    genres[0, [genre_column(catalogue, name) for name in movie.genres]] = True
    year = UNKNOWN_YEAR if movie.year is None else movie.year
    return Catalogue(
        items=Vocabulary((*catalogue.items.ids, movie.id), kind=catalogue.items.kind),
        titles=(*catalogue.titles, movie.title),
        years=np.append(catalogue.years, np.int32(year)),
        genre_names=catalogue.genre_names,
        genres=np.vstack([catalogue.genres, genres]),
        film_ids=(*catalogue.film_ids, "") if catalogue.film_ids else (),
    )

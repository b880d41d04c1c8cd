"""A movie that came after training.

Legend: U users, I movies, D_m dimensions of modality m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.engine.filters import genre_column
from recsys.errors import DataError
from recsys.queries.context import Context


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


def extended(context: Context, movie: NewMovie) -> Context:
    """The same movies and users, and the movie in the row after the last.

    Raises:
        DataError: the id is taken.
        UnknownIdError: a genre is unknown.
    """
    catalogue = _extended(context.catalogue, movie)
    seen = context.seen
    shape = seen.shape[0], len(catalogue)
    return Context(
        catalogue,
        replace(context.histories, items=catalogue.items),
        sp.csr_array((seen.data, seen.indices, seen.indptr), shape=shape),
    )


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

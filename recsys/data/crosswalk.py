"""The same movies under the ids of other lists."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from recsys.data.catalogue import Catalogue
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

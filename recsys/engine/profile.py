"""Who is asking: a known user, or anybody who names what they like.

Legend: I movies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import RatingScale
from recsys.errors import AlignmentError, DataError
from recsys.queries.context import Context
from recsys.queries.query import Query


@dataclass(frozen=True, eq=False)
class Profile:
    """One person, as the model sees them.

    Attributes:
        user: id of a known user, None for a person who only named movies.
        query: their ratings, as a batch of one.
        seen: (I,) bool, what ``exclude_seen`` leaves out.
        items: fingerprint of the vocabulary of the I movies.
    """

    user: str | None
    query: Query
    seen: NDArray[np.bool_]
    items: str

    @cached_property
    def rated(self) -> NDArray[np.int32]:
        """Rows of the movies in the history."""
        return np.asarray(self.query.histories.indices, dtype=np.int32)

    def require_aligned(self, catalogue: Catalogue) -> None:
        """Refuse a catalogue whose rows are other movies.

        Raises:
            AlignmentError: the profile was made for another catalogue.
        """
        if self.items != catalogue.items.fingerprint:
            raise AlignmentError(
                "the profile was made for another catalogue",
                hint="make it with the user() or profile() of the engine you ask",
            )


def known_profile(user: str, context: Context) -> Profile:
    """The profile of a user of the training data.

    Raises:
        UnknownIdError: there is no such user; the error names the nearest ones.
    """
    row = context.histories.users.row(user)
    items = context.catalogue.items.fingerprint
    return Profile(user, context.one(row), context.seen_by(row), items)


def named_profile(
    ratings: Iterable[tuple[Any, float]], catalogue: Catalogue, scale: RatingScale
) -> Profile:
    """A person made of ratings of named movies.

    Other catalogue entries of the same films count as seen too.

    Raises:
        UnknownIdError: no movie, or more than one, has a name; the error names the nearest.
        DataError: a rating is off the scale, or one movie is named twice with two ratings.
    """
    by_row: dict[int, float] = {}
    for name, rating in ratings:
        row = catalogue.find(name)
        if not isinstance(rating, int | float | np.number):
            raise DataError(f"rating {rating!r} of {catalogue.display_title(row)} is no number")
        if not scale.low <= rating <= scale.high:
            raise DataError(
                f"rating {rating} of {catalogue.display_title(row)} is off the scale "
                f"{scale.low:g}…{scale.high:g}"
            )
        if by_row.setdefault(row, rating) != rating:
            raise DataError(
                f"{catalogue.display_title(row)} is named twice, with ratings {by_row[row]:g} and "
                f"{rating:g}",
                hint="name it once",
            )
    rows = np.array(sorted(by_row), dtype=np.int32)
    stars = np.array([by_row[int(row)] for row in rows], dtype=np.float32)
    history = sp.csr_array((stars, rows, np.array([0, len(rows)])), shape=(1, len(catalogue)))
    seen = np.isin(catalogue.film_groups, catalogue.film_groups[rows])
    return Profile(None, Query.of(history), seen, catalogue.items.fingerprint)

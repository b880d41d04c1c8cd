"""Who is asking: a known user, or anybody who names what they like.

Legend: U users, I movies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle import BundleContents
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import RatingScale
from recsys.errors import AlignmentError, DataError
from recsys.queries.query import Query


@dataclass(frozen=True, eq=False)
class Profile:
    """One person, as the model sees them.

    Attributes:
        user: id of a known user, None for a person who only named movies.
        row: row of that user, -1 for the others.
        history: (1, I) float32 CSR of ratings.
        seen: (I,) bool, what ``exclude_seen`` leaves out.
        items: fingerprint of the vocabulary of the I movies.
        times: (1, I) int64 CSR of when the ratings were given; None for a person who only named
            movies, and where the data has no times.
    """

    user: str | None
    row: int
    history: sp.csr_array
    seen: NDArray[np.bool_]
    items: str
    times: sp.csr_array | None = None

    @property
    def query(self) -> Query:
        """This person as a batch of one."""
        return Query(self.history, np.array([self.row], dtype=np.int32), self.times)

    @property
    def rated(self) -> NDArray[np.int32]:
        """Rows of the movies in the history."""
        return np.asarray(self.history.indices, dtype=np.int32)

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


def known_profile(user: str, contents: BundleContents, everyone: Query) -> Profile:
    """The profile of a user of the training data.

    Args:
        user: the id.
        contents: the known users and what they have seen.
        everyone: the known users with their training ratings.

    Raises:
        UnknownIdError: there is no such user; the error names the nearest ones.
    """
    row = contents.histories.users.row(user)
    seen, asked = contents.seen[[row]].toarray()[0], everyone.slice(row, row + 1)
    items = contents.catalogue.items.fingerprint
    return Profile(user, row, asked.histories, seen, items, asked.times)


def named_profile(
    ratings: Iterable[tuple[str, float]], catalogue: Catalogue, scale: RatingScale
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
    return Profile(None, -1, history, seen, catalogue.items.fingerprint)

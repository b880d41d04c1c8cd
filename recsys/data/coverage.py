"""How much of a catalogue has something, by movies and by ratings.

Coverage is rarely random: the movies that have a trailer are the popular ones, so that the share
of the ratings is the larger of the two.

Legend: I items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.integer[Any]]
"""(I,) ratings of each movie."""


@dataclass(frozen=True)
class Coverage:
    """How many movies have something.

    Attributes:
        name: of what they have.
        present: how many.
        movies: I.
        by_movies: their share.
        by_ratings: the share of the ratings that are of such a movie; None without ratings.
    """

    name: str
    present: int
    movies: int
    by_movies: float
    by_ratings: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def covered(name: str, present: Iterable[bool], ratings: Counts | None = None) -> Coverage:
    """The coverage of anything.

    Args:
        name: of what the movies have.
        present: (I,) which of them have it.
        ratings: (I,) number of ratings of each movie.
    """
    mask = np.fromiter(present, dtype=bool)
    return Coverage(
        name=name,
        present=int(mask.sum()),
        movies=len(mask),
        by_movies=float(mask.mean()) if len(mask) else 0.0,
        by_ratings=share_of_ratings(mask, ratings),
    )


def share_of_ratings(present: NDArray[np.bool_], ratings: Counts | None) -> float | None:
    """Share of the ratings that are of a present movie; None without ratings.

    Args:
        present: (I,) mask.
        ratings: (I,) number of ratings of each movie.
    """
    if ratings is None or not ratings.sum():
        return None
    return float(ratings[present].sum() / ratings.sum())

"""A list of movies for one person, and why each is there.

Legend: I movies, k list length, n liked movies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recsys.engine.filters import Filters
from recsys.engine.results import Because
from recsys.errors import ConfigError
from recsys.queries.topk import TopK, top_k
from recsys.recommenders.base import Contributions, UserView, require_at_least
from recsys.retrieval.index import Index

ITSELF: Final = "(the movie itself)"
OTHERS: Final = "(all other liked movies)"
_FEW = 5


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        k: how many movies.
        exclude_seen: leave out what the person has seen.
        filters: what a movie must be to be recommended.
        because: how many liked movies each explanation names, None for all.

    Raises:
        ConfigError: ``k`` is below 1 or ``because`` below 0.
    """

    k: int = 10
    exclude_seen: bool = True
    filters: Filters = field(default_factory=Filters)
    because: int | None = None

    def __post_init__(self) -> None:
        require_at_least("k", self.k, 1)
        require_at_least("because", 0 if self.because is None else self.because, 0)
        if not isinstance(self.filters, Filters):
            hint = 'give Filters(genre="Comedy", years=(1990, 1999))'
            raise ConfigError(f"filters is {self.filters!r}", hint=hint)


def best(
    view: UserView, index: Index | None, eligible: NDArray[np.bool_], k: int
) -> tuple[TopK, int]:
    """The (1, k) best eligible movies for a person, and how many there are.

    A model of vectors is asked through its index, any other by all its scores; a movie that it
    cannot score is not eligible.
    """
    if view.vector is not None and index is not None:
        available = int(np.count_nonzero(eligible))
        if not available:
            return TopK(np.empty((1, 0), np.int32), np.empty((1, 0), np.float32)), 0
        return index.search(view.vector[None], min(k, available), eligible), available
    scores = np.where(eligible, view.scores(), np.float32(-np.inf))
    available = int(np.count_nonzero(scores > -np.inf))
    return top_k(scores[None], max(min(k, available), 1)), available


def reasons(
    contributions: Contributions, labels: Mapping[int, tuple[str, str]], keep: int | None = None
) -> list[list[Because]]:
    """Why each movie has its score: liked movies by falling contribution, the rest, its own bias.

    Args:
        contributions: to the scores of some movies.
        labels: row to id and title of every movie.
        keep: how many liked movies are named; the others become one entry, so that the sum stays.
            All by default.
    """
    rows, values = contributions.rows, contributions.values
    kept = len(rows) if keep is None else min(keep, len(rows))
    order = _largest(values, kept)
    named = values[np.arange(len(values))[:, None], order]
    rest = values.sum(axis=1, dtype=np.float64) - named.sum(axis=1, dtype=np.float64)
    tail: list[tuple[str | None, str]] = [(None, ITSELF)]
    last = [contributions.bias[:, None]]
    if kept < len(rows):
        tail, last = [(None, OTHERS), *tail], [rest[:, None], *last]
    # Eight digits of what is computed in float32: the product with 1e8 that NumPy takes is exact.
    shares = np.round(np.concatenate([named, *last], axis=1, dtype=np.float64), 8).tolist()
    return [
        [
            Because(item, title, share)
            for (item, title), share in zip(
                [*map(labels.__getitem__, movies), *tail], line, strict=True
            )
        ]
        for movies, line in zip(rows[order].tolist(), shares, strict=True)
    ]


def _largest(values: NDArray[np.floating[Any]], count: int) -> NDArray[np.intp]:
    """(k, count) columns of the largest values of each row, falling; ties go to the lower one."""
    if count > min(_FEW, values.shape[1] - 1):
        return np.argsort(-values, axis=1, kind="stable")[:, :count]
    left, each = values.copy(), np.arange(len(values))
    order = np.empty((len(values), count), dtype=np.intp)
    for place in range(count):
        order[:, place] = left.argmax(axis=1)
        left[each, order[:, place]] = -np.inf
    return order

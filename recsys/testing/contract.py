"""What the contracts share: a fresh subject, a fitted one, and words for what went wrong.

Legend: U users, I items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.hashing import fingerprint
from recsys.data.interactions import Interactions
from recsys.queries.query import Query
from recsys.testing.worlds import World


class Contract:
    """Base of the contracts of things that are fitted.

    Attributes:
        personalised: whether taste changes the answers; False for popularity and bias models.
    """

    personalised: bool = True

    def make(self) -> Any:
        """A fresh subject, not fitted, that fits the toy worlds in seconds."""
        raise NotImplementedError("say how to make the thing under test")

    def fitted(self, world: World) -> Any:
        """A subject fitted on a world; one a class and world, so no test may alter it."""
        key = type(self), world
        if key not in _FITTED:
            _FITTED[key] = fit(self.make(), world)
        return _FITTED[key]


_FITTED: dict[tuple[type[Contract], World], Any] = {}


def fit(subject: Any, world: World) -> Any:
    """What ``fit`` returns for the training and validation parts of a world."""
    return subject.fit(world.data)


def require(condition: bool | np.bool_, what: str) -> None:
    """Fails the test.

    Raises:
        AssertionError: the condition does not hold.
    """
    if not condition:
        raise AssertionError(what)


def require_error(kind: type[Exception], call: Callable[[], object]) -> None:
    """Fails the test unless the call raises an error of a kind.

    Raises:
        AssertionError: it does not.
    """
    try:
        call()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected")


def share_ordered(
    scores: NDArray[np.floating[Any]], better: NDArray[np.bool_], worse: NDArray[np.bool_]
) -> float:
    """How often a better item outscores a worse one of the same row; a tie is half; chance is 0.5.

    Args:
        scores: (U, I), no NaN.
        better: (U, I) mask.
        worse: (U, I) mask.

    Returns:
        The mean over the rows that have both kinds of the share of their pairs.
    """
    shares = []
    for row, high, low in zip(scores, better, worse, strict=True):
        if high.any() and low.any():
            first, second = row[high][:, None], row[low]
            shares.append(np.mean((first > second) + 0.5 * (first == second)))
    return float(np.mean(shares))


def query_state(query: Query) -> str:
    """A hash of everything a query holds."""
    csr, times = query.histories, b"" if query.times is None else query.times.data
    return fingerprint((csr.data, csr.indices, csr.indptr, query.users, times))


def interactions_state(interactions: Interactions) -> str:
    """A hash of everything interactions hold, computed now."""
    time = b"" if interactions.time is None else interactions.time
    return fingerprint((interactions.user, interactions.item, interactions.rating, time))


def strangers(world: World) -> Query:
    """All users of a world with their training ratings, but none is known by row."""
    known = Query.known(world.train)
    return replace(known, users=np.full_like(known.users, -1))


def newcomers(world: World, count: int = 2) -> Query:
    """Users without any history."""
    return Query.of(sp.csr_array((count, len(world.train.items)), dtype=np.float32))

"""What every baseline checks before it answers."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from recsys.errors import DataError, NotFittedError
from recsys.queries.query import Query

Fitted = TypeVar("Fitted")


def require_fitted(learned: Fitted | None, name: str) -> Fitted:
    """What ``fit`` left behind.

    Raises:
        NotFittedError: nothing.
    """
    if learned is None:
        raise NotFittedError(f"{name} was asked before it was fitted", hint="call fit first")
    return learned


def require_items(query: Query, n_items: int, name: str) -> None:
    """Refuses histories over another vocabulary than the one of ``fit``.

    Raises:
        DataError: the histories have another number of columns.
    """
    columns = query.histories.shape[1]
    if columns != n_items:
        raise DataError(f"{name} was fitted on {n_items} movies, the histories have {columns}")


def require_users(query: Query, n_users: int, name: str) -> None:
    """Refuses users whom a model that knows them by their rows has never seen.

    Raises:
        DataError: a user was not in training.
    """
    strange = np.flatnonzero((query.users < 0) | (query.users >= n_users))
    if len(strange):
        raise DataError(
            f"{name} has no vector for {len(strange)} users who were not in training",
            rows=[f"query {row}" for row in strange[:5]],
            hint="ask a model that folds users in from their history",
            count=len(strange),
        )

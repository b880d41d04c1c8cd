"""Splits by time; neither draws anything, so every seed gives the same parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.data.splits.parts import TEST, TRAIN, VALID, Parts, Request
from recsys.errors import DataError


def leave_last(request: Request) -> Parts:
    """Each user's last rating is test, the one before it valid.

    Of ratings with one time the later row counts as later. Users with fewer than
    ``min_interactions`` ratings stay in train.

    Raises:
        DataError: the ratings have no times.
    """
    user, counts = request.interactions.user, request.interactions.user_counts()
    order = np.lexsort((_times(request), user))
    last = (np.cumsum(counts) - 1)[counts >= request.spec.params["min_interactions"]]
    parts = np.full(len(user), TRAIN, dtype=np.int8)
    parts[order[last]] = TEST
    parts[order[last - 1]] = VALID
    return parts


def global_time(request: Request) -> Parts:
    """The last ``test_percent`` of all ratings are test, the ``valid_percent`` before them valid.

    Ratings with one time stay together: at a boundary they join the earlier part, so that every
    rating of a part is strictly later than those of the part before, and test and valid together
    are never more than their percentages.

    Raises:
        DataError: the ratings have no times, or so few different ones that a part is empty.
    """
    time = _times(request)
    n = len(time)
    test = request.share(n, "test_percent")
    held_out = test + request.share(n, "valid_percent")
    in_order = np.sort(time)
    parts = np.full(n, TRAIN, dtype=np.int8)
    parts[time > in_order[n - held_out - 1]] = VALID
    parts[time > in_order[n - test - 1]] = TEST
    if test and not np.bincount(parts, minlength=3)[[VALID, TEST]].all():
        raise DataError(
            f"{len(np.unique(time))} different times among {n} ratings cannot tell the last "
            f"{test} from those before",
            hint="use a split that needs no times, such as random-90-10",
        )
    return parts


def _times(request: Request) -> NDArray[np.int64]:
    if request.interactions.time is None:
        raise DataError(
            f"split {request.spec.name} needs the time of each rating, and there is none",
            hint="give the data's time column, or use a split without times: ro, random-90-10",
        )
    return request.interactions.time

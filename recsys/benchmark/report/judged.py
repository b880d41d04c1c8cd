"""A contender's figures by test part, and users followed from one part to another.

Legend: U users.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.document import ContenderDocument, Run
from recsys.benchmark.report.load import test_part
from recsys.benchmark.report.metric import Metric
from recsys.errors import DataError

Floats = NDArray[np.float64]

N_RATINGS = "n_ratings"
"""A user's number of test ratings, in ``Run.per_user``."""


@dataclass(frozen=True)
class Judged:
    """One contender on one test part.

    Attributes:
        value: of the metric, the mean of its runs on this part.
        users: (U,) rows of the users in ``per_user``, or None where they are not told.
        per_user: (U,) values, the mean of the runs; None where there are none. They are such that
            their mean is the metric, or its square.
    """

    value: float
    users: NDArray[np.int64] | None
    per_user: Floats | None


def judged(document: ContenderDocument, metric: Metric) -> dict[str, Judged]:
    """A contender's figures by test part; parts on which it has none are left out."""
    by_part = _runs_by_part(document, metric)
    return {part: _mean(document, runs, metric) for part, runs in by_part.items()}


def over_parts(
    document: ContenderDocument, metric: Metric, parts: Collection[str] | None
) -> tuple[float, float]:
    """Mean and standard deviation over test parts, each the mean of its runs.

    Of a single part the deviation is over its runs. NaN where there is nothing to take it of.

    Args:
        document: of the contender.
        metric: the figure.
        parts: those that count; None for all.
    """
    found = [
        [metric.of(run.row) for run in runs]
        for part, runs in _runs_by_part(document, metric).items()
        if parts is None or part in parts
    ]
    if not found:
        return math.nan, math.nan
    means = [float(np.mean(values)) for values in found]
    drawn = means if len(means) > 1 else found[0]
    spread = float(np.std(drawn, ddof=1)) if len(drawn) > 1 else math.nan
    return float(np.mean(means)), spread


def _runs_by_part(document: ContenderDocument, metric: Metric) -> dict[str, list[Run]]:
    """Runs with a figure."""
    by_part: dict[str, list[Run]] = {}
    for run in document.runs:
        if not np.isnan(metric.of(run.row)):
            by_part.setdefault(test_part(run), []).append(run)
    return by_part


def _mean(document: ContenderDocument, runs: Sequence[Run], metric: Metric) -> Judged:
    value = float(np.mean([metric.of(run.row) for run in runs]))
    vectors = [found for run in runs if (found := _of_users(run, metric)) is not None]
    if len(vectors) < len(runs):
        return Judged(value, None, None)
    if len({len(vector) for vector in vectors}) > 1:
        raise DataError(
            f"{document.contender} was judged on different users by runs on one test part",
            hint=f"delete its document of {document.protocol} and run the benchmark again",
        )
    users = runs[0].users
    rows = None if users is None else users.values().astype(np.int64)
    of_others = rows is not None and len(rows) != len(vectors[0])
    return Judged(value, None if of_others else rows, np.mean(vectors, axis=0))


def _of_users(run: Run, metric: Metric) -> Floats | None:
    found = run.per_user.get(metric.per_user)
    if found is None:
        return None
    values = found.values().astype(np.float64)
    if not metric.root_of_squares or N_RATINGS not in run.per_user:
        return values
    counts = run.per_user[N_RATINGS].values().astype(np.float64)
    return np.asarray(values * counts / counts.mean())


def user_pairs(
    first: Sequence[Judged], second: Sequence[Judged], names: tuple[str, str]
) -> list[tuple[Floats, Floats]]:
    """Aligned values of users: one pair of vectors, or one a part where users are not told.

    The mean of the intervals of single parts is wider than the interval of users over all parts:
    not knowing who is who never makes a claim easier.

    Args:
        first: one contender on some parts.
        second: another on the same parts.
        names: of both.

    Returns:
        Nothing where there are no values of users.

    Raises:
        DataError: both were judged on different users of one part.
    """
    rows: list[NDArray[np.int64] | None] = []
    pairs: list[tuple[Floats, Floats]] = []
    for one, two in zip(first, second, strict=True):
        if one.per_user is None or two.per_user is None:
            return []
        if len(one.per_user) != len(two.per_user):
            raise DataError(
                f"{names[0]} and {names[1]} were judged on {len(one.per_user)} and "
                f"{len(two.per_user)} users of one test part",
                hint="delete the older document and run the benchmark again",
            )
        rows.append(one.users if one.users is not None else two.users)
        pairs.append((one.per_user, two.per_user))
    told = [found for found in rows if found is not None]
    if len(pairs) == 1 or len(told) < len(pairs):
        return pairs
    return [(_by_user(told, [one for one, _ in pairs]), _by_user(told, [two for _, two in pairs]))]


def _by_user(rows: Sequence[NDArray[np.int64]], values: Sequence[Floats]) -> Floats:
    """(U,) what each user contributes, scaled so that the mean is the mean of the parts' means."""
    users, place = np.unique(np.concatenate(rows), return_inverse=True)
    shares = np.concatenate([of_part / len(of_part) for of_part in values])
    return np.asarray(np.bincount(place, shares) * len(users) / len(values))

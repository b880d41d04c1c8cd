"""Checks that every run must pass, so that a mistake of the harness cannot become a result.

A model that is fitted is asked again, about a sample of the users, and the evaluator is asked about
lists whose worth is known. Once for each model there is a permutation test besides.

================ ===================================================================================
test_in_train    test pairs among those learnt from: 0
test_in_valid    test pairs among those chosen by: 0
truth_in_history pairs to be found that are in a history the model is told: 0
known_held_out   ratings learnt from or chosen by, of users who are held out: 0
rated_cold       ratings learnt from or chosen by, of movies that are to be cold: 0
perfect, worst   NDCG@10 of lists made from the truth, and of lists that avoid it: 1 and 0
model            the model's over the sampled users: between the two
block            share of the sampled users whose NDCG@10 differs between the evaluation's blocks,
                 all of them at once and 7 at a time: at most ``CHANGED``
order            the same when the users are asked about in reversed order
threads          the same with two threads for linear algebra in place of one
shuffled         hits when what is to be found is drawn anew, in standard deviations from chance,
                 see ``recsys.benchmark.list_checks``: within ``DEVIATIONS``
rating/…         the same of predicted ratings, see ``recsys.benchmark.rating_checks``
permuted/…       of a fit to shuffled ratings, see ``recsys.benchmark.permutation``
================ ===================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark import list_checks, rating_checks
from recsys.benchmark.evaluating import TaskResults
from recsys.benchmark.split_data import Lists, SplitData
from recsys.data.interactions import Interactions
from recsys.errors import RecsysError
from recsys.recommenders.base import Recommender

CHANGED: Final = 0.02
"""Float32 sums in another order can exchange two movies that are all but tied, for one user in some
hundreds; a model that mixes up users changes most of them."""

STARS: Final = 1e-3
"""Far more than rounding does to a prediction."""

DEVIATIONS: Final = 5.0
"""A normal variable is farther away once in 1.7 million runs."""

PERSONAL: Final = 10.0
"""Users of one taste get lists of one kind from noise too, so that their differences are not drawn
one by one: content models have been as far as 5 standard errors below 0."""

EXPLAINED: Final = 0.02
"""Predictions that follow noise explain less than nothing of what is to be predicted."""

_ROUNDING: Final = 1e-9


class CheckError(RecsysError):
    """A run whose figures mean nothing."""


class Bounds(NamedTuple):
    """Where a value must lie, both ends included."""

    low: float
    high: float


_NONE: Final = Bounds(0, 0)
_FEW: Final = Bounds(0, CHANGED)
_ROUNDED: Final = Bounds(0, STARS)
_CHANCE: Final = Bounds(-DEVIATIONS, DEVIATIONS)
BOUNDS: Final[Mapping[str, Bounds]] = {
    **dict.fromkeys(
        ("test_in_train", "test_in_valid", "truth_in_history", "known_held_out", "rated_cold"),
        _NONE,
    ),
    "perfect": Bounds(1 - _ROUNDING, 1 + _ROUNDING),
    "worst": _NONE,
    **dict.fromkeys(("block", "order", "threads"), _FEW),
    "shuffled": _CHANCE,
    "rating/perfect": Bounds(0, _ROUNDING),
    **dict.fromkeys(("rating/block", "rating/order", "rating/threads"), _ROUNDED),
    "rating/shuffled": _CHANCE,
    "permuted/personal": Bounds(-np.inf, PERSONAL),
    "permuted/deviations": Bounds(-np.inf, DEVIATIONS),
    "permuted/explained": Bounds(-np.inf, EXPLAINED),
}


def check(model: Recommender, data: SplitData, found: TaskResults) -> dict[str, float]:
    """Check one run.

    Args:
        model: fitted on the data.
        data: what it was fitted on.
        found: its figures on test.

    Returns:
        the values it was checked by.

    Raises:
        CheckError: a value is not what it must be.
    """
    split = data.split
    values = separation(split.train, split.valid, split.test)
    if found.rankings:
        kinds = data.lists("test")
        kind, lists = next(iter(kinds.items()))
        values |= unseen(split.train, split.valid, list(kinds.values()), data)
        values |= list_checks.values(model, lists, found.rankings[kind])
    if found.rating is not None:
        query = data.evaluator("test").query
        of_ratings = rating_checks.values(model, split.test, query)
        values |= {f"rating/{name}": value for name, value in of_ratings.items()}
    require(values)
    return values


def separation(train: Interactions, valid: Interactions, test: Interactions) -> dict[str, float]:
    """How many test pairs are in the other parts."""
    key = pairs(test)
    return {
        "test_in_train": float(np.isin(key, pairs(train)).sum()),
        "test_in_valid": float(np.isin(key, pairs(valid)).sum()),
    }


def unseen(
    train: Interactions, valid: Interactions, kinds: list[Lists], data: SplitData
) -> dict[str, float]:
    """What is known of pairs, users and movies that are to be unknown."""
    told = sum(lists.task.truth.multiply(lists.query.histories).nnz for lists in kinds)  # type: ignore[union-attr]
    values = {"truth_in_history": float(told)}
    if data.choosing is not None:
        new = np.union1d(data.split.test.user, data.choosing.user)
        known = np.isin(train.user, new).sum() + np.isin(valid.user, new).sum()
        values["known_held_out"] = float(known)
    if (cold := kinds[0].task.candidates) is not None:
        rated = np.isin(train.item, cold).sum() + np.isin(valid.item, cold).sum()
        values["rated_cold"] = float(rated)
    return values


def pairs(part: Interactions) -> NDArray[np.int64]:
    """(N,) a number for each pair of user and movie."""
    return part.user.astype(np.int64) * max(len(part.items), 1) + part.item


def require(values: Mapping[str, float]) -> None:
    """Refuse values that are out of their bounds.

    Raises:
        CheckError: some are; it names them.
    """
    bounds = dict(BOUNDS)
    for prefix in ("", "rating/"):
        if prefix + "model" in values:
            ends = sorted(values[prefix + name] for name in ("perfect", "worst"))
            bounds[prefix + "model"] = Bounds(ends[0] - _ROUNDING, ends[1] + _ROUNDING)
    failed = [
        f"{name} is {value:.6g}, it must be from {bounds[name].low:.6g} to {bounds[name].high:.6g}"
        for name, value in values.items()
        if name in bounds and not bounds[name].low <= value <= bounds[name].high
    ]
    if failed:
        raise CheckError(
            f"a sanity check failed: {'; '.join(failed)}",
            hint="recsys.benchmark.checks says what each means; no result is kept",
        )

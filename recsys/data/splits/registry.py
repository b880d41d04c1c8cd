"""The splits by name.

=============== ==================================================================================
u1 … u5         MovieLens-100K's own folds; valid is a random 10 % of base
ro              RecBole's random order, 8 : 1 : 1 per user; seed 2020 is RecBole's default
leave-last      each user's last rating is test, the one before it valid
global-time     the last 10 % of all ratings are test, the 10 % before them valid
random-90-10    a random 10 % of the ratings are test, 10 % of the rest valid
cold-items      a random 20 % of the films lose all ratings to test, 10 % of the others to valid
all             for deployment: no test, a random 5 % valid for early stopping
=============== ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from recsys.data.dataset import Dataset
from recsys.data.split import Split, SplitSpec
from recsys.data.splits.films import cold_movies
from recsys.data.splits.movielens import canonical_fold
from recsys.data.splits.parts import TEST, TRAIN, VALID, Parts, Request, random_rows
from recsys.data.splits.random_order import random_order
from recsys.data.splits.temporal import global_time, leave_last
from recsys.errors import ConfigError, DataError, nearest

DEFAULT_SEED: Final = 2020
"""RecBole's default, so that ``ro`` without a seed is RecBole's split without a seed."""


class _Rule(NamedTuple):
    assign: Callable[[Request], Parts]
    params: Mapping[str, int]


_TENTHS: Final = {"test_percent": 10, "valid_percent": 10}
_RULES: Final[Mapping[str, _Rule]] = {
    **{f"u{k}": _Rule(canonical_fold, {"fold": k, "valid_percent": 10}) for k in range(1, 6)},
    "ro": _Rule(random_order, {"train": 8, "valid": 1, "test": 1}),
    "leave-last": _Rule(leave_last, {"min_interactions": 3}),
    "global-time": _Rule(global_time, _TENTHS),
    "random-90-10": _Rule(random_rows, _TENTHS),
    "cold-items": _Rule(cold_movies, {"test_percent": 20, "valid_percent": 10}),
    "all": _Rule(random_rows, {"test_percent": 0, "valid_percent": 5}),
}

SPLIT_NAMES: Final = tuple(_RULES)
"""The names ``make_split`` knows."""


def make_split(dataset: Dataset, name: str, seed: int = DEFAULT_SEED, label_seed: int = 0) -> Split:
    """The named split: the same for the same ratings, name and seed, whatever the NumPy.

    Every rating is in exactly one part, and each part keeps the order of the source. Shares of a
    hundred are rounded down.

    Args:
        dataset: the ratings, in the order of their source, and the movies.
        name: one of ``SPLIT_NAMES``.
        seed: of what is drawn at random; ``leave-last``, ``global-time`` and the tests of
            ``u1`` … ``u5`` draw nothing.
        label_seed: of the division of the movies for the genre task.

    Raises:
        ConfigError: no split has that name, or the seed does not suit it.
        DataError: there are no ratings, or not the kind this split divides.
    """
    rule = _rule(name)
    if not len(dataset.interactions):
        raise DataError("there are no ratings to split")
    spec = SplitSpec(name, seed, rule.params, dataset.interactions.fingerprint)
    parts = rule.assign(Request(dataset.interactions, dataset.catalogue, spec))
    return _assemble(dataset, parts, spec, label_seed)


def _rule(name: str) -> _Rule:
    try:
        return _RULES[name]
    except KeyError:
        close = nearest(name, SPLIT_NAMES)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise ConfigError(
            f"unknown split {name!r}", hint=f"{hint}known: {', '.join(SPLIT_NAMES)}"
        ) from None


def _assemble(dataset: Dataset, parts: Parts, spec: SplitSpec, label_seed: int) -> Split:
    ratings = dataset.interactions
    train, valid, test = (ratings.select(parts == code) for code in (TRAIN, VALID, TEST))
    if spec.name != "cold-items":
        return Split(dataset, train, valid, test, spec, label_seed=label_seed)
    cold = np.unique(test.item), np.unique(valid.item)
    return Split(dataset, train, valid, test, spec, *cold, label_seed=label_seed)

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

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.splits.films import cold_movies
from recsys.data.splits.movielens import canonical_fold
from recsys.data.splits.parts import TEST, TRAIN, VALID, Parts, Request, random_rows
from recsys.data.splits.random_order import random_order
from recsys.data.splits.split import Split, SplitSpec
from recsys.data.splits.temporal import global_time, leave_last
from recsys.errors import AlignmentError, ConfigError, DataError, nearest

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


def make_split(
    interactions: Interactions, catalogue: Catalogue, name: str, seed: int = DEFAULT_SEED
) -> Split:
    """The named split: the same for the same ratings, name and seed, whatever the NumPy.

    Every rating is in exactly one part, and each part keeps the order of the source. Shares of a
    hundred are rounded down.

    Args:
        interactions: the ratings, in the order of their source.
        catalogue: the movies, over the same vocabulary.
        name: one of ``SPLIT_NAMES``.
        seed: of what is drawn at random; ``leave-last``, ``global-time`` and the tests of
            ``u1`` … ``u5`` draw nothing.

    Raises:
        ConfigError: no split has that name, or the seed does not suit it.
        AlignmentError: the catalogue has another vocabulary than the ratings.
        DataError: there are no ratings, or not the kind this split divides.
    """
    rule = _rule(name)
    if catalogue.items != interactions.items:
        raise AlignmentError(
            f"ratings over {interactions.items!r} and a catalogue over {catalogue.items!r}",
            hint="read the ratings with the catalogue's vocabulary",
        )
    if not len(interactions):
        raise DataError("there are no ratings to split")
    spec = SplitSpec(name, seed, rule.params, interactions.fingerprint)
    return _assemble(interactions, rule.assign(Request(interactions, catalogue, spec)), spec)


def _rule(name: str) -> _Rule:
    try:
        return _RULES[name]
    except KeyError:
        close = nearest(name, SPLIT_NAMES)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise ConfigError(
            f"unknown split {name!r}", hint=f"{hint}known: {', '.join(SPLIT_NAMES)}"
        ) from None


def _assemble(interactions: Interactions, parts: Parts, spec: SplitSpec) -> Split:
    train, valid, test = (interactions.select(parts == code) for code in (TRAIN, VALID, TEST))
    if spec.name != "cold-items":
        return Split(train, valid, test, spec)
    return Split(train, valid, test, spec, np.unique(test.item), np.unique(valid.item))

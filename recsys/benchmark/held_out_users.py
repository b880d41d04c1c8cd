"""Strong generalisation: users held out of training, of whom n liked movies are given.

Of a fifth of the users no rating is learnt from. Ten movies each of them likes are drawn, and the
first n of the ten are their history (given-n), for several n. What they rated besides these ten is
to be found, and the ten are never recommended: truth and candidates are the same for every n, so
that given-3 and given-10 differ in the history alone.

Legend: U users, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.split import Split, SplitSpec
from recsys.data.splits.rules import TEST, TRAIN, VALID, deal
from recsys.queries.query import Query
from recsys.seeding import stream

COLD_USERS: Final = "cold-users"
GIVEN: Final = (1, 3, 5, 10)
HEADLINE_GIVEN: Final = 5
LIKED: Final = 4.0
"""Stars from which on a rated movie is liked."""

_SHARES: Final = {"test_percent": 20, "choosing_percent": 10, "valid_percent": 10}


class UserSplit(NamedTuple):
    """Ratings divided by their users.

    Attributes:
        split: ``test`` holds all ratings of the held-out users; ``train`` and ``valid`` share those
            of users whom a fit may know, so that early stopping is what it always is.
        choosing: all ratings of other held-out users, on whom hyper-parameters are chosen.
    """

    split: Split
    choosing: Interactions


def hold_out_users(dataset: Dataset, seed: int, label_seed: int) -> UserSplit:
    """Draw 20 % of the users to test on, 10 % of the others to choose by; learn from the rest.

    A random 10 % of the ratings that are learnt from are ``valid``.
    """
    interactions = dataset.interactions
    n_users = len(interactions.users)
    test = n_users * _SHARES["test_percent"] // 100
    choosing = (n_users - test) * _SHARES["choosing_percent"] // 100
    rng = stream(seed, f"split/{COLD_USERS}")
    of_user = deal(n_users, valid=choosing, test=test, rng=rng)
    group = of_user[interactions.user]
    known = interactions.select(group == TRAIN)
    n_valid = len(known) * _SHARES["valid_percent"] // 100
    rng = stream(seed, f"split/{COLD_USERS}/valid")
    part = deal(len(known), valid=n_valid, test=0, rng=rng)
    split = Split(
        dataset,
        known.select(part == TRAIN),
        known.select(part == VALID),
        interactions.select(group == TEST),
        SplitSpec(COLD_USERS, seed, _SHARES, interactions.fingerprint),
        label_seed=label_seed,
    )
    return UserSplit(split, interactions.select(group == VALID))


class HeldOutUsers(NamedTuple):
    """What is known of held-out users, and what is to be found.

    Attributes:
        truth: (U, I) what they rated besides the drawn movies.
        drawn: (U, I) the ten movies of each; empty for a user who does not like as many.
        queries: for each number of likes, all U users with so many of them.
    """

    truth: sp.csr_array
    drawn: sp.csr_array
    queries: Mapping[int, Query]


def held_out_users(ratings: Interactions, seed: int) -> HeldOutUsers:
    """Draw the likes of held-out users.

    Users who like fewer than ten movies, or rated nothing besides them, are left out.

    Args:
        ratings: all ratings of these users.
        seed: of what is drawn.
    """
    place = _place_among_likes(ratings, seed)
    most = max(GIVEN)
    drawn = (place >= 0) & (place < most)
    enough = np.bincount(ratings.user[drawn], minlength=len(ratings.users)) == most
    kept = enough[ratings.user]
    queries = {n: Query.of(ratings.select(kept & drawn & (place < n)).matrix()) for n in GIVEN}
    truth = ratings.select(kept & ~drawn).matrix()
    return HeldOutUsers(truth, ratings.select(kept & drawn).matrix(), queries)


def _place_among_likes(ratings: Interactions, seed: int) -> NDArray[np.int64]:
    """(N,) the place of each liked movie in a random order of its user's likes, -1 for others."""
    key = stream(seed, "fold-in/likes").bit_generator.random_raw(len(ratings))
    liked = np.flatnonzero(ratings.rating >= LIKED)
    order = liked[np.lexsort((key[liked], ratings.user[liked]))]
    user = ratings.user[order]
    first = np.searchsorted(user, user, side="left")
    place = np.full(len(ratings), -1, dtype=np.int64)
    place[order] = np.arange(len(order)) - first
    return place

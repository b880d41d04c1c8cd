"""Users who were not there in training, and tell a few movies they like.

Of a fifth of the users no rating is learnt from. Ten movies each of them likes are drawn, and the
first n of the ten are their history, for several n. What they rated besides these ten is to be
found, and the ten are never recommended: truth and candidates are the same whatever n is, so that
what differs between them is what n likes tell.

Legend: U users, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.data.splits import Split, SplitSpec
from recsys.data.splits.rules import TEST, TRAIN, VALID, deal
from recsys.queries.query import Query
from recsys.seeding import stream

COLD_USERS: Final = "cold-users"
LIKES: Final = (1, 3, 5, 10)
HEADLINE_LIKES: Final = 5
LIKED: Final = 4.0
"""Stars from which on a rated movie is liked."""

_SHARES: Final = {"test_percent": 20, "choosing_percent": 10, "valid_percent": 10}


@dataclass(frozen=True, eq=False)
class HeldOutUsers:
    """Ratings divided by their users.

    Attributes:
        split: ``test`` holds all ratings of the users who are judged; ``train`` and ``valid`` share
            those of users whom a fit may know, so that early stopping is what it always is.
        choosing: all ratings of other users held out, on whom options are chosen.
    """

    split: Split
    choosing: Interactions


def hold_out_users(interactions: Interactions, seed: int) -> HeldOutUsers:
    """Draw 20 % of the users to judge on, 10 % of the others to choose by; learn from the rest.

    A random 10 % of the ratings that are learnt from are ``valid``.
    """
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
    spec = SplitSpec(COLD_USERS, seed, _SHARES, interactions.fingerprint)
    judged = interactions.select(group == TEST)
    split = Split(known.select(part == TRAIN), known.select(part == VALID), judged, spec)
    return HeldOutUsers(split, interactions.select(group == VALID))


class Newcomers(NamedTuple):
    """What is known of held-out users, and what is to be found.

    Attributes:
        truth: (U, I) what they rated besides the drawn movies.
        drawn: (U, I) the ten movies of each; empty for a user who does not like as many.
        queries: for each number of likes, all U users with so many of them.
    """

    truth: sp.csr_array
    drawn: sp.csr_array
    queries: Mapping[int, Query]


def newcomers(ratings: Interactions, seed: int) -> Newcomers:
    """Draw the likes of held-out users.

    Users who like fewer than ten movies, or rated nothing besides them, are not judged.

    Args:
        ratings: all ratings of these users.
        seed: of what is drawn.
    """
    place = _place_among_likes(ratings, seed)
    most = max(LIKES)
    drawn = (place >= 0) & (place < most)
    enough = np.bincount(ratings.user[drawn], minlength=len(ratings.users)) == most
    judged = enough[ratings.user]
    queries = {n: Query.of(ratings.select(judged & drawn & (place < n)).matrix()) for n in LIKES}
    truth = ratings.select(judged & ~drawn).matrix()
    return Newcomers(truth, ratings.select(judged & drawn).matrix(), queries)


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

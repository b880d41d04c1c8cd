"""RecBole's random-order split: per user 8 : 1 : 1, over RecBole's own permutation.

With the same seed and the same ratings in the same order this is the split RecBole 1.2.1 makes by
default, so that figures computed here and there are of the same test ratings.

Paper: Zhao et al., "RecBole: Towards a Unified, Comprehensive and Efficient Framework for
Recommendation Algorithms", CIKM 2021.

Legend: N ratings, U users.
"""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from recsys.data.splits.parts import TEST, TRAIN, VALID, Parts, Request
from recsys.errors import ConfigError


def random_order(request: Request) -> Parts:
    """Each user's ratings in permuted order: the first go to train, then valid, then test.

    Raises:
        ConfigError: the seed does not fit the 32 bits RecBole's generators take.
    """
    user = request.interactions.user
    order = torch_permutation(len(user), request.spec.seed)
    order = order[np.argsort(user[order], kind="stable")]
    counts = request.interactions.user_counts()
    place = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    weights = request.spec.params
    sizes = part_sizes(counts, (weights["train"], weights["valid"], weights["test"]))
    first_valid, first_test = np.cumsum(sizes, axis=0)[:2]
    owner = user[order]
    parts = np.full(len(user), TRAIN, dtype=np.int8)
    parts[order[place >= first_valid[owner]]] = VALID
    parts[order[place >= first_test[owner]]] = TEST
    return parts


def part_sizes(counts: NDArray[np.int64], weights: tuple[int, int, int]) -> NDArray[np.int64]:
    """(3, U) ratings of each user in train, valid and test, by RecBole's arithmetic.

    Valid and test are rounded down and train gets what is left over. Then test, and after it
    valid, takes one rating from train where its exact share lies between nothing and one rating,
    as long as train keeps one.
    """
    shares = np.array([weight / sum(weights) for weight in weights])[:, None] * counts
    sizes = shares.astype(np.int64)
    sizes[TRAIN] = counts - sizes[VALID] - sizes[TEST]
    for part in (TEST, VALID):
        lifted = (sizes[TRAIN] > 1) & (shares[part] > 0) & (shares[part] < 1)
        sizes[part] += lifted
        sizes[TRAIN] -= lifted
    return sizes


def torch_permutation(n: int, seed: int) -> NDArray[np.int64]:
    """(n,) what ``torch.manual_seed(seed); torch.randperm(n)`` gives on a CPU, without torch.

    Both libraries seed the same Mersenne Twister; torch exchanges place i with the place its i-th
    word, modulo the places left, is ahead. From 2³²/20 places on torch draws words of 64 bits: no
    set of ratings in public use is that large.

    Raises:
        ConfigError: the seed does not fit 32 bits.
    """
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed {seed} of split ro", hint="RecBole takes seeds from 0 to 2³² - 1")
    words = np.random.RandomState(seed).randint(0, 2**32, size=n, dtype=np.uint32)
    place = np.arange(n)
    order = array("q", range(n))
    for i, j in enumerate((place + words % (n - place)).tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, dtype=np.int64)

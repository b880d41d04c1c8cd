"""Which part each rating goes to: the rules of the named splits.

Splits by time draw nothing, so that every seed gives the same parts. In splits of movies the twins
of one film never part.

Legend: N ratings (or films) to divide, U users.
"""

from __future__ import annotations

import hashlib
from array import array
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.split import LabelSplit, SplitSpec
from recsys.errors import ConfigError, DataError
from recsys.seeding import stream

TRAIN: Final = 0
VALID: Final = 1
TEST: Final = 2

Parts = NDArray[np.int8]
"""(N,) ``TRAIN``, ``VALID`` or ``TEST``: every row is in exactly one part."""


class SplitRequest(NamedTuple):
    """What a rule needs to give every rating its part."""

    interactions: Interactions
    catalogue: Catalogue
    spec: SplitSpec

    def share(self, n: int, percent: str) -> int:
        """How many of ``n`` the named percentage of the spec is, rounded down."""
        return n * self.spec.params[percent] // 100

    def deal(self, n: int, *, valid: int, test: int) -> Parts:
        """``n`` parts drawn with the spec's seed; splits of other names draw independently."""
        return deal(
            n, valid=valid, test=test, rng=stream(self.spec.seed, f"split/{self.spec.name}")
        )


def deal(n: int, *, valid: int, test: int, rng: np.random.Generator) -> Parts:
    """(n,) parts with exactly so many ``VALID`` and ``TEST`` at random, the rest ``TRAIN``.

    Only the raw words of the bit generator are used: NumPy promises those for all versions to come,
    and does not promise the methods of ``Generator``.
    """
    order = np.argsort(rng.bit_generator.random_raw(n), kind="stable")
    parts = np.full(n, TRAIN, dtype=np.int8)
    parts[order[:test]] = TEST
    parts[order[test : test + valid]] = VALID
    return parts


def random_rows(request: SplitRequest) -> Parts:
    """``test_percent`` of all rows, then ``valid_percent`` of the rest, at random."""
    n = len(request.interactions)
    test = request.share(n, "test_percent")
    return request.deal(n, valid=request.share(n - test, "valid_percent"), test=test)


def leave_last(request: SplitRequest) -> Parts:
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


def global_time(request: SplitRequest) -> Parts:
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


def _times(request: SplitRequest) -> NDArray[np.int64]:
    if request.interactions.time is None:
        raise DataError(
            f"split {request.spec.name} needs the time of each rating, and there is none",
            hint="give the data's time column, or use a split without times: ro, random-90-10",
        )
    return request.interactions.time


U_DATA_ROWS: Final = 100_000
U_DATA_SHA256: Final = "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490"
"""SHA-256 of the archive's file ``u.data``."""

FOLD_ROWS: Final = 20_000


def canonical_fold(request: SplitRequest) -> Parts:
    """Fold k: test is rows (k-1)·20000 … k·20000 of ``u.data``, the same for every seed.

    The archive's ``uk.base`` is everything else; a random ``valid_percent`` of it, drawn with the
    seed, validates.

    Raises:
        DataError: these are not the ratings of ``u.data``, complete and in order.
    """
    _require_u_data(request.interactions)
    row = np.arange(U_DATA_ROWS)
    base = row // FOLD_ROWS != request.spec.params["fold"] - 1
    n = int(base.sum())
    parts = np.full(U_DATA_ROWS, TEST, dtype=np.int8)
    parts[base] = request.deal(n, valid=request.share(n, "valid_percent"), test=0)
    return parts


def _require_u_data(interactions: Interactions) -> None:
    same = len(interactions) == U_DATA_ROWS and interactions.time is not None
    if not same or _sha256_as_u_data(interactions) != U_DATA_SHA256:
        raise DataError(
            "u1 … u5 are the folds of MovieLens-100K, 20,000 consecutive rows of its file u.data "
            f"each; these {len(interactions)} ratings are not that file's",
            hint="use all 100,000 ratings of u.data, times included, in the file's order; or a "
            "split that any ratings have, such as random-90-10",
        )


def _sha256_as_u_data(interactions: Interactions) -> str:
    users, items = interactions.users.ids, interactions.items.ids
    columns = (interactions.user, interactions.item, interactions.rating, interactions.time)
    rows = zip(*(c.tolist() for c in columns if c is not None), strict=True)
    text = "".join(f"{users[u]}\t{items[i]}\t{rating:g}\t{time}\n" for u, i, rating, time in rows)
    return hashlib.sha256(text.encode()).hexdigest()


def cold_movies(request: SplitRequest) -> Parts:
    """``test_percent`` of the rated films, then ``valid_percent`` of the rest, turn cold.

    All ratings of a cold film leave train. The validation films are cold as well, and other than
    the test films: what is chosen for movies nobody has rated must be chosen on such movies, and
    not on the test.
    """
    groups = request.catalogue.film_groups
    films = np.unique(groups[request.interactions.item])
    test = request.share(len(films), "test_percent")
    valid = request.share(len(films) - test, "valid_percent")
    of_film = request.deal(len(films), valid=valid, test=test)
    return of_film[np.searchsorted(films, groups[request.interactions.item])]


def genre_partition(catalogue: Catalogue, seed: int) -> LabelSplit:
    """Movies with a genre for the genre task: 80 : 10 : 10 of the films, rounded down for the last.

    Movies without any genre are in no part: theirs are unknown, not empty.
    """
    labelled = catalogue.genres.any(axis=1)
    films = np.unique(catalogue.film_groups[labelled])
    tenth = len(films) // 10
    of_film = deal(len(films), valid=tenth, test=tenth, rng=stream(seed, "split/genres"))
    part = np.full(len(catalogue), -1, dtype=np.int8)
    part[labelled] = of_film[np.searchsorted(films, catalogue.film_groups[labelled])]
    return LabelSplit(part == TRAIN, part == VALID, part == TEST)


def random_order(request: SplitRequest) -> Parts:
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

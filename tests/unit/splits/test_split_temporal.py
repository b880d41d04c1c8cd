from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import Split, make_split
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError

Make = Callable[..., Interactions]
Bare = Callable[[Vocabulary], Catalogue]


def _pairs(part: Interactions) -> set[str]:
    return {part.users.id(u) + part.items.id(i) for u, i in zip(part.user, part.item, strict=True)}


def _split(interactions: Interactions, bare: Bare, name: str) -> Split:
    return make_split(Dataset("toy", interactions, bare(interactions.items)), name)


def test_the_last_two_of_each_user_are_held_out(rated_once: Make, bare_catalogue: Bare) -> None:
    ratings = rated_once(
        ("u", "a", 40), ("v", "a", 7), ("u", "b", 10), ("u", "c", 30), ("v", "c", 9),
        ("u", "d", 20), ("v", "b", 8),
    )  # fmt: skip
    split = _split(ratings, bare_catalogue, "leave-last")
    assert _pairs(split.test) == {"ua", "vc"}
    assert _pairs(split.valid) == {"uc", "vb"}
    assert _pairs(split.train) == {"ub", "ud", "va"}


def test_of_one_time_the_later_row_is_later(rated_once: Make, bare_catalogue: Bare) -> None:
    ratings = rated_once(("u", "c", 5), ("u", "a", 5), ("u", "b", 5), ("u", "d", 4))
    split = _split(ratings, bare_catalogue, "leave-last")
    assert (_pairs(split.test), _pairs(split.valid)) == ({"ub"}, {"ua"})


def test_users_with_two_ratings_stay_in_train(rated_once: Make, bare_catalogue: Bare) -> None:
    ratings = rated_once(("t", "a", 1), ("t", "b", 2), *(("u", i, 3) for i in "abc"), ("v", "a", 9))
    split = _split(ratings, bare_catalogue, "leave-last")
    assert _pairs(split.train) == {"ta", "tb", "ua", "va"}


def test_global_time_holds_out_the_last_ratings(rated_once: Make, bare_catalogue: Bare) -> None:
    ratings = rated_once(*(("u", str(i), 100 - i) for i in range(20)))
    split = _split(ratings, bare_catalogue, "global-time")
    assert _pairs(split.test) == {"u0", "u1"}
    assert _pairs(split.valid) == {"u2", "u3"}


def test_ratings_of_one_time_join_the_earlier_part(rated_once: Make, bare_catalogue: Bare) -> None:
    times = [*range(15), 15, 15, 18, 18, 19]
    ratings = rated_once(*(("u", str(i), time) for i, time in enumerate(times)))
    split = _split(ratings, bare_catalogue, "global-time")
    assert _pairs(split.test) == {"u19"}
    assert _pairs(split.valid) == {"u17", "u18"}
    assert len(split.train) == 17


def test_times_too_coarse_for_global_time_are_refused(
    rated_once: Make, bare_catalogue: Bare
) -> None:
    ratings = rated_once(*(("u", str(i), 5) for i in range(20)))
    with pytest.raises(DataError, match=r"1 different times among 20 ratings.*last 2"):
        _split(ratings, bare_catalogue, "global-time")


@pytest.mark.parametrize("name", ["leave-last", "global-time"])
def test_ratings_without_times_are_refused(
    toy: Interactions, toy_catalogue: Catalogue, name: str
) -> None:
    with pytest.raises(DataError, match=f"split {name} needs the time"):
        make_split(Dataset("toy", replace(toy, time=None), toy_catalogue), name)


@pytest.mark.realdata
def test_no_part_looks_into_the_next(ml100k: Interactions, bare_catalogue: Bare) -> None:
    split = _split(ml100k, bare_catalogue, "global-time")
    times = [part.time for part in split.parts.values() if part.time is not None]
    assert times[0].max() < times[1].min()
    assert times[1].max() < times[2].min()
    np.testing.assert_allclose([len(t) for t in times], [80_000, 10_000, 10_000], atol=50)

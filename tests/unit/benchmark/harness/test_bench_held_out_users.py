from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from recsys.benchmark.held_out_users import (
    COLD_USERS,
    GIVEN,
    LIKED,
    held_out_users,
    hold_out_users,
)
from recsys.benchmark.protocols import SplitSeed


@pytest.fixture(scope="module")
def ratings(material):
    return material.dataset


@pytest.fixture(scope="module")
def held_out(ratings):
    return hold_out_users(ratings, 7, 7)


def users_of(part):
    return set(part.user.tolist())


def test_nothing_is_learnt_from_users_who_are_held_out(held_out, ratings):
    split, choosing = held_out.split, held_out.choosing
    evaluated = users_of(split.test)
    assert len(evaluated) == len(ratings.interactions.users) // 5
    assert len(users_of(choosing)) == (len(ratings.interactions.users) - len(evaluated)) // 10
    known = users_of(split.train) | users_of(split.valid)
    assert not known & (evaluated | users_of(choosing))
    assert not evaluated & users_of(choosing)
    parts = (split.train, split.valid, split.test, choosing)
    assert sum(map(len, parts)) == len(ratings.interactions)


def test_valid_is_of_users_whom_a_fit_knows(held_out):
    split = held_out.split
    assert len(split.valid) == (len(split.train) + len(split.valid)) // 10
    assert users_of(split.valid) <= users_of(split.train)


def test_seeds_decide_who_is_held_out(ratings, held_out):
    assert hold_out_users(ratings, 7, 7).split.fingerprint == held_out.split.fingerprint
    assert users_of(hold_out_users(ratings, 8, 8).split.test) != users_of(held_out.split.test)


def test_a_user_tells_so_many_likes_and_the_rest_is_to_be_found(held_out):
    test = held_out.split.test
    found = held_out_users(test, 7)
    whole, truth, drawn = (m.toarray() for m in (test.matrix(), found.truth, found.drawn))
    assert tuple(found.queries) == GIVEN
    evaluated = (drawn > 0).any(axis=1)
    assert evaluated.any()
    likes = (whole >= LIKED).sum(axis=1)
    np.testing.assert_array_equal(evaluated, likes >= max(GIVEN))
    np.testing.assert_array_equal(truth[evaluated] + drawn[evaluated], whole[evaluated])
    assert not ((truth > 0) & (drawn > 0)).any()
    for n, query in found.queries.items():
        history = query.histories.toarray()
        assert (query.users == -1).all()
        assert set((history > 0).sum(axis=1)[evaluated]) == {n}
        assert history[history > 0].min() >= LIKED
        assert ((history > 0) <= (drawn > 0)).all(), "what is told is among what is drawn"


def test_more_likes_hold_the_fewer(held_out):
    queries = held_out_users(held_out.split.test, 7).queries
    for fewer, more in pairwise(GIVEN):
        told = [queries[n].histories.toarray() > 0 for n in (fewer, more)]
        assert (told[0] <= told[1]).all()


def test_options_are_chosen_on_other_users(material, held_out):
    data = material.split(SplitSeed(COLD_USERS, 7))
    valid, test = data.lists("valid"), data.lists("test")
    assert list(test) == ["given-5", "given-1", "given-3", "given-10"], "the headline comes first"
    rows = {
        name: set(np.flatnonzero(np.diff(lists["given-5"].task.truth.indptr)).tolist())
        for name, lists in (("valid", valid), ("test", test))
    }
    assert rows["valid"] <= users_of(held_out.choosing)
    assert rows["test"] <= users_of(held_out.split.test)

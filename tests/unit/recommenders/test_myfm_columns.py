"""Columns of a factorisation machine, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.people import Person
from recsys.errors import DataError
from recsys.recommenders.myfm.columns import SeenColumns, categories, day_column, deciles, sets
from recsys.testing.worlds import two_genre_world

DAY = 86_400


def timed(world, times):
    from dataclasses import replace

    return replace(world.train, time=times)


def test_sets_have_length_one_whatever_the_ratings():
    rows = sets(sp.csr_array(np.array([[5.0, 0, 1, 1], [0, 0, 0, 0], [0, 2, 0, 0]])))
    half = 1 / np.sqrt(3)
    expected = [[half, 0, half, half], [0, 0, 0, 0], [0, 1, 0, 0]]
    np.testing.assert_allclose(rows.toarray(), expected)


def test_deciles_hold_equal_shares_and_set_the_unknown_apart():
    values = np.append(np.arange(1100.0), np.nan)
    shares = deciles(values).sum(axis=0)
    assert shares[0] == 1
    assert len(shares) == 12
    np.testing.assert_allclose(shares[1:], 100, atol=1)


def test_deciles_of_unknown_values_alone():
    np.testing.assert_array_equal(deciles(np.array([np.nan, np.nan])).toarray(), [[1, 0], [1, 0]])


def test_categories_are_in_order_and_the_unknown_is_first():
    found = categories(["b", "", "a", "b"]).toarray()
    np.testing.assert_array_equal(found, [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])


def test_ids_alone_are_two_groups():
    world = two_genre_world()
    seen = SeenColumns.of(world.train, world.catalogue, {}, "ids")
    n_users, n_items = world.train.shape
    assert seen.groups == [n_users + 1, n_items]
    np.testing.assert_array_equal(seen.users.rows.toarray(), np.eye(n_users + 1))
    np.testing.assert_array_equal(seen.movies.rows.toarray(), np.eye(n_items))


def test_groups_add_up_to_the_columns():
    world = two_genre_world()
    people = {"u0": Person(30, "writer", "12"), "u1": Person(20, "artist", "98")}
    train = timed(world, np.arange(len(world.train)) * DAY // 10)
    seen = SeenColumns.of(train, world.catalogue, people, "date")
    widths = [1 + len(seen.days), seen.users.rows.shape[1], 60, seen.movies.rows.shape[1]]
    assert sum(seen.groups) == sum(widths)
    assert len(seen.groups) == 1 + 5 + 4


def test_what_is_known_of_a_user():
    world = two_genre_world()
    people = {"u0": Person(30, "writer", "12"), "u1": Person(20, "artist", "98")}
    columns = SeenColumns.of(world.train, world.catalogue, people, "side").users
    ids, age, occupation, area = np.cumsum([0, *columns.groups])[:-1]
    stranger, writer = columns.rows[[0, 1]].toarray()
    assert writer[ids + 1] == stranger[ids] == 1
    assert stranger[age] == stranger[occupation] == stranger[area] == 1
    assert writer[occupation + 2] == 1
    assert writer[area + 1] == 1


def test_a_day_without_training_ratings_is_unknown():
    world = two_genre_world()
    train = timed(world, np.where(np.arange(len(world.train)) % 2, 3 * DAY, 5 * DAY + 7))
    seen = SeenColumns.of(train, world.catalogue, {}, "date")
    times = np.array([3 * DAY, 4 * DAY - 1, 4 * DAY, 5 * DAY, 99 * DAY])
    np.testing.assert_array_equal(day_column(seen.days, times), [1, 1, 0, 2, 0])


def test_days_need_times():
    world = two_genre_world()
    with pytest.raises(DataError, match="times"):
        SeenColumns.of(timed(world, None), world.catalogue, {}, "date")

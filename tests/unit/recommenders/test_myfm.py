"""myFM behind our interface; skipped where the library is absent."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.interactions import RatingScale
from recsys.data.people import Person
from recsys.errors import ConfigError, DataError, MissingExtra
from recsys.queries.query import Query
from recsys.recommenders.myfm.model import MyFM, MyFMConfig
from recsys.testing.worlds import two_genre_world

DAY = 86_400


@pytest.fixture
def library():
    pytest.importorskip("myfm")


def moody_days():
    """Everybody's stars are low on one day and high on another, whatever the movie."""
    train = two_genre_world().train
    good = np.arange(len(train)) % 2 == 0
    return replace(train, time=np.where(good, 7 * DAY, 9 * DAY), rating=np.where(good, 5.0, 2.0))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("ordinal", [True, False])
def test_the_day_counts_only_where_it_is_told(ordinal):
    train, catalogue = moody_days(), two_genre_world().catalogue
    config = MyFMConfig(rank=2, samples=40, ordinal=ordinal, inputs="date")
    model = MyFM(config).fit(train, train, catalogue)
    query, ten = Query.known(train), np.arange(10)
    good, bad = (model.predict_at(query, ten, ten, np.full(10, day * DAY)).mean for day in (7, 9))
    untold = model.predict(query, ten, ten).mean
    assert (good - bad > 2).all()
    assert ((untold < good) & (untold > bad)).all()
    never = model.predict_at(query, ten, ten, np.full(10, 8 * DAY)).mean
    np.testing.assert_array_equal(never, untold)


@pytest.mark.usefixtures("library")
def test_facts_of_users_count():
    world = two_genre_world()
    jobs = {f"u{n}": Person(occupation=("clown", "poet")[n % 2]) for n in range(60)}
    train = world.train.select(world.train.user < 30)
    late = world.test.select((world.test.user >= 30) & ~world.cold[world.test.item])
    bare = Query.known(train.select(np.arange(0)))

    def rmse(people):
        model = MyFM(MyFMConfig(rank=4, samples=60), people).fit(train, train, world.catalogue)
        error = model.predict(bare, late.user, late.item).mean - late.rating
        return float(np.sqrt(np.mean(error**2)))

    assert rmse(jobs) < 0.8 * rmse({})


@pytest.mark.usefixtures("library")
def test_levels_that_nobody_gave_are_impossible():
    world = two_genre_world()
    train = world.train.select((world.train.rating != 3) & (world.train.rating != 1))
    model = MyFM(MyFMConfig(rank=2, samples=20, inputs="ids")).fit(train, train, world.catalogue)
    found = model.predict(Query.known(train), world.test.user, world.test.item)
    np.testing.assert_array_equal(found.levels.values, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(found.levels.probability[:, [0, 2]], 0)
    np.testing.assert_allclose(found.levels.probability.sum(axis=1), 1)
    np.testing.assert_allclose(found.mean, found.levels.probability @ np.arange(1, 6), rtol=1e-6)


@pytest.mark.usefixtures("library")
def test_ratings_that_are_no_levels_need_the_regression():
    world = two_genre_world()
    odd = replace(world.train, rating=world.train.rating * 0.9, scale=RatingScale(0, 5))
    with pytest.raises(ConfigError, match="ordinal=False"):
        MyFM(MyFMConfig(samples=2)).fit(odd, odd, world.catalogue)
    MyFM(MyFMConfig(samples=2, ordinal=False)).fit(odd, odd, world.catalogue)


@pytest.mark.usefixtures("library")
def test_times_of_other_pairs_are_refused():
    train, catalogue = moody_days(), two_genre_world().catalogue
    model = MyFM(MyFMConfig(samples=2)).fit(train, train, catalogue)
    with pytest.raises(DataError, match="1 times of 2 pairs"):
        model.predict_at(Query.known(train), np.arange(2), np.arange(2), np.zeros(1, dtype=int))


@pytest.mark.usefixtures("library")
def test_parameters_are_those_of_all_samples():
    world = two_genre_world()
    model = MyFM(MyFMConfig(rank=3, samples=7, inputs="ids"))
    model.fit(world.train, world.valid, world.catalogue)
    assert model.parameters == 7 * (1 + (61 + 60) * (1 + 3))


@pytest.mark.usefixtures("library")
def test_no_progress_bar(capfd):
    world = two_genre_world()
    MyFM(MyFMConfig(samples=2)).fit(world.train, world.valid, world.catalogue)
    assert capfd.readouterr() == ("", "")


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "myfm", None)
    world = two_genre_world()
    with pytest.raises(MissingExtra, match=r"recsys\[bench\]"):
        MyFM().fit(world.train, world.valid, world.catalogue)


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"samples": 0}, {"inputs": "everything"}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        MyFMConfig(**wrong)

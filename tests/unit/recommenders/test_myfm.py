"""myFM behind our interface; skipped where the library is absent."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.interactions import RatingScale
from recsys.data.people import Person
from recsys.data.splits import TrainingData
from recsys.errors import ConfigError, DataError, MissingExtra
from recsys.queries.query import Query
from recsys.recommenders.myfm.columns import SeenColumns, day_column, one_hot, sets
from recsys.recommenders.myfm.model import MyFM, MyFMConfig
from recsys.testing.worlds import two_genre_world

DAY = 86_400


@pytest.fixture
def library():
    pytest.importorskip("myfm")


def data_of(world):
    return TrainingData.of(world.train, world.valid, world.catalogue)


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
    model = MyFM(config).fit(TrainingData.of(train, train, catalogue))
    query, ten = Query.known(train), np.arange(10)
    good, bad = (model.predict_at(query, ten, ten, np.full(10, day * DAY)).mean for day in (7, 9))
    untold = model.predict_ratings(query, ten, ten).mean
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
        data = TrainingData.of(train, train, world.catalogue)
        told = replace(data, read_people=lambda: people)
        model = MyFM(MyFMConfig(rank=4, samples=60)).fit(told)
        error = model.predict_ratings(bare, late.user, late.item).mean - late.rating
        return float(np.sqrt(np.mean(error**2)))

    assert rmse(jobs) < 0.8 * rmse({})


def by_the_library(config, data, query, pairs):
    """Mean stars, or the probabilities of the levels, as myFM itself predicts them."""
    import myfm

    side, train = config.inputs != "ids", data.train
    seen = SeenColumns.of(train, data.catalogue, data.read_people(), config.inputs)

    def arguments(query, part, users):
        known = [seen.users.rows[users + 1], *([sets(query.histories)] if side else [])]
        movies, place = np.unique(part.item, return_inverse=True)
        days = day_column(seen.days, part.time) if len(seen.days) else None
        width = (len(part), 0)
        return {
            "X": sp.csr_matrix(width) if days is None else one_hot(days, 1 + len(seen.days)),
            "X_rel": [
                myfm.RelationBlock(part.user.tolist(), sp.csr_matrix(sp.hstack(known))),
                myfm.RelationBlock(place.tolist(), sp.csr_matrix(seen.movies.rows[movies])),
            ],
        }

    kind = myfm.MyFMOrderedProbit if config.ordinal else myfm.MyFMRegressor
    y = train.rating.astype(np.int64) - 1 if config.ordinal else train.rating
    known = Query.known(train)
    machine = kind(rank=config.rank, random_seed=config.seed).fit(
        y=y,
        n_iter=config.samples,
        n_kept_samples=config.samples,
        group_shapes=seen.groups,
        **arguments(known, train, known.users),
    )
    ask = machine.predict_proba if config.ordinal else machine.predict
    return ask(**arguments(query, pairs, query.users))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("inputs", ["ids", "side", "date"])
@pytest.mark.parametrize("ordinal", [True, False])
def test_predictions_are_those_of_the_library(ordinal, inputs):
    world = two_genre_world()
    train = replace(world.train, time=np.arange(len(world.train)) % 7 * DAY)
    people = {f"u{n}": Person(n, ("clown", "poet")[n % 2], str(n)) for n in range(50)}
    data = replace(TrainingData.of(train, world.valid, world.catalogue), read_people=lambda: people)
    config = MyFMConfig(rank=3, samples=20, ordinal=ordinal, inputs=inputs)
    pairs = replace(world.test, time=np.arange(len(world.test)) % 9 * DAY)
    known = Query.known(train)
    strangers = replace(known, users=np.full_like(known.users, -1))
    for query in (known, strangers, Query.known(world.valid)):
        model = MyFM(config).fit(data)
        found = model.predict_at(query, pairs.user, pairs.item, pairs.time)
        expected = by_the_library(config, data, query, pairs)
        if ordinal:
            np.testing.assert_allclose(found.levels.probability, expected, atol=1e-6)
        else:
            np.testing.assert_allclose(found.mean, np.clip(expected, 1, 5), atol=1e-6)


@pytest.mark.usefixtures("library")
def test_a_saved_machine_predicts_alike_where_there_is_no_library(monkeypatch):
    world = two_genre_world()
    model, query = MyFM(MyFMConfig(samples=5)).fit(data_of(world)), Query.known(world.train)
    monkeypatch.setitem(sys.modules, "myfm", None)
    saved = MyFM.restore(model.config, model.arrays(), model.source, model.context)
    one, other = (
        m.predict_ratings(query, world.test.user, world.test.item) for m in (model, saved)
    )
    np.testing.assert_array_equal(one.levels.probability, other.levels.probability)


def test_facts_of_users_are_read_only_where_they_count(monkeypatch):
    def unwanted():
        raise AssertionError("read")

    monkeypatch.setattr("recsys.recommenders.myfm.model._library", lambda: None)
    data = replace(data_of(two_genre_world()), read_people=unwanted)
    with pytest.raises(AttributeError):  # there is no library to ask
        MyFM(MyFMConfig(inputs="ids")).fit(data)
    with pytest.raises(AssertionError, match="read"):
        MyFM(MyFMConfig(inputs="side")).fit(data)


def test_facts_are_those_of_the_inputs():
    told = {i: MyFM(MyFMConfig(inputs=i)).facts for i in ("ids", "side", "date")}
    assert [i for i, facts in told.items() if facts.uses_timestamps] == ["date"]
    assert [i for i, facts in told.items() if facts.uses_user_features] == ["side", "date"]
    assert [i for i, facts in told.items() if facts.reads_genres] == ["side", "date"]


@pytest.mark.usefixtures("library")
def test_pairs_are_predicted_alike_in_blocks(monkeypatch):
    world = two_genre_world()
    model, query = MyFM(MyFMConfig(samples=5)).fit(data_of(world)), Query.known(world.train)
    whole = model.predict_ratings(query, world.test.user, world.test.item)
    monkeypatch.setattr("recsys.recommenders.myfm.model._PAIRS_AT_A_TIME", 7)
    blocks = model.predict_ratings(query, world.test.user, world.test.item)
    np.testing.assert_allclose(blocks.levels.probability, whole.levels.probability, atol=1e-12)


@pytest.mark.usefixtures("library")
def test_levels_that_nobody_gave_are_impossible():
    world = two_genre_world()
    train = world.train.select((world.train.rating != 3) & (world.train.rating != 1))
    model = MyFM(MyFMConfig(rank=2, samples=20, inputs="ids")).fit(
        TrainingData.of(train, train, world.catalogue)
    )
    found = model.predict_ratings(Query.known(train), world.test.user, world.test.item)
    np.testing.assert_array_equal(found.levels.values, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(found.levels.probability[:, [0, 2]], 0)
    np.testing.assert_allclose(found.levels.probability.sum(axis=1), 1)
    np.testing.assert_allclose(found.mean, found.levels.probability @ np.arange(1, 6), rtol=1e-6)


@pytest.mark.usefixtures("library")
def test_ratings_that_are_no_levels_need_the_regression():
    world = two_genre_world()
    odd = replace(world.train, rating=world.train.rating * 0.9, scale=RatingScale(0, 5))
    with pytest.raises(ConfigError, match="ordinal=False"):
        MyFM(MyFMConfig(samples=2)).fit(TrainingData.of(odd, odd, world.catalogue))
    MyFM(MyFMConfig(samples=2, ordinal=False)).fit(TrainingData.of(odd, odd, world.catalogue))


@pytest.mark.usefixtures("library")
def test_times_of_other_pairs_are_refused():
    train, catalogue = moody_days(), two_genre_world().catalogue
    model = MyFM(MyFMConfig(samples=2)).fit(TrainingData.of(train, train, catalogue))
    with pytest.raises(DataError, match="1 times of 2 pairs"):
        model.predict_at(Query.known(train), np.arange(2), np.arange(2), np.zeros(1, dtype=int))


@pytest.mark.usefixtures("library")
def test_parameters_are_those_of_all_samples():
    world = two_genre_world()
    model = MyFM(MyFMConfig(rank=3, samples=7, inputs="ids"))
    model.fit(data_of(world))
    assert model.parameters == 7 * (1 + (61 + 60) * (1 + 3))


@pytest.mark.usefixtures("library")
def test_no_progress_bar(capfd):
    world = two_genre_world()
    MyFM(MyFMConfig(samples=2)).fit(data_of(world))
    assert capfd.readouterr() == ("", "")


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "myfm", None)
    world = two_genre_world()
    with pytest.raises(MissingExtra, match=r"recsys\[bench\]"):
        MyFM().fit(data_of(world))


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"samples": 0}, {"inputs": "everything"}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        MyFMConfig(**wrong)

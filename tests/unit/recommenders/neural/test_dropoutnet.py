"""DropoutNet: what it is shown, what it imitates, and what it withholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.splits import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Query
from recsys.recommenders.closed_form.ease import RankReducedEase, RankReducedEaseConfig
from recsys.testing.worlds import two_genre_world

torch = pytest.importorskip("torch")

from recsys.recommenders.neural import nets  # noqa: E402
from recsys.recommenders.neural.models import DropoutNet, DropoutNetConfig  # noqa: E402

FAST = DropoutNetConfig(
    rank=4, l2=20.0, hidden=16, batch=10, learning_rate=0.01, top=5, epochs=5, patience=5
)


def fitted(world, config):
    return DropoutNet(config).fit(TrainingData.of(world.train, world.valid, world.catalogue))


@pytest.fixture
def given():
    rng = torch.Generator().manual_seed(0)
    users, items, content = (torch.randn(n, d, generator=rng) for n, d in ((4, 3), (9, 3), (9, 5)))
    return nets.Given(users, items, content, torch.arange(9) < 7)


def test_the_error_is_that_of_all_rated_movies_and_of_the_highest_again(given):
    net = nets.DropoutNets(given, replace(FAST, dropout=0.0, top=2))
    rows = torch.tensor([3, 1])
    products = given.users @ given.items[:7].T
    targets = (products / products.std()).numpy()[rows]
    made = net.users(given.users[rows]) @ net.items()[:7].T
    errors = np.square(made - targets)
    highest = np.argsort(-targets, axis=1)[:, :2]
    expected = errors.mean() + np.take_along_axis(errors, highest, axis=1).mean()
    assert net.loss(rows, torch.Generator()).item() == pytest.approx(expected, rel=1e-4)


def test_what_is_withheld_does_not_matter(given):
    other = replace(given, items=given.items.flip(0))
    rows, rng = torch.arange(4), torch.Generator()
    for dropout, same in ((1.0, True), (0.0, False)):
        pair = [nets.DropoutNets(g, replace(FAST, dropout=dropout)) for g in (given, other)]
        pair[1]._targets = pair[0]._targets
        one, two = (net.loss(rows, rng).item() for net in pair)
        assert (one == two) == same


def test_preferences_of_movies_that_nobody_rated_are_never_seen(given):
    items = given.items.clone()
    items[7:] = 1e6
    made = [nets.DropoutNets(g, FAST).items() for g in (given, replace(given, items=items))]
    np.testing.assert_array_equal(*made)


def test_preferences_are_standardised():
    vectors = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 5 + 2
    scaled = nets.Standardiser(vectors)(vectors)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(0, correction=0), 1, rtol=1e-5)
    assert not nets.Standardiser(torch.ones(5, 2))(torch.ones(5, 2)).any()


def test_without_dropout_it_imitates_what_it_is_given():
    world = two_genre_world()
    config = replace(FAST, dropout=0.0, hidden=64, epochs=150, patience=150)
    ranks = RankReducedEase(RankReducedEaseConfig(4, 20.0))
    nothing = world.valid.select(np.arange(0))
    data = TrainingData.of(world.train, nothing, world.catalogue)
    rated, query = world.train.item_counts() > 0, Query.known(world.train)
    model = DropoutNet(config).fit(data)
    ranks.fit(data)
    one, other = (m.score(query)[:, rated].ravel() for m in (model, ranks))
    assert np.corrcoef(one, other)[0, 1] > 0.95


def test_the_seed_decides_and_nothing_else():
    world = two_genre_world()
    query = Query.known(world.train)
    torch.manual_seed(1)
    first = fitted(world, FAST).score(query)
    torch.manual_seed(2)
    np.testing.assert_array_equal(fitted(world, FAST).score(query), first)
    assert not np.allclose(fitted(world, replace(FAST, seed=1)).score(query), first)


def test_a_stranger_is_scored_like_a_known_user():
    world = two_genre_world()
    model, query = fitted(world, FAST), Query.known(world.train)
    np.testing.assert_array_equal(model.score(Query.of(query.histories)), model.score(query))


def test_served_scores_are_those_of_the_networks(monkeypatch):
    trained = []
    monkeypatch.setattr(nets, "n_trained", lambda net: trained.append(net) or 0)
    world = two_genre_world()
    data, query = (
        TrainingData.of(world.train, world.valid, world.catalogue),
        Query.known(world.train),
    )
    model = DropoutNet(FAST).fit(data)
    ranks = RankReducedEase(RankReducedEaseConfig(FAST.rank, FAST.l2)).fit(data)
    made = trained[0].users(torch.from_numpy(ranks.user_vectors(query)))
    np.testing.assert_allclose(model.user_vectors(query), made, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(model.score(query), made @ trained[0].items().T, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"dropout": 1.1}, {"learning_rate": 0.0}, {"hidden": 0}, {"top": 0}, {"batch": 0}]
)
def test_options_that_make_no_sense(options):
    with pytest.raises(ConfigError, match="DropoutNetConfig"):
        DropoutNetConfig(**options)

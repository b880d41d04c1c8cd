"""CLCRec against its loss written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.splits import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Query
from recsys.testing.worlds import two_genre_world

torch = pytest.importorskip("torch")

from recsys.recommenders.neural import nets  # noqa: E402
from recsys.recommenders.neural.models import CLCRec, CLCRecConfig  # noqa: E402
from recsys.recommenders.neural.training import Ratings  # noqa: E402

FAST = CLCRecConfig(
    dim=4, hidden=8, negatives=20, batch=256, learning_rate=0.02, epochs=3, patience=3
)


def cosine(x, y):
    return x @ y / x.norm() / y.norm()


def cross_entropy(right, wrong):
    return -torch.log(torch.exp(right) / (torch.exp(right) + sum(torch.exp(w) for w in wrong)))


def loss_by_hand(net, world, user, item, others):
    """With ρ 0, so that ids stand for movies in the second term."""
    config, features = net.config, net.encoded(torch.arange(60))
    rated = world.train.matrix().toarray() > 0
    total = torch.zeros(())
    for u, i in zip(user.tolist(), item.tolist(), strict=True):
        told = cross_entropy(
            cosine(net.item[i], features[i]) / config.temperature,
            [cosine(net.item[i], features[j]) / config.temperature for j in others if j != i],
        )
        wanted = cross_entropy(
            net.user[u] @ net.item[i] / config.temperature,
            [net.user[u] @ net.item[j] / config.temperature for j in others if not rated[u, j]],
        )
        total += (config.balance * told + (1 - config.balance) * wanted) / len(user)
    users = torch.stack([net.user[u].norm() for u in user]).mean()
    items = torch.stack([net.item[i].norm() for i in [*item.tolist(), *others]]).mean()
    return total + config.reg * (users + items) / 2


@pytest.mark.parametrize("balance", [0.0, 0.3, 1.0])
def test_the_loss_is_that_of_the_paper(balance):
    world = two_genre_world()
    config = replace(FAST, balance=balance, mixing=0.0, reg=0.2, temperature=0.7)
    content = torch.randn(60, 6, generator=torch.Generator().manual_seed(0))
    net, ratings = nets.CLCRecNet(60, content, config), Ratings(world.train)
    user, item = next(ratings.batches(5, torch.Generator().manual_seed(1)))
    others = ratings.drawn(20, torch.Generator().manual_seed(2)).tolist()
    found = net.loss(ratings, user, item, torch.Generator().manual_seed(2))
    expected = loss_by_hand(net, world, user, item, others)
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)


def test_content_stands_in_for_ids_as_often_as_it_is_told_to():
    content = torch.randn(60, 6, generator=torch.Generator().manual_seed(0))
    for mixing in (0.0, 0.5, 1.0):
        net = nets.CLCRecNet(60, content, replace(FAST, mixing=mixing))
        mixed = net._mixed(torch.zeros(4000, 2), torch.ones(4000, 2), torch.Generator())
        assert (mixed[:, 0] == mixed[:, 1]).all()
        assert mixed.mean().item() == pytest.approx(mixing, abs=0.05)


def test_rated_movies_are_ids_and_the_others_content():
    content = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    net = nets.CLCRecNet(2, content, FAST)
    found = net.vectors(torch.tensor([0, 2, 5]))
    encoded = net.encoded(torch.arange(6)).detach().numpy()
    np.testing.assert_array_equal(found.items[[0, 2, 5]], net.item[[0, 2, 5]].detach().numpy())
    np.testing.assert_array_equal(found.items[[1, 3, 4]], encoded[[1, 3, 4]])


def test_the_seed_decides_and_nothing_else():
    world = two_genre_world()

    def scores(seed):
        data = TrainingData.of(world.train, world.valid, world.catalogue)
        model = CLCRec(replace(FAST, seed=seed)).fit(data)
        return model.score(Query.known(world.train))

    torch.manual_seed(1)
    first = scores(0)
    torch.manual_seed(2)
    np.testing.assert_array_equal(scores(0), first)
    assert not np.allclose(scores(1), first)


@pytest.mark.parametrize(
    "options",
    [{"balance": 1.5}, {"mixing": -0.1}, {"temperature": 0.0}, {"learning_rate": 0.0}],
)
def test_options_that_make_no_sense(options):
    with pytest.raises(ConfigError, match="CLCRecConfig"):
        CLCRecConfig(**options)

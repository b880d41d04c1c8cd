"""VBPR against its formula written out, and against matrix factorisation without content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.splits import TrainingData
from recsys.errors import ConfigError, DataError
from recsys.queries.query import Query
from recsys.testing.contract import share_ordered
from recsys.testing.worlds import two_genre_world, without_content

torch = pytest.importorskip("torch")

from recsys.recommenders.neural import nets  # noqa: E402
from recsys.recommenders.neural.models import VBPR, VBPRConfig  # noqa: E402
from recsys.recommenders.neural.training import Ratings, Triples  # noqa: E402

FAST = VBPRConfig(factors=4, content_factors=4, learning_rate=0.02, batch=256, epochs=8, patience=8)


def scores(world, config):
    model = VBPR(config).fit(TrainingData.of(world.train, world.valid, world.catalogue))
    return model.score(Query.known(world.train))


def drawn_net(content):
    net = nets.VBPRNet(3, content, replace(FAST, seed=5))
    with torch.no_grad():
        for number, parameter in enumerate(net.parameters()):
            rng = torch.Generator().manual_seed(number)
            parameter.copy_(torch.randn(parameter.shape, generator=rng))
    return net


def score_by_hand(net, user, item):
    seen = net.content[item] @ net.embed
    own = net.bias[item] + net.user[user] @ net.item[item]
    return own + net.taste[user] @ seen + net.content_bias @ net.content[item]


def test_loss_and_scores_are_those_of_the_paper():
    net = drawn_net(torch.randn(5, 6, generator=torch.Generator().manual_seed(9)))
    triples = Triples(*(torch.tensor(rows) for rows in ([0, 2], [1, 3], [4, 0])))
    expected = 0.0
    for user, liked, other in zip(*(rows.tolist() for rows in triples), strict=True):
        margin = score_by_hand(net, user, liked) - score_by_hand(net, user, other)
        vectors = [net.user[user], net.taste[user], net.item[liked], net.item[other]]
        vectors += [net.bias[liked], net.bias[other]]
        squares = sum(vector.square().sum() for vector in vectors)
        expected += (-torch.log(torch.sigmoid(margin)) + 0.3 * squares) / 2
    assert net.loss(triples, 0.3).item() == pytest.approx(expected.item(), rel=1e-5)
    found = net.vectors(torch.ones(5, dtype=torch.bool))
    by_hand = [[score_by_hand(net, u, i).item() for i in range(5)] for u in range(3)]
    np.testing.assert_allclose(found.users @ found.items.T, by_hand, rtol=1e-4)


def test_a_movie_that_nobody_rated_has_content_alone():
    net = drawn_net(torch.randn(5, 6, generator=torch.Generator().manual_seed(9)))
    found = net.vectors(torch.tensor([True, False, True, True, True]))
    with torch.no_grad():
        net.bias[1], net.item[1] = 0, 0
        expected = [score_by_hand(net, user, 1).item() for user in range(3)]
    np.testing.assert_allclose((found.users @ found.items.T)[:, 1], expected, rtol=1e-4)


def test_content_that_no_movie_has_leaves_matrix_factorisation():
    world = two_genre_world()
    empty = without_content(world, np.ones(60, dtype=bool))
    one, other = (scores(empty, replace(FAST, content_factors=n)) for n in (4, 0))
    rated = world.train.item_counts() > 0
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert not other[:, ~rated].any()
    bare = replace(world, catalogue=replace(world.catalogue, modalities={}))
    np.testing.assert_array_equal(scores(bare, replace(FAST, content_factors=0)), other)


def test_matrix_factorisation_learns_taste():
    world = two_genre_world()
    found = scores(world, replace(FAST, content_factors=0, epochs=40, patience=40))
    assert share_ordered(found, *world.liking(~world.cold)) > 0.85


def test_the_seed_decides_and_nothing_else():
    world = two_genre_world()
    torch.manual_seed(1)
    first = scores(world, FAST)
    torch.manual_seed(2)
    np.testing.assert_array_equal(scores(world, FAST), first)
    assert not np.allclose(scores(world, replace(FAST, seed=1)), first)


def test_cold_movies_are_never_learnt_as_disliked():
    world = two_genre_world()
    ratings = Ratings(world.train)
    rng = torch.Generator().manual_seed(0)
    met = {row for triples in ratings.triples(64, rng) for row in triples.other.tolist()}
    assert not met & set(np.flatnonzero(world.cold).tolist())


def test_one_modality_by_name():
    world = two_genre_world()
    table = world.catalogue.modalities["metadata"]
    noise = np.random.default_rng(0).normal(size=table.vectors.shape).astype(np.float32)
    more = world.catalogue.with_modality(replace(table, name="text", vectors=noise))
    named = replace(FAST, modality="metadata")
    found = scores(replace(world, catalogue=more), named)
    np.testing.assert_array_equal(found, scores(world, named))
    with pytest.raises(ConfigError, match="no modality 'poster'"):
        scores(world, replace(FAST, modality="poster"))
    with pytest.raises(DataError, match="without any modality"):
        scores(replace(world, catalogue=replace(world.catalogue, modalities={})), FAST)


@pytest.mark.parametrize(
    "options", [{"factors": -1}, {"content_factors": -1}, {"reg": -1.0}, {"learning_rate": 0.0}]
)
def test_options_that_make_no_sense(options):
    with pytest.raises(ConfigError, match="VBPRConfig"):
        VBPRConfig(**options)

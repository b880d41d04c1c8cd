"""What the networks share: content, drawn movies, and when training stops."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.splits import TrainingData
from recsys.errors import ConfigError, MissingExtra
from recsys.queries.query import Query
from recsys.recommenders.content.kernel import content_kernel
from recsys.testing.worlds import two_genre_world, without_content

torch = pytest.importorskip("torch")

from recsys.recommenders.joint.weights import generator  # noqa: E402
from recsys.recommenders.neural import nets  # noqa: E402
from recsys.recommenders.neural.models import (  # noqa: E402
    VBPR,
    CLCRec,
    CLCRecConfig,
    DropoutNet,
    DropoutNetConfig,
    Schedule,
    VBPRConfig,
    content_matrix,
)
from recsys.recommenders.neural.training import (  # noqa: E402
    Ratings,
    ValidEvaluator,
    train_until_best,
)

WITHOUT_TORCH = """
import pickle, sys
sys.modules["torch"] = None
for kind, config, arrays, query, expected in pickle.load(sys.stdin.buffer):
    assert (kind.restore(config, arrays, None, None).score(query) == expected).all()
"""


class Counted(torch.nn.Module):
    """Its one number is the number of epochs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("epochs", torch.zeros(()))


def trained(qualities, schedule):
    net, asked = Counted(), []

    def run_epoch(number):
        assert number == len(asked) + 1
        net.epochs += 1

    def evaluated():
        asked.append(qualities[len(asked)])
        return asked[-1]

    kept = train_until_best(net, run_epoch, evaluated, schedule)
    return kept, net.epochs.item(), len(asked)


def test_the_best_epoch_is_kept_and_training_stops_when_none_is_better():
    assert trained([0.1, 0.3, 0.2, 0.3, 0.9], Schedule(epochs=5, patience=2)) == (2, 2, 4)
    assert trained([0.1, 0.3, 0.2, 0.4, 0.2], Schedule(epochs=5, patience=2)) == (4, 4, 5)
    assert trained([0.0, 0.0, 0.0], Schedule(epochs=3, patience=2)) == (1, 1, 3)


def test_without_valid_all_epochs_are_run():
    assert trained([None] * 4, Schedule(epochs=4, patience=1)) == (4, 4, 4)


@pytest.mark.parametrize("options", [{"epochs": 0}, {"patience": 0}])
def test_a_schedule_of_nothing_is_refused(options):
    for kind in (Schedule, VBPRConfig, CLCRecConfig, DropoutNetConfig):
        with pytest.raises(ConfigError, match=r"(epochs|patience) is 0"):
            kind(**options)


class Fixed:
    def __init__(self, scores):
        self.scores = scores

    def score(self, query):
        return self.scores[query.users].astype(np.float32)


def test_cold_movies_are_evaluated_among_themselves():
    world = two_genre_world()
    cold = np.flatnonzero(world.cold)
    valid = world.test.select(np.isin(world.test.item, cold[:15]))
    data = TrainingData.of(world.train, valid, world.catalogue)
    evaluator = ValidEvaluator(replace(data, cold_valid_items=cold[:15]))
    right = (world.fans[:, None] == world.genre).astype(float)
    warm_first = right + 10 * ~world.cold
    others_first = right + 10 * np.isin(np.arange(60), cold[15:])
    assert (
        evaluator(Fixed(right))
        == evaluator(Fixed(warm_first))
        == evaluator(Fixed(others_first))
        > 0.8
    )
    assert evaluator(Fixed(-right)) < 0.5


def test_warm_movies_are_evaluated_among_all_and_history_is_left_out():
    world = two_genre_world()
    evaluator = ValidEvaluator(TrainingData.of(world.train, world.valid, world.catalogue))
    truth = world.valid.matrix().toarray() > 0
    perfect = truth + 10.0 * (world.train.matrix().toarray() > 0)
    assert evaluator(Fixed(perfect)) == pytest.approx(1)
    assert evaluator(Fixed(truth + 10 * world.cold)) < 0.5


def test_no_valid_is_no_quality():
    world = two_genre_world()
    nothing = world.valid.select(np.arange(0))
    evaluator = ValidEvaluator(TrainingData.of(world.train, nothing, world.catalogue))
    assert evaluator(Fixed(np.zeros((60, 60)))) is None


def two_modalities(absent=()):
    world = without_content(two_genre_world(), np.isin(np.arange(60), absent))
    table = world.catalogue.modalities["metadata"]
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    return world.catalogue.with_modality(replace(table, name="text", vectors=vectors))


def test_content_keeps_the_kernel_whatever_its_axes():
    catalogue = two_modalities(absent=[3, 50])
    kernel = content_kernel(catalogue.modalities.values(), {})
    for components in (16, 100):
        found = content_matrix(catalogue, None, "x", components)
        assert found.shape == (60, 16)
        np.testing.assert_allclose(found @ found.T, kernel, atol=1e-5)
    alone = content_matrix(catalogue, "metadata", "x")
    assert not alone[[3, 50]].any()


def test_the_leading_axes_are_kept():
    catalogue = two_modalities()
    kernel = content_kernel(catalogue.modalities.values(), {})
    found = content_matrix(catalogue, None, "x", 5)
    best = np.linalg.eigvalsh(kernel)[::-1][5:]
    assert found.shape == (60, 5)
    assert np.linalg.norm(kernel - found @ found.T) == pytest.approx(np.linalg.norm(best), 1e-4)


def test_drawn_movies_are_rated_by_others():
    world = two_genre_world()
    ratings = Ratings(world.train)
    rated = world.train.matrix().toarray() > 0
    triples = list(ratings.triples(100, generator(0, "x")))
    user, liked, other = (torch.cat(rows).numpy() for rows in zip(*triples, strict=True))
    assert sorted(zip(user, liked, strict=True)) == sorted(
        zip(world.train.user, world.train.item, strict=True)
    )
    assert not rated[user, other].any()
    assert rated.any(axis=0)[other].all()
    assert len(set(other.tolist())) == rated.any(axis=0).sum()


def test_who_rated_what():
    world = two_genre_world()
    ratings, rated = Ratings(world.train), world.train.matrix().toarray() > 0
    users, items = torch.arange(60), torch.arange(60)
    np.testing.assert_array_equal(ratings.have(users, items), rated)
    found = [ratings.has(users, torch.full((60,), item)).numpy() for item in range(60)]
    np.testing.assert_array_equal(np.stack(found, axis=1), rated)


def test_a_user_who_rated_everything_does_not_stop_training():
    world = two_genre_world()
    one = world.train.user == 0
    alone = world.train.select(one)
    triples = next(Ratings(alone).triples(10_000, generator(0, "x")))
    assert len(triples.other) == one.sum()


def data_and_query():
    world = two_genre_world()
    data = TrainingData.of(world.train, world.valid, world.catalogue)
    return data, Query.known(world.train)


@pytest.mark.parametrize(("kind", "shown"), [(VBPR, "mask"), (CLCRec, "rows")])
def test_served_scores_are_those_of_the_network(kind, shown, monkeypatch):
    trained = []
    monkeypatch.setattr(nets, "n_trained", lambda net: trained.append(net) or 0)
    data, query = data_and_query()
    model = kind(kind.config_class(epochs=3)).fit(data)
    rated = torch.from_numpy(data.train.item_counts() > 0)
    made = trained[0].vectors(rated if shown == "mask" else rated.nonzero()[:, 0])
    product = torch.from_numpy(made.users) @ torch.from_numpy(made.items).T
    np.testing.assert_allclose(model.score(query), product, atol=1e-5)


def test_saved_models_answer_alike_where_there_is_no_torch():
    data, query = data_and_query()
    told = []
    for kind in (VBPR, CLCRec, DropoutNet):
        model = kind(kind.config_class(epochs=1)).fit(data)
        told.append((kind, model.config, model.arrays(), query, model.score(query)))
    command = [sys.executable, "-c", WITHOUT_TORCH]
    subprocess.run(command, input=pickle.dumps(told), check=True)


@pytest.mark.parametrize("kind", [VBPR, CLCRec, DropoutNet])
def test_without_torch_the_extra_is_named(kind, monkeypatch):
    for name in [n for n in sys.modules if n.startswith("recsys.recommenders.neural.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    world = two_genre_world()
    with pytest.raises(MissingExtra, match=r"recsys\[train\]"):
        kind().fit(TrainingData.of(world.train, world.valid, world.catalogue))

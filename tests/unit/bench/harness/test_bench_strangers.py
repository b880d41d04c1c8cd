"""Users of whom nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.baselines.ease import Ease
from recsys.baselines.popularity import Popularity
from recsys.bench.job import RunJob, Subject, run
from recsys.bench.judging import judge
from recsys.bench.protocols import Cell
from recsys.bench.strangers import strangers, welcoming
from recsys.models.recommender import Query

STRANGE = 5


class Same:
    """Scores every movie alike, whoever asks."""

    name = "same"

    def fit(self, train, valid, catalogue):  # noqa: ARG002
        self.shape = train.shape
        return self

    def score(self, query):
        return np.full((len(query), self.shape[1]), -np.inf, dtype=np.float32)


@pytest.fixture
def ground(material):
    """A division in which the first users have no training rating."""
    found = material.ground(Cell("ro", 1))
    split = found.split
    train = split.train.select(np.flatnonzero(split.train.user >= STRANGE))
    return type(found)(material, type(split)(train, split.valid, split.test, split.spec))


def fitted(model, ground):
    return model.fit(ground.split.train, ground.split.valid, ground.catalogue)


@pytest.mark.parametrize("model", [Ease(), Same()], ids=["zeros", "nothing can be scored"])
def test_a_stranger_gets_what_is_popular_where_a_model_has_nothing_to_say(ground, model):
    train = ground.split.train
    query = Query.known(train)
    plain = fitted(model, ground).score(query)
    scores = welcoming(model, train).score(query)
    blank = strangers(query)
    np.testing.assert_array_equal(np.flatnonzero(blank), np.arange(STRANGE))
    np.testing.assert_array_equal(scores[:STRANGE], np.tile(train.item_counts(), (STRANGE, 1)))
    np.testing.assert_array_equal(scores[STRANGE:], plain[STRANGE:])
    assert scores.dtype == np.float32


def test_a_model_that_has_something_to_say_is_heard(ground):
    class Last(Popularity):
        def score(self, query):
            return -super().score(query)

    query, model = Query.known(ground.split.train), fitted(Last(), ground)
    scores = welcoming(model, ground.split.train).score(query)
    np.testing.assert_array_equal(scores, model.score(query))


def test_lists_of_strangers_are_judged_with_it(ground):
    found = judge(fitted(Ease(), ground), ground, "test", ("warm",)).per_user()["ndcg@10"]
    popular = judge(fitted(Popularity(), ground), ground, "test", ("warm",)).per_user()["ndcg@10"]
    np.testing.assert_array_equal(found[:STRANGE], popular[:STRANGE])
    assert not np.array_equal(found, popular)


def test_another_evaluator_is_believed_where_everybody_is_known(
    toys, ground, material, protocol_of, monkeypatch
):
    job = RunJob(Subject(protocol_of(), "elsewhere", "bench_toys"), Cell("ro", 1), {})
    assert run(toys["elsewhere"], job, material).reference
    monkeypatch.setattr(type(material), "ground", lambda *_: ground)
    assert run(toys["elsewhere"], job, material).reference == {}

"""Rivals for movies that nobody rated keep the promises of a recommender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.queries.query import Query
from recsys.recommenders.closed_form.ease_content import EaseContent, EaseContentConfig
from recsys.recommenders.closed_form.marec import MARec, MARecConfig
from recsys.recommenders.content.ridge import ContentRidge, ContentRidgeConfig
from recsys.recommenders.genre_popularity import GenrePopularity
from recsys.testing.contract import newcomers, strangers
from recsys.testing.recommender_contract import (
    ColdItemContract,
    RecommenderContract,
    VectorRecommenderContract,
)
from recsys.testing.worlds import two_genre_world

torch = pytest.importorskip("torch")

from recsys.recommenders.neural.clcrec import CLCRec, CLCRecConfig  # noqa: E402
from recsys.recommenders.neural.dropoutnet import DropoutNet, DropoutNetConfig  # noqa: E402
from recsys.recommenders.neural.vbpr import VBPR, VBPRConfig  # noqa: E402

SHORT, LONG = {"epochs": 30, "patience": 10}, {"epochs": 60, "patience": 20}


class TestGenrePopularity(RecommenderContract):
    def make(self):
        return GenrePopularity()


class TestContentRidge(RecommenderContract, ColdItemContract):
    def make(self):
        return ContentRidge(ContentRidgeConfig(l2=20.0, ridge=3.0))


class TestMARec(RecommenderContract, ColdItemContract):
    def make(self):
        return MARec(MARecConfig(l2=20.0))


class TestEaseContent(RecommenderContract, ColdItemContract):
    def make(self):
        return EaseContent(EaseContentConfig(content=2.0, l2=20.0))


class TestDropoutNet(RecommenderContract, ColdItemContract, VectorRecommenderContract):
    def make(self):
        sizes = {"rank": 4, "hidden": 64, "batch": 10}
        return DropoutNet(DropoutNetConfig(**sizes, l2=20.0, learning_rate=0.01, **LONG))


class OfKnownUsers(RecommenderContract, ColdItemContract):
    """A model that has learnt a vector for each user refuses the others."""

    __test__ = False

    def test_a_user_not_in_training_gets_scores(self):
        world = two_genre_world()
        with pytest.raises(DataError, match="60 users who were not in training"):
            self.fitted(world).score(strangers(world))

    def test_a_stranger_with_the_same_taste_gets_the_liked_genre(self):
        world = two_genre_world()
        known = Query.known(world.train)
        beyond = replace(known, users=np.where(known.users == 7, 60, known.users).astype(np.int32))
        with pytest.raises(DataError, match=r"1 users who were not in training\n.*query 7"):
            self.fitted(world).score(beyond)

    def test_an_empty_history_gets_finite_scores_for_something(self):
        with pytest.raises(DataError, match="2 users"):
            self.fitted(two_genre_world()).score(newcomers(two_genre_world()))


class TestVBPR(OfKnownUsers):
    __test__ = True

    def make(self):
        sizes = {"factors": 8, "content_factors": 8, "batch": 256}
        return VBPR(VBPRConfig(**sizes, learning_rate=0.02, **LONG))


class TestCLCRec(OfKnownUsers):
    __test__ = True

    def make(self):
        sizes = {"dim": 16, "hidden": 16, "negatives": 30, "batch": 128}
        rates = {"temperature": 1.0, "learning_rate": 0.02}
        return CLCRec(CLCRecConfig(**sizes, **rates, **SHORT))

"""A contract that nothing fails is worth nothing: each mistake here must be caught, by its test."""

# ruff: noqa: ARG002 - the signatures are those of the protocols

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import NotFittedError
from recsys.queries.query import LevelProbabilities, Query, RatingPrediction
from recsys.queries.topk import TopK
from recsys.recommenders.registry import create
from recsys.retrieval.exact import ExactIndex
from recsys.testing.index_contract import IndexContract
from recsys.testing.rating_contract import RatingPredictorContract
from recsys.testing.recommender_contract import ColdItemContract, RecommenderContract
from recsys.testing.worlds import data_of


class ContentMean:
    """A right answer to the toy worlds: the mean content of what was rated, as inner products."""

    name = "content-mean"

    def __init__(self):
        self.content = None

    def fit(self, train, valid, catalogue):
        table = catalogue.modalities["metadata"]
        middle = table.vectors[table.present].mean(axis=0)
        content = np.where(table.present[:, None], table.vectors - middle, 0)
        popularity = 0.3 * train.item_counts() / train.item_counts().max()
        self.content = np.column_stack([content, popularity]).astype(np.float32)
        return self

    def user_vectors(self, query):
        if self.content is None:
            raise NotFittedError("not fitted")
        weights = np.maximum(np.diff(query.histories.indptr), 1)[:, None]
        rated = query.histories.astype(bool).astype(np.float32)
        mean = rated @ self.content[:, :-1] / weights
        return np.column_stack([mean, np.ones(len(query))]).astype(np.float32)

    def score(self, query):
        return self.user_vectors(query) @ self.content.T


class TestContentMean(RecommenderContract, ColdItemContract):
    def make(self):
        return ContentMean()


class BadFit(ContentMean):
    def fit(self, train, valid, catalogue):
        super().fit(data_of(train, valid, catalogue))


class NoFitNeeded(ContentMean):
    def score(self, query):
        return np.zeros(query.histories.shape, np.float32)


class NotANumber(ContentMean):
    def score(self, query):
        return super().score(query) * np.float32(np.nan)


class Double(ContentMean):
    def score(self, query):
        return super().score(query).astype(np.float64)


class BatchScaled(ContentMean):
    def score(self, query):
        scores = super().score(query)
        return scores / np.abs(scores).max(initial=1e-9)


class KnownOnly(ContentMean):
    def score(self, query):
        return np.where(query.users[:, None] < 0, -np.inf, super().score(query))


class Writes(ContentMean):
    def score(self, query):
        scores = super().score(query)
        query.histories.data *= 0
        return scores


class Exposes(ContentMean):
    def score(self, query):
        if not hasattr(self, "kept"):
            self.kept = super().score(query)
        return self.kept


class Random(ContentMean):
    def fit(self, train, valid, catalogue):
        super().fit(data_of(train, valid, catalogue))
        self.content += np.random.default_rng().normal(scale=1e-3, size=self.content.shape)
        return self


class Unpopular(ContentMean):
    def fit(self, train, valid, catalogue):
        super().fit(data_of(train, valid, catalogue))
        self.content[:, -1] *= -1000
        return self


class Contrary(ContentMean):
    def score(self, query):
        return -super().score(query)


class Peeks(ContentMean):
    """Knows the genres by the parity of the row, whatever the data say."""

    def fit(self, train, valid, catalogue):
        super().fit(data_of(train, valid, catalogue))
        self.parity = (np.arange(len(catalogue)) % 2).astype(np.float32)
        return self

    def score(self, query):
        fan = (np.maximum(query.users, 0) % 2)[:, None] == self.parity
        return super().score(query) * np.float32(0) + fan.astype(np.float32)


class WarmOnly(ContentMean):
    def fit(self, train, valid, catalogue):
        super().fit(data_of(train, valid, catalogue))
        self.content[train.item_counts() == 0] = -9
        return self


RECOMMENDER_MISTAKES = [
    (BadFit, "fit_returns_self"),
    (NoFitNeeded, "score_before_fit_is_an_error"),
    (NotANumber, "scores_are_a_float32_matrix_without_nan"),
    (Double, "scores_are_a_float32_matrix_without_nan"),
    (BatchScaled, "scoring_one_by_one_equals_a_batch"),
    (KnownOnly, "a_user_not_in_training_gets_scores"),
    (KnownOnly, "an_empty_history_gets_finite_scores_for_something"),
    (Writes, "fit_and_score_alter_neither_data_nor_query"),
    (Exposes, "altering_scores_leaves_the_recommender_as_it_was"),
    (Random, "equal_fits_give_equal_scores"),
    (Unpopular, "what_is_more_popular_ranks_higher_where_taste_does_not_exist"),
    (Contrary, "the_liked_genre_ranks_higher"),
    (Contrary, "a_stranger_with_the_same_taste_gets_the_liked_genre"),
    (Peeks, "shuffled_ratings_fall_to_chance"),
    (Peeks, "cold_movies_with_shuffled_features_fall_to_chance"),
    (WarmOnly, "cold_movies_rank_within_their_genre"),
    (NotANumber, "movies_without_content_are_scored_or_said_to_be_unscoreable"),
]


@pytest.mark.parametrize(("mistake", "test"), RECOMMENDER_MISTAKES)
def test_a_recommender_s_mistake_is_caught(mistake, test):
    class Case(RecommenderContract, ColdItemContract):
        def make(self):
            return mistake()

    with pytest.raises(AssertionError):
        getattr(Case(), f"test_{test}")()


class Rater:
    name = "bias"

    def __init__(self):
        self.inner = create("bias")

    def fit(self, train, valid, catalogue):
        self.inner.fit(data_of(train, valid, catalogue))
        return self

    def predict(self, query, rows, items):
        return self.change(self.inner.predict(query, rows, items), query)


class OffScale(Rater):
    def change(self, found, query):
        return RatingPrediction(found.mean + 3)


class NegativeSpread(Rater):
    def change(self, found, query):
        return RatingPrediction(found.mean, -np.ones_like(found.mean))


class MoreThanCertain(Rater):
    def change(self, found, query):
        levels = LevelProbabilities(np.arange(1.0, 6.0), np.full((len(found.mean), 5), 0.3))
        return replace(found, levels=levels)


class BackwardLevels(Rater):
    def change(self, found, query):
        levels = LevelProbabilities(np.arange(5.0, 0.0, -1), np.full((len(found.mean), 5), 0.2))
        return replace(found, levels=levels)


class BatchCentred(Rater):
    def change(self, found, query):
        centre = found.mean.mean() if len(found.mean) else 0
        return RatingPrediction(np.clip(found.mean - centre + 3, 1, 5).astype(np.float32))


class NoStrangers(Rater):
    def change(self, found, query):
        return replace(found, mean=found.mean * np.where(query.users.min() < 0, np.nan, 1))


class Constant(Rater):
    def change(self, found, query):
        return RatingPrediction(np.full_like(found.mean, 3.5))


RATER_MISTAKES = [
    (OffScale, "predictions_are_on_the_scale"),
    (NegativeSpread, "predictions_are_on_the_scale"),
    (MoreThanCertain, "predictions_are_on_the_scale"),
    (BackwardLevels, "predictions_are_on_the_scale"),
    (BatchCentred, "predictions_do_not_depend_on_their_company"),
    (NoStrangers, "users_and_items_unseen_in_training_are_predicted"),
    (Constant, "predictions_beat_the_global_mean"),
    (Constant, "the_liked_genre_is_predicted_higher"),
]


@pytest.mark.parametrize(("mistake", "test"), RATER_MISTAKES)
def test_a_rating_predictor_s_mistake_is_caught(mistake, test):
    class Case(RatingPredictorContract):
        def make(self):
            return mistake()

    with pytest.raises(AssertionError):
        getattr(Case(), f"test_{test}")()


class HigherRowFirst(ExactIndex):
    def search(self, queries, k, eligible=None):
        mirrored = None if eligible is None else eligible[..., ::-1]
        found = ExactIndex(self._vectors[::-1], 1).search(queries, k, mirrored)
        items = np.where(found.items < 0, -1, self.ntotal - 1 - found.items).astype(np.int32)
        return TopK(items, found.scores)


class FiltersAfterwards(ExactIndex):
    def search(self, queries, k, eligible=None):
        found = super().search(queries, k)
        out = (
            np.zeros_like(found.items, bool)
            if eligible is None
            else ~np.broadcast_to(eligible, (len(queries), self.ntotal))[
                np.arange(len(queries))[:, None], found.items
            ]
        )
        return TopK(np.where(out, -1, found.items), np.where(out, -np.inf, found.scores))


class Normalises(ExactIndex):
    def search(self, queries, k, eligible=None):
        found = super().search(queries, k, eligible)
        queries /= np.linalg.norm(queries)
        return found


class Borrows(ExactIndex):
    @classmethod
    def build(cls, vectors, *, threads=1):
        return cls(vectors, threads)


INDEX_MISTAKES = [
    (HigherRowFirst, "ties_go_to_the_lower_row"),
    (HigherRowFirst, "ties_that_reach_far_go_to_the_lower_row"),
    (FiltersAfterwards, "a_list_holds_exactly_what_is_eligible"),
    (FiltersAfterwards, "one_filter_for_all_queries"),
    (Normalises, "the_callers_arrays_are_not_altered"),
    (Borrows, "the_index_owns_its_vectors"),
]


@pytest.mark.parametrize(("mistake", "test"), INDEX_MISTAKES)
def test_an_index_s_mistake_is_caught(mistake, test):
    class Case(IndexContract):
        index = mistake

    with pytest.raises(AssertionError):
        getattr(Case(), f"test_{test}")()


def test_the_right_answer_is_no_accident_of_the_query():
    case = TestContentMean()
    from recsys.testing.worlds import two_genre_world

    world = two_genre_world()
    known, strange = Query.known(world.train), Query.of(world.train.matrix())
    subject = case.fitted(world)
    np.testing.assert_array_equal(subject.score(known), subject.score(strange))

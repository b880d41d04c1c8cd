"""A contract that nothing fails is worth nothing: each mistake here must be caught, by its test."""

# ruff: noqa: ARG002 - the signatures are those of the base

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from recsys.data.split import Source
from recsys.queries.query import LevelProbabilities, Query, RatingPrediction
from recsys.queries.topk import TopK
from recsys.recommenders.base import Contributions, Facts, names
from recsys.recommenders.bias import BiasModel
from recsys.recommenders.linear import VectorModel
from recsys.retrieval.exact import ExactIndex
from recsys.testing.index_contract import IndexContract
from recsys.testing.rating_contract import RatingPredictorContract
from recsys.testing.recommender_contract import (
    ColdItemContract,
    RecommenderContract,
    VectorRecommenderContract,
)


@dataclass(frozen=True)
class NoConfig:
    """Nothing to choose."""


class ContentMean(VectorModel):
    """A right answer to the toy worlds: the mean content of what was rated, as inner products."""

    name = "content-mean"
    config_class = NoConfig
    facts = Facts("embeddings", "the mean content of what was rated")

    def _fit(self, data):
        table, counts = data.catalogue.modalities["metadata"], data.train.item_counts()
        middle = table.vectors[table.present].mean(axis=0)
        content = np.where(table.present[:, None], table.vectors - middle, 0)
        return {"items": np.column_stack([content, 0.3 * counts / counts.max()]).astype("f4")}

    def user_vectors(self, query):
        weights = np.maximum(np.diff(query.histories.indptr), 1)[:, None]
        rated = query.histories.astype(bool).astype(np.float32)
        mean = rated @ self.arrays()["items"][:, :-1] / weights
        return np.column_stack([mean, np.ones(len(query))]).astype(np.float32)

    def item_vectors(self):
        return self.arrays()["items"].copy()

    def view(self, query):
        rows, items = query.histories.indices, self.arrays()["items"]

        def contributions(asked):
            values = items[asked, :-1] @ items[rows, :-1].T / max(len(rows), 1)
            return Contributions(rows, values, items[asked, -1])

        return replace(super().view(query), contributions=contributions)


class TestContentMean(RecommenderContract, ColdItemContract, VectorRecommenderContract):
    def make(self):
        return ContentMean()


class BadFit(ContentMean):
    def fit(self, split):
        super().fit(split)


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
    def _fit(self, data):
        items = super()._fit(data)["items"]
        noise = np.random.default_rng().normal(scale=1e-3, size=items.shape)
        return {"items": items + noise.astype(np.float32)}


class Unpopular(ContentMean):
    def _fit(self, data):
        items = super()._fit(data)["items"]
        items[:, -1] *= -1000
        return {"items": items}


class Contrary(ContentMean):
    def score(self, query):
        return -super().score(query)


class Peeks(ContentMean):
    """Knows the genres by the parity of the row, whatever the data say."""

    def score(self, query):
        parity = np.arange(query.histories.shape[1]) % 2
        fan = (np.maximum(query.users, 0) % 2)[:, None] == parity
        return super().score(query) * np.float32(0) + fan.astype(np.float32)


class WarmOnly(ContentMean):
    def _fit(self, data):
        items = super()._fit(data)["items"]
        items[data.train.item_counts() == 0] = -9
        return {"items": items}


class Forgets(ContentMean):
    """Keeps what it learnt elsewhere than in its arrays."""

    def _fit(self, data):
        self.bonus = np.linspace(0, 1, len(data.catalogue), dtype=np.float32)
        return super()._fit(data)

    def score(self, query):
        return super().score(query) + getattr(self, "bonus", 0)


class Talks(ContentMean):
    def __repr__(self):
        return f"{self.name} {self._arrays}"


class Nameless(ContentMean):
    name = ""


class Amnesia(ContentMean):
    def fit(self, split):
        super().fit(split)
        self.source = Source.unknown()
        return self


class Repeats(ContentMean):
    def recommend(self, users=None, k=10, *, seen=False):
        return super().recommend(users, k, seen=True)


class PredictsNought(ContentMean):
    def predict(self, pairs):
        return None


class RowsForIds(ContentMean):
    def recommend(self, users=None, k=10, *, seen=False):
        rows = [users] if np.ndim(users) == 0 else users
        beside = [
            str(u) if isinstance(u, str) else self.context.histories.users.id(u + 1) for u in rows
        ]
        return super().recommend(beside, k, seen=seen)


class Forgives(ContentMean):
    def recommend(self, users=None, k=10, *, seen=False):
        known = [u for u in names(users, "user") if u in self.context.histories.users]
        return super().recommend(known, k, seen=seen)


class Boasts(ContentMean):
    def view(self, query):
        right = super().view(query)

        def doubled(asked):
            told = right.contributions(asked)
            return Contributions(told.rows, 2 * told.values, told.bias)

        return replace(right, contributions=doubled)


class Narcissus(ContentMean):
    def similar(self, movie, k=10):
        frame = super().similar(movie, k)
        frame.loc[0, "item"] = movie
        return frame


RECOMMENDER_MISTAKES = [
    (Nameless, "has_a_name"),
    (Talks, "its_representation_is_a_short_line"),
    (Forgets, "stored_and_restored_it_answers_bit_for_bit"),
    (Amnesia, "it_remembers_what_it_was_fitted_on"),
    (PredictsNought, "what_it_does_not_answer_it_says"),
    (Repeats, "recommending_gives_the_best_of_what_is_not_seen"),
    (RowsForIds, "ids_may_be_numbers"),
    (Forgives, "ids_that_are_missing_or_unknown_are_errors"),
    (Boasts, "contributions_add_up_to_the_scores"),
    (Narcissus, "similar_movies_are_others_each_film_once"),
    (BadFit, "fit_returns_self"),
    (NoFitNeeded, "asking_before_fit_is_an_error"),
    (NotANumber, "scores_are_a_float32_matrix_without_nan"),
    (Double, "scores_are_a_float32_matrix_without_nan"),
    (BatchScaled, "scoring_one_by_one_equals_a_batch"),
    (KnownOnly, "a_user_not_in_training_gets_scores_or_is_refused"),
    (KnownOnly, "an_empty_history_gets_finite_scores_for_something"),
    (Writes, "fit_and_answers_alter_neither_data_nor_query"),
    (Exposes, "altering_scores_leaves_the_recommender_as_it_was"),
    (Random, "equal_fits_give_equal_answers"),
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


class Rater(BiasModel):
    def predict_ratings(self, query, rows, items):
        return self.change(super().predict_ratings(query, rows, items), query)


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


class Reversed(Rater):
    def change(self, found, query):
        return found

    def predict(self, pairs):
        frame = super().predict(pairs)
        return frame.assign(rating=frame["rating"].to_numpy()[::-1])


class RanksNought(Rater):
    def change(self, found, query):
        return found

    def recommend(self, users=None, k=10, *, seen=False):
        return None


RATER_MISTAKES = [
    (Reversed, "predicting_gives_the_stars_of_the_pairs_in_their_order"),
    (RanksNought, "what_it_does_not_answer_it_says"),
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

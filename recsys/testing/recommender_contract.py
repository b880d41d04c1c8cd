"""What every recommender promises.

Legend: Q queries, U users, I items, D dimensions.
"""

# ruff: noqa: D102 - the name of a test says what it tests

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recsys.errors import DataError, NotFittedError
from recsys.queries.query import Query
from recsys.testing.contract import (
    Contract,
    ModelContract,
    fit,
    require,
    require_error,
    share_ordered,
    strangers,
    without_history,
)
from recsys.testing.worlds import (
    World,
    popularity_world,
    shuffled_features_world,
    shuffled_ratings_world,
    two_genre_world,
    without_content,
)

SEEDS = (0, 1, 2)


class RecommenderContract(ModelContract):
    """Tests of a ``Recommender`` that ranks.

    Attributes:
        follows_popularity: whether more training ratings help a movie; False for what ranks by
            content alone.
    """

    follows_popularity: bool = True

    @property
    def folds_in(self) -> bool:
        """Whether somebody who was not in training may ask."""
        return bool(self.make().facts.folds_in)

    def score(self, world: World) -> NDArray[np.float32]:
        """(U, I) scores of the fitted subject for all users of its world."""
        scores: NDArray[np.float32] = self.fitted(world).score(Query.known(world.train))
        return scores

    def test_scores_are_a_float32_matrix_without_nan(self) -> None:
        world = two_genre_world()
        scores = self.score(world)
        require(scores.shape == world.train.shape, f"scores have shape {scores.shape}")
        require(scores.dtype == np.float32, f"scores are {scores.dtype}")
        require(not np.isnan(scores).any(), "scores hold NaN")

    def test_scores_are_for_the_queries_asked(self) -> None:
        world = two_genre_world()
        users = np.array([7, 3, 3], dtype=np.int32)
        some = self.fitted(world).score(Query.known(world.train, users))
        np.testing.assert_allclose(some, self.score(world)[users], rtol=1e-5, atol=1e-5)

    def test_scoring_one_by_one_equals_a_batch(self) -> None:
        world = two_genre_world()
        subject, query = self.fitted(world), Query.known(world.train)
        single = np.concatenate([subject.score(query.slice(q, q + 1)) for q in range(len(query))])
        np.testing.assert_allclose(single, subject.score(query), rtol=1e-5, atol=1e-5)

    def test_a_user_not_in_training_gets_scores_or_is_refused(self) -> None:
        world = two_genre_world()
        if not self.folds_in:
            subject, known = self.fitted(world), Query.known(world.train)
            beyond = np.where(known.users == 7, len(world.train.users), known.users)
            for query, count, where in (
                (strangers(world), len(known), "query 0"),
                (without_history(world), 2, "query 1"),
                (replace(known, users=beyond.astype(np.int32)), 1, "query 7"),
            ):
                error = str(require_error(DataError, partial(subject.score, query)))
                require(f"{count} users who were not in training" in error, error)
                require(where in error, f"{error} does not name {where}")
            return
        scores = self.fitted(world).score(strangers(world))
        require(scores.shape == world.train.shape, f"scores have shape {scores.shape}")
        require(np.isfinite(scores).any(axis=1).all(), "a stranger gets no finite score")

    def test_an_empty_history_gets_finite_scores_for_something(self) -> None:
        if not self.folds_in:
            return
        world = two_genre_world()
        scores = self.fitted(world).score(without_history(world))
        require(not np.isnan(scores).any(), "scores hold NaN")
        require(np.isfinite(scores).any(axis=1).all(), "nothing has a finite score")

    def test_no_query_gives_no_row(self) -> None:
        world = two_genre_world()
        scores = self.fitted(world).score(without_history(world, 0))
        require(scores.shape == (0, world.train.shape[1]), f"scores have shape {scores.shape}")

    def test_altering_scores_leaves_the_recommender_as_it_was(self) -> None:
        world = two_genre_world()
        before = self.score(world).copy()
        self.fitted(world).score(Query.known(world.train))[:] = -1e9
        np.testing.assert_array_equal(self.score(world), before)

    def test_what_is_more_popular_ranks_higher_where_taste_does_not_exist(self) -> None:
        if not self.follows_popularity:
            return
        world = popularity_world()
        unseen = world.train.matrix().toarray() == 0
        row = np.arange(world.train.shape[1])
        top, bottom = unseen & (row < len(row) / 3), unseen & (row >= len(row) * 2 / 3)
        share = share_ordered(self.score(world), top, bottom)
        require(share > 0.7, f"popular movies win {share:.2f} of their pairs")

    def test_the_liked_genre_ranks_higher(self) -> None:
        if not self.personalised:
            return
        for world in (two_genre_world(0), two_genre_world(1)):
            share = share_ordered(self.score(world), *world.liking(~world.cold))
            require(share > 0.85, f"the liked genre wins {share:.2f} of its pairs")

    def test_a_stranger_with_the_same_taste_gets_the_liked_genre(self) -> None:
        if not self.personalised or not self.folds_in:
            return
        world = two_genre_world()
        scores = self.fitted(world).score(strangers(world))
        share = share_ordered(scores, *world.liking(~world.cold))
        require(share > 0.85, f"the liked genre wins {share:.2f} of its pairs")

    def test_shuffled_ratings_fall_to_chance(self) -> None:
        worlds = [shuffled_ratings_world(seed) for seed in SEEDS]
        shares = [share_ordered(self.score(w), *w.liking(~w.cold)) for w in worlds]
        require(abs(np.mean(shares) - 0.5) < 0.1, f"the liked genre still wins {shares}")


class ColdItemContract(Contract):
    """Tests of a ``Recommender`` that ranks movies nobody has rated by their content."""

    def cold_share(self, world: World) -> float:
        """How often a fan's cold movie outscores a cold one of the other genre."""
        scores = self.fitted(world).score(Query.known(world.train))
        return share_ordered(scores, *world.liking(world.cold))

    def test_cold_movies_rank_within_their_genre(self) -> None:
        shares = [self.cold_share(two_genre_world(seed)) for seed in SEEDS]
        require(min(shares) > 0.85, f"cold movies of the liked genre win {shares}")

    def test_cold_movies_with_shuffled_features_fall_to_chance(self) -> None:
        shares = [self.cold_share(shuffled_features_world(seed)) for seed in SEEDS]
        require(abs(np.mean(shares) - 0.5) < 0.2, f"cold movies of the liked genre win {shares}")

    def test_cold_movies_get_finite_scores(self) -> None:
        world = two_genre_world()
        scores = self.fitted(world).score(Query.known(world.train))
        require(np.isfinite(scores[:, world.cold]).all(), "a cold movie with content has no score")

    def test_movies_without_content_are_scored_or_said_to_be_unscoreable(self) -> None:
        whole = two_genre_world()
        world = without_content(whole, np.arange(len(whole.genre)) % 3 == 0)
        scores = fit(self.make(), world).score(Query.known(world.train))
        require(not np.isnan(scores).any(), "scores hold NaN")
        rated = world.train.item_counts() > 0
        require(np.isfinite(scores[:, rated]).all(), "a rated movie without content has no score")


class VectorRecommenderContract(Contract):
    """Tests of a ``VectorModel``: an index needs nothing but its vectors."""

    def test_vectors_before_fit_are_an_error(self) -> None:
        query = Query.known(two_genre_world().train)
        require_error(NotFittedError, lambda: self.make().user_vectors(query))
        require_error(NotFittedError, lambda: self.make().item_vectors())

    def test_vectors_are_float32_and_of_one_dimension(self) -> None:
        world = two_genre_world()
        subject, query = self.fitted(world), Query.known(world.train)
        users, items = subject.user_vectors(query), subject.item_vectors()
        require(users.dtype == items.dtype == np.float32, f"{users.dtype} and {items.dtype}")
        require(users.ndim == items.ndim == 2, "vectors are not matrices")
        require((len(users), len(items)) == world.train.shape, "a user or an item has no vector")
        require(users.shape[1] == items.shape[1], f"{users.shape[1]} and {items.shape[1]} columns")

    def test_scores_are_the_inner_products_of_the_vectors(self) -> None:
        world = two_genre_world()
        subject = self.fitted(world)
        known = Query.known(world.train)
        folds_in = subject.facts.folds_in
        for query in (known, strangers(world), without_history(world)) if folds_in else (known,):
            product = subject.user_vectors(query) @ subject.item_vectors().T
            np.testing.assert_allclose(product, subject.score(query), rtol=1e-4, atol=1e-4)

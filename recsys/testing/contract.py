"""What the contracts share: a fresh subject, a fitted one, and words for what went wrong.

Legend: U users, I items.
"""

# ruff: noqa: D102 - the name of a test says what it tests

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle.arrays import arrays_from_bytes, arrays_to_bytes
from recsys.data.files import fingerprint
from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary
from recsys.errors import ConfigError, DataError, NotFittedError, UnsupportedError
from recsys.queries.context import Context
from recsys.queries.query import Query
from recsys.queries.topk import top_k
from recsys.recommenders.base import Recommender
from recsys.recommenders.linear import VectorModel
from recsys.testing.worlds import World, two_genre_world


class Contract:
    """Base of the contracts of things that are fitted.

    Attributes:
        personalised: whether taste changes the answers; False for popularity and bias models.
    """

    personalised: bool = True

    def make(self) -> Any:
        """A fresh subject, not fitted, that fits the toy worlds in seconds."""
        raise NotImplementedError("say how to make the thing under test")

    def fitted(self, world: World) -> Any:
        """A subject fitted on a world; one a class and world, so no test may alter it."""
        key = type(self), world
        if key not in _FITTED:
            _FITTED[key] = fit(self.make(), world)
        return _FITTED[key]


_FITTED: dict[tuple[type[Contract], World], Any] = {}

_MISSING = (None, float("nan"), np.float32("nan"), "")


class ModelContract(Contract):
    """Tests of a ``Recommender``, whatever it answers."""

    def everything(self, model: Recommender, query: Query, pairs: Interactions) -> dict[str, Any]:
        """All that a model says of all users and movies and of some pairs of them, in arrays."""
        found: dict[str, Any] = {"genres": model.genre_probabilities()}
        audience = model.audience()
        if audience is not None:
            found |= {"audience": audience.mean, "audience_std": audience.std}
        if model.ranks:
            found["scores"] = model.score(query)
        if model.predicts_ratings:
            stars = model.predict_ratings(query, pairs.user, pairs.item)
            found |= {"stars": stars.mean, "std": stars.std}
            found["levels"] = stars.levels and stars.levels.probability
        return found

    def require_alike(self, one: Recommender, other: Recommender, world: World) -> None:
        """Fails unless two models answer alike, bit for bit."""
        asked = Query.known(world.train), world.test
        found, expected = self.everything(other, *asked), self.everything(one, *asked)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)

    def test_asking_before_fit_is_an_error(self) -> None:
        model, query = self.make(), Query.known(two_genre_world().train)
        pair = np.zeros(1, dtype=np.int32)
        if model.ranks:
            require_error(NotFittedError, lambda: model.score(query))
        if model.predicts_ratings:
            require_error(NotFittedError, lambda: model.predict_ratings(query, pair, pair))

    def test_fit_and_answers_alter_neither_data_nor_query(self) -> None:
        world = two_genre_world()
        query = Query.known(world.train)
        before = interactions_state(world.train), query_state(query)
        self.everything(fit(self.make(), world), query, world.test)
        after = interactions_state(world.train), query_state(query)
        require(before == after, "fit or an answer altered what it was given")

    def test_equal_fits_give_equal_answers(self) -> None:
        world = two_genre_world()
        self.require_alike(fit(self.make(), world), fit(self.make(), world), world)

    def test_has_a_name(self) -> None:
        require(isinstance(self.make().name, str) and self.make().name, "name is empty")

    def test_its_representation_is_a_short_line(self) -> None:
        for model in (self.make(), self.fitted(two_genre_world())):
            text = repr(model)
            require(len(text) < 100 and "\n" not in text, f"it is represented by {text}")
            require(model.name in text, f"{text} does not name {model.name}")

    def test_fit_returns_self(self) -> None:
        subject = self.make()
        require(fit(subject, two_genre_world()) is subject, "fit does not return self")

    def test_stored_and_restored_it_answers_bit_for_bit(self) -> None:
        world = two_genre_world()
        model: Recommender = self.fitted(world)
        stored = arrays_from_bytes(arrays_to_bytes(model.arrays()))
        again = type(model).restore(model.config, stored, model.source, model.context)
        self.require_alike(model, again, world)
        require(again.parameters == model.parameters, "it has another number of parameters")
        require(again.fit_seconds is None, "a model that was not fitted has a time of fitting")

    def test_it_remembers_what_it_was_fitted_on(self) -> None:
        world = two_genre_world()
        model = fit(self.make(), world)
        split = world.split
        require(model.context.catalogue is world.catalogue, "the movies are others")
        require(model.context.histories is world.train, "the histories are others")
        model.fit(split)
        require(model.source.split == split.fingerprint, "the split is another")
        require(model.fit_seconds > 0, "fitting took no time")

    def test_what_it_does_not_answer_it_says(self) -> None:
        model: Recommender = self.fitted(two_genre_world())
        query, pair = model.context.one(3), np.zeros(1, dtype=np.int32)
        refused: list[Callable[[], object]] = []
        if not model.ranks:
            refused += [lambda: model.recommend(["u3"]), lambda: model.score(query)]
        if not model.predicts_ratings:
            refused += [
                lambda: model.predict([("u3", "m1")]),
                lambda: model.predict_ratings(query, pair, pair),
            ]
        require(model.ranks or model.predicts_ratings, "it answers nothing")
        for ask in refused:
            error = require_error(UnsupportedError, ask)
            require(model.name in str(error), f"{error} does not name {model.name}")

    def test_recommending_gives_the_best_of_what_is_not_seen(self) -> None:
        world = two_genre_world()
        model: Recommender = self.fitted(world)
        if not model.ranks:
            return
        users = ["u3", "u11", "u3"]
        scores = model.score(Query.known(world.train, np.array([3, 11, 3], dtype=np.int32)))
        for seen in (False, True):
            masked = scores.copy()
            if not seen:
                for part in (world.train, world.valid):
                    masked[part.matrix().toarray()[[3, 11, 3]] > 0] = -np.inf
            best = top_k(masked, 5)
            frame = model.recommend(users, k=5, seen=seen)
            columns = ["user", "rank", "item", "title", "score"]
            require(list(frame.columns) == columns, f"the columns are {list(frame.columns)}")
            require(list(frame["user"]) == np.repeat(users, 5).tolist(), "users are out of order")
            require(list(frame["rank"]) == [1, 2, 3, 4, 5] * 3, "ranks are not 1 to 5")
            found = [f"m{row}" for row in best.items.ravel()]
            require(list(frame["item"]) == found, "the movies are not the best")
            titles = [world.catalogue.display_title(row) for row in best.items.ravel().tolist()]
            require(list(frame["title"]) == titles, "the titles are those of others")
            np.testing.assert_array_equal(frame["score"], best.scores.ravel())
        whole = model.recommend(k=1000)
        require(set(whole["user"]) <= set(world.train.users.ids), "there are other users")
        seen_rows = world.train.matrix() + world.valid.matrix()
        again = seen_rows[
            world.train.users.rows(list(whole["user"]), unknown="error"),
            world.train.items.rows(list(whole["item"]), unknown="error"),
        ]
        require(not np.asarray(again).any(), "a movie that was seen is recommended")
        require(len(model.recommend([])) == 0, "nobody is recommended something")
        require_error(ConfigError, lambda: model.recommend(["u3"], k=0))

    def test_predicting_gives_the_stars_of_the_pairs_in_their_order(self) -> None:
        world = two_genre_world()
        model: Recommender = self.fitted(world)
        if not model.predicts_ratings:
            return
        pairs = [("u3", "m7"), ("u1", world.catalogue.display_title(50)), ("u3", "m2")]
        rows = (np.array([3, 1, 3], dtype=np.int32), np.array([7, 50, 2], dtype=np.int32))
        expected = model.predict_ratings(Query.known(world.train), *rows)
        frame = model.predict(pairs)
        columns = ["user", "item", "title", "rating"] + ["std"] * (expected.std is not None)
        require(list(frame.columns) == columns, f"the columns are {list(frame.columns)}")
        require(list(frame["item"]) == ["m7", "m50", "m2"], "the movies are others")
        np.testing.assert_allclose(frame["rating"], expected.mean, rtol=1e-5)
        np.testing.assert_array_equal(model.predict(frame)["rating"], frame["rating"])
        require(len(model.predict([])) == 0, "no pair has a rating")
        require_error(DataError, lambda: model.predict(frame.rename(columns={"item": "movie"})))

    def test_ids_may_be_numbers(self) -> None:
        model = _numbered(self.fitted(two_genre_world()))
        if model.ranks:
            expected = model.recommend(["3"], k=2)
            numbers: tuple[Any, ...] = (3, [3], np.int64(3), np.array([3]))
            for three in numbers:
                require(model.recommend(three, k=2).equals(expected), f"{three!r} is not '3'")
        if model.predicts_ratings:
            found = model.predict([(3, 7), (np.int64(3), np.int32(7))])
            expected = model.predict([("3", "7"), ("3", "7")])
            require(found.equals(expected), "a number is not the id it is written like")

    def test_ids_that_are_missing_or_unknown_are_errors(self) -> None:
        model: Recommender = self.fitted(two_genre_world())
        for bad in (*_MISSING, "u60", 3):
            if model.ranks:
                asked: list[Any] = [[bad], ["u3", bad], *([bad] if bad is not None else [])]
                for users in asked:
                    require_error(DataError, partial(model.recommend, users, k=2))
            if model.predicts_ratings:
                for pair in ((bad, "m1"), ("u3", bad)):
                    require_error(DataError, partial(model.predict, [("u3", "m1"), pair]))

    def test_contributions_add_up_to_the_scores(self) -> None:
        world = two_genre_world()
        model: Recommender = self.fitted(world)
        if not model.ranks:
            return
        queries = [model.context.one(3), model.context.one(8)]
        if model.facts.folds_in:
            queries += [strangers(world).slice(5, 6), without_history(world, 1)]
        items = np.random.default_rng(2).choice(len(world.catalogue), 5, replace=False)
        for query in queries:
            view, scores = model.view(query), model.score(query)[0]
            np.testing.assert_allclose(view.scores(), scores, rtol=1e-5, atol=1e-6)
            known = set(query.histories.indices.tolist())
            require(set(view.rows.tolist()) <= known, "what counts is not in the history")
            if view.vector is not None and isinstance(model, VectorModel):
                product = model.item_vectors() @ view.vector
                np.testing.assert_allclose(product, scores, rtol=1e-4, atol=1e-4)
            if view.contributions is None:
                continue
            told = view.contributions(items)
            require(told.values.shape == (5, len(told.rows)), f"{told.values.shape} contributions")
            require(set(told.rows.tolist()) <= known, "what contributes is not in the history")
            added, size = told.values.sum(axis=1), np.abs(told.values).sum(axis=1)
            error = np.abs(added + told.bias - scores[items])
            within = error <= 1e-4 * np.maximum(size + np.abs(told.bias), 1e-30)
            require(within.all(), f"contributions miss the scores by {error.max()}")

    def test_similar_movies_are_others_each_film_once(self) -> None:
        world = two_genre_world()
        model: Recommender = self.fitted(world)
        try:
            frame = model.similar("m1", k=7)
        except UnsupportedError as error:
            require(model.name in str(error), f"{error} does not name {model.name}")
            return
        columns = ["rank", "item", "title", "similarity"]
        require(list(frame.columns) == columns, f"the columns are {list(frame.columns)}")
        require(len(frame) <= 7 and "m1" not in set(frame["item"]), "a movie is like itself")
        require(len(set(frame["title"])) == len(frame), "a film is there twice")
        require((np.diff(frame["similarity"]) <= 0).all(), "similarities do not descend")
        require(frame.equals(model.similar("Movie 1 (1961)", k=7)), "its title is not its id")


def _numbered(model: Recommender) -> Recommender:
    """The same model where the ids of users and movies are numbers."""
    context = model.context
    users, items = (
        Vocabulary([str(row) for row in range(len(old))], kind=old.kind)
        for old in (context.histories.users, context.histories.items)
    )
    tables = context.catalogue.modalities.values()
    moved = {table.name: replace(table, items=items.fingerprint) for table in tables}
    catalogue = replace(context.catalogue, items=items, modalities=moved)
    histories = replace(context.histories, users=users, items=items)
    return type(model).restore(
        model.config, model.arrays(), model.source, Context(catalogue, histories, context.seen)
    )


def fit(subject: Any, world: World) -> Any:
    """What ``fit`` returns for the training and validation parts of a world."""
    return subject.fit(world.data)


def require(condition: bool | np.bool_, what: str) -> None:
    """Fails the test.

    Raises:
        AssertionError: the condition does not hold.
    """
    if not condition:
        raise AssertionError(what)


def require_error(kind: type[Exception], call: Callable[[], object]) -> Exception:
    """The error of a kind that a call must raise.

    Raises:
        AssertionError: it does not.
    """
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def share_ordered(
    scores: NDArray[np.floating[Any]], better: NDArray[np.bool_], worse: NDArray[np.bool_]
) -> float:
    """How often a better item outscores a worse one of the same row; a tie is half; chance is 0.5.

    Args:
        scores: (U, I), no NaN.
        better: (U, I) mask.
        worse: (U, I) mask.

    Returns:
        The mean over the rows that have both kinds of the share of their pairs.
    """
    shares = []
    for row, high, low in zip(scores, better, worse, strict=True):
        if high.any() and low.any():
            first, second = row[high][:, None], row[low]
            shares.append(np.mean((first > second) + 0.5 * (first == second)))
    return float(np.mean(shares))


def query_state(query: Query) -> str:
    """A hash of everything a query holds."""
    csr, times = query.histories, b"" if query.times is None else query.times.data
    return fingerprint((csr.data, csr.indices, csr.indptr, query.users, times))


def interactions_state(interactions: Interactions) -> str:
    """A hash of everything interactions hold, computed now."""
    time = b"" if interactions.time is None else interactions.time
    return fingerprint((interactions.user, interactions.item, interactions.rating, time))


def strangers(world: World) -> Query:
    """All users of a world with their training ratings, but none is known by row."""
    known = Query.known(world.train)
    return replace(known, users=np.full_like(known.users, -1))


def without_history(world: World, count: int = 2) -> Query:
    """Users without any history."""
    return Query.of(sp.csr_array((count, len(world.train.items)), dtype=np.float32))

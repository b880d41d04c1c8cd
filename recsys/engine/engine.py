"""Answers from a fitted model, in NumPy and FAISS alone.

Legend: I movies, k list length.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import BundleContents
from recsys.data.catalogue import Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.engine.extension import NewMovie, extended
from recsys.engine.filters import Filters
from recsys.engine.movies import MovieFacts, MovieLabels, shortage
from recsys.engine.profile import Profile, known_profile, named_profile
from recsys.engine.recommending import Request, best, reasons
from recsys.engine.results import (
    AudienceScore,
    Because,
    GenreProbability,
    LikedMovie,
    MovieDescription,
    Prediction,
    Recommendations,
    RecommendedMovie,
    SimilarMovie,
    SimilarMovies,
    to_six,
)
from recsys.errors import UnsupportedError
from recsys.queries.context import Context
from recsys.queries.topk import top_k
from recsys.recommenders.base import (
    Recommender,
    UserView,
    names,
    once_per_film,
    require_at_least,
)
from recsys.recommenders.linear import VectorModel
from recsys.recommenders.saving import contents_of, load, restore
from recsys.retrieval.faiss_flat import FaissFlatIndex
from recsys.retrieval.index import Index

if TYPE_CHECKING:  # pandas is slow to import, and serving needs none of it
    from recsys.data.dataset import Dataset

Who = Profile | str | int
"""A profile, or the id of a known user."""

_BLOCK = 512
_HALF_WIDTH_80 = NormalDist().inv_cdf(0.9)
_IMPERSONAL = "no liked movie is known, so this is what most people like"


class Engine:
    """Recommends, explains, compares and predicts; it never changes, and never trains.

    Args:
        model: a fitted model.
        contents: what a bundle of it holds.
        index: of its vectors, or None.
    """

    def __init__(self, model: Recommender, contents: BundleContents, index: Index | None) -> None:
        self.model, self.contents, self.index = model, contents, index
        self.context: Context = contents.context
        self._facts, self._labels = MovieFacts(self.catalogue), MovieLabels(self.catalogue)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """An engine of the bundle in a folder.

        Raises:
            BundleError: see ``recsys.bundle.load_bundle``.
        """
        bundle = load(path)
        model = bundle.model
        if not isinstance(model, Recommender):
            raise TypeError(f"a {type(model).__name__} was restored")
        return cls(model, bundle.contents, bundle.index)

    @classmethod
    def from_model(cls, model: Recommender, dataset: Dataset | None = None) -> Self:
        """An engine of a fitted model, without touching the disk.

        Args:
            model: fitted.
            dataset: whose catalogue names the movies; the one it was fitted on unless given.

        Raises:
            NotFittedError: the model was not fitted.
            AlignmentError: the data set holds other movies.
        """
        contents = contents_of(model)
        if dataset is not None:
            context = replace(contents.context, catalogue=dataset.catalogue)
            contents = replace(contents, context=context)
        return cls(model, contents, _indexed(model))

    def __repr__(self) -> str:
        return f"Engine({self.label!r}, {len(self.users):,} users, {len(self.catalogue):,} movies)"

    @property
    def label(self) -> str:
        """Name and version of the model; another one once a movie was added."""
        return self.contents.label

    @property
    def catalogue(self) -> Catalogue:
        """The movies."""
        return self.context.catalogue

    @property
    def users(self) -> Vocabulary:
        """The known users."""
        return self.context.histories.users

    def user(self, user_id: str | int) -> Profile:
        """A user of the training data.

        Raises:
            UnknownIdError: there is no such user; the error names the nearest ones.
        """
        return known_profile(names(user_id, "user")[0], self.context)

    def profile(
        self,
        liked: Iterable[str | int] | str | int = (),
        ratings: Mapping[Any, float] | None = None,
    ) -> Profile:
        """Anybody, by the movies they name; nothing is trained.

        Args:
            liked: ids or titles of movies that get the highest rating there is; one alone is one.
            ratings: ids or titles with stars, for what was not liked or not that much.

        Raises:
            UnknownIdError: no movie, or more than one, has a name; the error names the nearest.
            DataError: a rating is off the scale, or a movie has two ratings.
        """
        scale = self.context.histories.scale
        high = [(name, scale.high) for name in names(liked, "movie")]
        return named_profile([*high, *(ratings or {}).items()], self.catalogue, scale)

    def recommend(
        self,
        who: Who,
        k: int = 10,
        *,
        exclude_seen: bool = True,
        filters: Filters | None = None,
        because: int | None = None,
    ) -> Recommendations:
        """The best movies for a person: exactly ``min(k, available)`` of them.

        Args:
            who: a profile, or the id of a known user.
            k: how many are asked for.
            exclude_seen: leave out what the person has seen.
            filters: what a movie must be to be recommended.
            because: how many liked movies each explanation names; the others are merged into one
                entry. All by default.

        Raises:
            ConfigError: ``k`` is below 1 or ``because`` below 0.
            UnknownIdError: a user or a genre is unknown.
            UnsupportedError: the model ranks nothing.
        """
        request = Request(k, exclude_seen, filters or Filters(), because)
        person = self._profile(who)
        view = self.model.view(person.query)
        eligible = ~person.seen if exclude_seen else np.ones(len(self.catalogue), dtype=bool)
        if filters is not None:
            eligible &= filters.mask(self.catalogue)
        found, available = best(view, self.index, eligible, k)
        answer = found.items[0], found.scores[0], available
        return self._answer(person.user, request, view, answer)

    def recommend_many(
        self,
        users: Iterable[str | int] | None = None,
        k: int = 10,
        *,
        exclude_seen: bool = True,
        filters: Filters | None = None,
        because: int | None = None,
    ) -> list[Recommendations]:
        """What ``recommend`` answers to each of many known users, much faster.

        Args:
            users: ids; all known users by default.
            k: see ``recommend``, also for the others and for what is raised.
            exclude_seen: see ``recommend``.
            filters: see ``recommend``.
            because: see ``recommend``.
        """
        request = Request(k, exclude_seen, filters or Filters(), because)
        ids = list(self.users) if users is None else names(users, "user")
        rows = np.array([self.users.row(user) for user in ids], dtype=np.int32)
        barred = None if filters is None else ~filters.mask(self.catalogue)
        found = []
        for start in range(0, len(ids), _BLOCK):
            asked = rows[start : start + _BLOCK]
            query = self.context.query(asked)
            scores = np.array(self.model.score(query))
            if exclude_seen:
                scores[self.context.seen[asked].nonzero()] = -np.inf
            if barred is not None:
                scores[:, barred] = -np.inf
            lists = top_k(scores, min(k, max(len(self.catalogue), 1)))
            available = np.count_nonzero(scores > -np.inf, axis=1).tolist()
            each = zip(lists.items, lists.scores, available, strict=True)
            people = zip(ids[start : start + _BLOCK], self.model.views(query), each, strict=True)
            with _without_collecting():
                found += [self._answer(user, request, view, best) for user, view, best in people]
        return found

    def _answer(
        self,
        user: str | None,
        request: Request,
        view: UserView,
        found: tuple[NDArray[np.int32], NDArray[np.float32], int],
    ) -> Recommendations:
        """The document of one list: rows and scores of its movies, and how many there are."""
        items, scores, available = found
        rows = items[items >= 0]
        given = view.contributions
        why = reasons(given(rows), self._labels, request.because) if given else [[] for _ in rows]
        lines = zip(rows.tolist(), scores[: len(rows)].tolist(), why, strict=True)
        personalised = bool(len(view.rows))
        return Recommendations(
            user=user,
            k=request.k,
            exclude_seen=request.exclude_seen,
            model=self.label,
            items=[
                RecommendedMovie(rank, **self._facts[row], score=round(score, 6), because=entries)
                for rank, (row, score, entries) in enumerate(lines, start=1)
            ],
            available=available,
            personalised=personalised,
            notes=[*shortage(request.k, available), *([] if personalised else [_IMPERSONAL])],
            liked=None if user is not None else self._liked(view),
        )

    def _liked(self, view: UserView) -> list[LikedMovie]:
        return [LikedMovie(*self._labels[row]) for row in view.rows.tolist()]

    def explain(self, who: Who, movie: str | int, because: int | None = None) -> list[Because]:
        """The addends of one movie's score for a person, seen or not; see ``recommend``.

        Raises:
            UnknownIdError: the user or the movie is unknown.
            UnsupportedError: the scores of this model are no sums over the history.
        """
        require_at_least("because", because or 0, 0)
        person, row = self._profile(who), self.catalogue.find(movie)
        given = self.model.view(person.query).contributions
        if given is None:
            raise UnsupportedError(
                f"the scores of {self.model.name} are no sums over what a person liked",
                hint="take a model of item weights or embeddings, such as ease or joint",
            )
        return reasons(given(np.array([row])), self._labels, because)[0]

    def similar(self, movie: str | int, k: int = 10) -> SimilarMovies:
        """The movies most like one, whatever their popularity; each film once.

        For a model of vectors, similarity is the cosine of the movies' vectors, biases left out;
        for one of item weights, what having rated the movie adds to the score of another.

        Raises:
            ConfigError: ``k`` is below 1.
            UnknownIdError: no movie, or more than one, has that name.
            UnsupportedError: the model does not compare movies.
        """
        require_at_least("k", k, 1)
        row = self.catalogue.find(movie)
        alike = once_per_film(self.model.similarities(row), self.catalogue.film_groups, row)
        available = int(np.isfinite(alike).sum())
        found = top_k(alike[None], max(min(k, available), 1))
        pairs = zip(found.items[0].tolist(), found.scores[0].tolist(), strict=True)
        return SimilarMovies(
            **self._facts.name(row),
            k=k,
            model=self.label,
            items=[
                SimilarMovie(rank, **self._facts[item], similarity=to_six(score))
                for rank, (item, score) in enumerate(pairs, start=1)
                if item >= 0
            ],
            available=available,
            notes=shortage(k, available),
        )

    def predict(self, who: Who, movie: str | int) -> Prediction:
        """The stars a person would give a movie, with an interval where the model has one.

        The interval is that of a normal distribution with this mean and standard deviation, cut to
        the rating scale. Ratings are whole stars, so no interval holds one with probability 0.8
        exactly; over many ratings this one does nearly (``docs/evaluation.md``).

        Raises:
            UnknownIdError: the user or the movie is unknown.
            UnsupportedError: the model predicts no stars.
        """
        person, row = self._profile(who), self.catalogue.find(movie)
        first = np.zeros(1, dtype=np.int64)
        predicted = self.model.predict_ratings(person.query, first, first + row)
        mean = float(predicted.mean[0])
        std = None if predicted.std is None else float(predicted.std[0])
        rated = row in person.rated
        return Prediction(
            user=person.user,
            **self._facts.name(row),
            model=self.label,
            mean=to_six(mean),
            std=None if std is None else to_six(std),
            interval80=None if std is None else self._interval(mean, std),
            notes=["this person's own rating of the movie is part of the history"] if rated else [],
        )

    def describe(self, movie: str | int) -> MovieDescription:
        """One movie as the model sees it: genres, audience score, weights of its modalities.

        Raises:
            UnknownIdError: no movie, or more than one, has that name.
            UnsupportedError: the model knows neither genres nor audience scores.
        """
        row = self.catalogue.find(movie)
        probabilities, audience = self.model.genre_probabilities(), self.model.audience()
        if probabilities is None or audience is None:
            raise UnsupportedError(
                f"{self.model.name} knows neither genres nor audience scores",
                hint="train the joint model: recsys train --model joint",
            )
        ratings = int(self.context.histories.item_counts()[row])
        weights = self.model.content_weights(row)
        mean, std = float(audience.mean[row]), float(audience.std[row])
        genres = self.catalogue.genre_names
        return MovieDescription(
            **self._facts[row],
            model=self.label,
            ratings=ratings,
            predicted_genres=[
                GenreProbability(genre=genres[g], probability=to_six(probabilities[row, g]))
                for g in np.argsort(-probabilities[row], kind="stable")
            ],
            audience=AudienceScore(to_six(mean), to_six(std), self._interval(mean, std)),
            modality_weights={name: to_six(weight) for name, weight in weights.items()},
            notes=_of_content(ratings, any(weights.values())),
        )

    def add_movie(self, movie: NewMovie) -> Engine:
        """An engine that also knows this movie, in the row after the last; this one is unchanged.

        Raises:
            DataError: the id is taken, or the features are not what the model reads.
            UnknownIdError: a genre is unknown.
            UnsupportedError: the model places no movies after it was trained.
        """
        model = self.model.with_movie(movie.features, extended(self.context, movie))
        changed = replace(self.contents, context=model.context, arrays=model.arrays(), metrics=None)
        return Engine(restore(changed), changed, _indexed(model))

    def _interval(self, mean: float, std: float) -> tuple[float, float]:
        """What N(mean, std²) holds with probability 0.8, cut to the rating scale."""
        reach, scale = _HALF_WIDTH_80 * std, self.context.histories.scale
        return to_six(max(mean - reach, scale.low)), to_six(min(mean + reach, scale.high))

    def _profile(self, who: Who) -> Profile:
        person = who if isinstance(who, Profile) else self.user(who)
        person.require_aligned(self.catalogue)
        return person


@contextmanager
def _without_collecting() -> Iterator[None]:
    """No search for garbage among tens of thousands of new answers, which hold no cycles."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def _indexed(model: Recommender) -> Index | None:
    return FaissFlatIndex.build(model.item_vectors()) if isinstance(model, VectorModel) else None


def _of_content(ratings: int, has_content: bool) -> list[str]:
    notes = [] if ratings else ["nobody rated this movie in training: its content alone places it"]
    if not has_content:
        notes.append("the movie has none of the modalities that the model reads")
    return notes

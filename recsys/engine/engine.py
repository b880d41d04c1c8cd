"""Answers from a bundle, in NumPy and FAISS alone.

Legend: Q users, I movies, D dimensions, N pairs, k list length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import Bundle, load_bundle
from recsys.data.catalogue import Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.engine.comparing import directions, similar_movies
from recsys.engine.describing import describe
from recsys.engine.explain import because_of
from recsys.engine.extension import NewMovie, with_movie
from recsys.engine.filters import Filters
from recsys.engine.intervals import interval80
from recsys.engine.movies import name_of
from recsys.engine.profile import Profile, known_profile, named_profile
from recsys.engine.recommending import Request, recommendations, require_at_least
from recsys.engine.results import (
    Because,
    MovieDescription,
    Prediction,
    Recommendations,
    SimilarMovies,
)
from recsys.queries.query import Query, RatingPrediction
from recsys.recommenders.joint.embedding_model import EmbeddingModel, Floats

Who = Profile | str
"""A profile, or the id of a known user."""


class Engine:
    """Recommends, explains, compares and predicts; it never changes, and never trains.

    Args:
        bundle: a verified bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """An engine of the bundle in a folder.

        Raises:
            BundleError: see ``recsys.bundle.load_bundle``.
        """
        return cls(load_bundle(path))

    @property
    def label(self) -> str:
        """Name and version of the model; another one once a movie was added."""
        return self.bundle.contents.label

    @property
    def catalogue(self) -> Catalogue:
        """The movies."""
        return self.bundle.contents.catalogue

    @property
    def users(self) -> Vocabulary:
        """The known users."""
        return self.bundle.contents.histories.users

    @property
    def model(self) -> EmbeddingModel:
        """The trained arrays."""
        return self.bundle.contents.model

    def user(self, user_id: str) -> Profile:
        """A user of the training data.

        Raises:
            UnknownIdError: there is no such user; the error names the nearest ones.
        """
        return known_profile(user_id, self.bundle.contents, self._everyone)

    def profile(
        self, liked: Sequence[str] = (), ratings: Mapping[str, float] | None = None
    ) -> Profile:
        """Anybody, by the movies they name; nothing is trained.

        Args:
            liked: ids or titles of movies that get the highest rating there is.
            ratings: ids or titles with stars, for what was not liked or not that much.

        Raises:
            UnknownIdError: no movie, or more than one, has a name; the error names the nearest.
            DataError: a rating is off the scale, or a movie has two ratings.
        """
        scale = self.model.rating.scale
        named = [*((name, scale.high) for name in liked), *(ratings or {}).items()]
        return named_profile(named, self.catalogue, scale)

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
        """
        request = Request(k, exclude_seen, filters or Filters(), because)
        return recommendations(self.bundle, self._profile(who), request)

    def explain(self, who: Who, movie: str, because: int | None = None) -> list[Because]:
        """The addends of one movie's score for a person, seen or not; see ``recommend``.

        Raises:
            UnknownIdError: the user or the movie is unknown.
        """
        require_at_least("because", because or 0, 0)
        person, row = self._profile(who), self.catalogue.find(movie)
        return because_of(self.model, self.catalogue, person.query, row, because)

    def similar(self, movie: str, k: int = 10) -> SimilarMovies:
        """The movies that the same people would be recommended, whatever their popularity.

        Similarity is the cosine of out-embeddings, the bias left out. Each film is listed once,
        and the film that was asked about not at all, however often the catalogue has it.

        Raises:
            ConfigError: ``k`` is below 1.
            UnknownIdError: no movie, or more than one, has that name.
        """
        require_at_least("k", k, 1)
        row = self.catalogue.find(movie)
        return similar_movies(self.bundle.contents, self._directions, row, k)

    def describe(self, movie: str) -> MovieDescription:
        """One movie as the model sees it: genres, audience score, weights of its modalities.

        Raises:
            UnknownIdError: no movie, or more than one, has that name.
        """
        return describe(self.bundle.contents, self.catalogue.find(movie))

    def predict(self, who: Who, movie: str) -> Prediction:
        """The stars a person would give a movie, with an interval.

        The interval is that of a normal distribution with this mean and standard deviation, cut to
        the rating scale. Ratings are whole stars, so no interval holds one with probability 0.8
        exactly; over many ratings this one does nearly (``docs/evaluation.md``).

        Raises:
            UnknownIdError: the user or the movie is unknown.
        """
        person, row = self._profile(who), self.catalogue.find(movie)
        first = np.zeros(1, dtype=np.int64)
        predicted = self.predict_block(person.query, first, first + row)
        mean = float(predicted.mean[0])
        std = float(predicted.std[0]) if predicted.std is not None else 0.0
        rated = row in person.rated
        return Prediction(
            user=person.user,
            **name_of(self.catalogue, row),
            model=self.label,
            mean=mean,
            std=std,
            interval80=interval80(mean, std, self.model.rating.scale),
            notes=["this person's own rating of the movie is part of the history"] if rated else [],
        )

    def add_movie(self, movie: NewMovie) -> Engine:
        """An engine that also knows this movie, in the row after the last; this one is unchanged.

        Raises:
            DataError: the id is taken, or the features are not what the content tower reads.
            UnknownIdError: a genre is unknown.
        """
        return Engine(with_movie(self.bundle, movie))

    def queries_for(self, users: Sequence[str] | None = None) -> Query:
        """Known users with their training histories; all of them, in their order, by default.

        Raises:
            DataError: a user is unknown.
        """
        wanted = self.users.ids if users is None else users
        return self._everyone.select(self.users.rows(wanted, unknown="error"))

    def score_block(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) ranking scores: what ``recommend`` orders by, for every movie."""
        return self.model.score(query)

    def predict_block(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs: query ``rows[n]`` with movie ``items[n]``."""
        return self.model.predict(query, rows, items)

    def as_recommender(self) -> ServedModel:
        """This engine in the form that evaluation asks."""
        return ServedModel(self)

    @cached_property
    def _everyone(self) -> Query:
        return Query.known(self.bundle.contents.histories)

    @cached_property
    def _directions(self) -> Floats:
        return directions(self.model)

    def _profile(self, who: Who) -> Profile:
        person = self.user(who) if isinstance(who, str) else who
        person.require_aligned(self.catalogue)
        return person


class ServedModel:
    """An engine as evaluation asks it: batches of users in, scores and ratings out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = engine.label

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) ranking scores."""
        return self._engine.score_block(query)

    def predict(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs."""
        return self._engine.predict_block(query, rows, items)

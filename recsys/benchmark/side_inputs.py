"""What some models are told besides ratings and movies: user features, timestamps of test ratings.

Both are inputs that a served model rarely has, so a model that is told them says so in its name.

Legend: N pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.data.people import Person, read_people
from recsys.errors import DataError
from recsys.queries.query import (
    Predictor,
    Query,
    RatingPrediction,
    RatingPredictor,
    Recommender,
)

Model = Recommender | RatingPredictor


@runtime_checkable
class UsesPeople(Protocol):
    """A model that can be told who its users are."""

    def with_people(self, people: Mapping[str, Person]) -> Model:
        """The same model, not fitted, with users by id."""
        ...


@runtime_checkable
class PredictsAt(Predictor, Protocol):
    """A predictor that can be told when ratings are given."""

    def predict_at(
        self,
        query: Query,
        rows: NDArray[np.integer[Any]],
        items: NDArray[np.integer[Any]],
        times: NDArray[np.integer[Any]],
    ) -> RatingPrediction:
        """Ratings of N pairs at (N,) times in seconds UTC."""
        ...


def with_user_features(model: Model, folder: Path) -> Model:
    """The model to fit: told of the users in the folder of the data set, if it asks.

    Raises:
        DataError: the file of users cannot be used as it is.
    """
    return model.with_people(read_people(folder)) if isinstance(model, UsesPeople) else model


def with_timestamps(predictor: Predictor, truth: Interactions) -> Predictor:
    """The predictor to evaluate on ``truth``: told when its ratings were given, if it asks."""
    if truth.time is None or not isinstance(predictor, PredictsAt):
        return predictor
    return _AtTimesOf(predictor, truth)


@dataclass(frozen=True)
class _AtTimesOf:
    predictor: PredictsAt
    truth: Interactions

    def predict(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of the pairs of ``truth``, all and in order: no others have a time."""
        if self.truth.time is None or not np.array_equal(items, self.truth.item):
            raise DataError("only the ratings that are evaluated have times, all of them together")
        return self.predictor.predict_at(query, rows, items, self.truth.time)

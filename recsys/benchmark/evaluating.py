"""A fitted model's figures on one part of the data, for the tasks of a protocol.

Legend: Q users that are evaluated.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.metrics import Task
from recsys.benchmark.split_data import MAIN, OVERALL, Lists, SplitData
from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.evaluation.evaluate import Part
from recsys.evaluation.evaluator import RankingEvaluator, RankingResult
from recsys.evaluation.rating import RatingResult, evaluate_ratings
from recsys.queries.query import Predictor, Query, RatingPrediction
from recsys.recommenders.base import Recommender

PER_USER: Final = ("ndcg@10", "recall@10")
"""The ranking metrics of which every user's value is kept."""

Rows = NDArray[np.integer[Any]]


@runtime_checkable
class PredictsAt(Predictor, Protocol):
    """A predictor that can be told when ratings are given, which a served model rarely knows."""

    def predict_at(
        self, query: Query, rows: Rows, items: Rows, times: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs at (N,) times in seconds UTC."""
        ...


@dataclass(frozen=True)
class _AtTimesOf:
    predictor: PredictsAt
    truth: Interactions

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Ratings of the pairs of ``truth``, all and in order: no others have a time."""
        if self.truth.time is None or not np.array_equal(items, self.truth.item):
            raise DataError("only the ratings that are evaluated have times, all of them together")
        return self.predictor.predict_at(query, rows, items, self.truth.time)


def with_timestamps(predictor: Predictor, truth: Interactions) -> Predictor:
    """The predictor to evaluate on ``truth``: told when its ratings were given, if it asks."""
    if truth.time is None or not isinstance(predictor, PredictsAt):
        return predictor
    return _AtTimesOf(predictor, truth)


@dataclass
class Stopwatch:
    """A model whose answers are timed.

    Attributes:
        model: the model.
        seconds: that its answers took so far.
    """

    model: Any
    seconds: float = 0.0

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores."""
        scores: NDArray[np.float32] = self._timed(self.model.score, query)
        return scores

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Ratings of N pairs."""
        found: RatingPrediction = self._timed(self.model.predict_ratings, query, rows, items)
        return found

    def everyone(self, query: Query, block: int) -> Iterator[NDArray[np.float32]]:
        """Scores of all users, a block at a time."""
        for start in range(0, len(query), block):
            yield self.score(query.slice(start, start + block))

    def _timed(self, answer: Any, *asked: Any) -> Any:
        started = time.perf_counter()
        found = answer(*asked)
        self.seconds += time.perf_counter() - started
        return found


@dataclass
class TaskResults:
    """Figures of a model on one part.

    Attributes:
        rankings: results by the kind of list; see ``SplitData.lists``.
        rating: errors in stars, or None where ratings are not asked for.
        beside: figures of genres and audience: "genre.macro_f1", "audience.rmse".
        score_seconds: of scoring all users once, held-out ones where they are the task; of
            predicting all test ratings where nothing is ranked.
    """

    rankings: dict[str, RankingResult] = field(default_factory=dict)
    rating: RatingResult | None = None
    beside: dict[str, float] = field(default_factory=dict)
    score_seconds: float = 0.0

    def named(self) -> dict[str, float]:
        """Means: "ranking.ndcg@10", "ranking.ndcg@10/given-5", "overall.ndcg@10", "rating.rmse"."""
        found = {
            f"overall.{metric}" if kind == OVERALL else f"ranking.{_name(metric, kind)}": value
            for kind, result in self.rankings.items()
            for metric, value in result.summary().items()
        }
        ratings = self.rating.summary() if self.rating else {}
        return found | {f"rating.{n}": value for n, value in ratings.items()} | self.beside

    def on_valid(self) -> dict[str, float]:
        """As figures on valid: "valid.ndcg@10"; those over all movies are left out."""
        named = self.named().items()
        return {f"valid.{n.partition('.')[2]}": v for n, v in named if not n.startswith("overall.")}

    def per_user(self) -> dict[str, NDArray[np.float64]]:
        """(Q,) values by name, in ascending order of user.

        Of ratings a user's mean squared error, and of how many: RMSE² is the mean of the first
        weighted by the second.
        """
        found: dict[str, NDArray[np.float64]] = {}
        for kind, result in self.rankings.items():
            for metric in PER_USER:
                if metric in result.per_user:
                    found[_name(metric, kind)] = result.per_user[metric]
        if self.rating is not None:
            found["squared_error"] = self.rating.squared / self.rating.counts
            found["n_ratings"] = self.rating.counts.astype(np.float64)
        return found

    @property
    def users(self) -> NDArray[np.int64]:
        """(Q,) rows of the users that were evaluated, ascending."""
        result = next(iter(self.rankings.values()), self.rating)
        return np.zeros(0, dtype=np.int64) if result is None else np.asarray(result.users)

    @property
    def n_users(self) -> int:
        """Users whose lists are evaluated."""
        return next(iter(self.rankings.values())).n_users if self.rankings else 0


def _name(metric: str, kind: str) -> str:
    if kind == OVERALL:
        return f"{OVERALL}/{metric}"
    return f"{metric}/{kind}" if kind else metric


def evaluate_tasks(
    model: Recommender, data: SplitData, part: Part, tasks: Sequence[Task], *, beside: bool = False
) -> TaskResults:
    """Measure a fitted model.

    Args:
        model: the model.
        data: what it was fitted on.
        part: what is to be predicted.
        tasks: what is asked.
        beside: whether genres and audience are evaluated too, where the model predicts them.

    Raises:
        DataError: the part is empty, or what the model answers is unusable.
    """
    found = TaskResults()
    if set(tasks) - {"rating"} and model.ranks:
        for kind, lists in data.lists(part).items():
            watch = Stopwatch(model)
            found.rankings[kind] = _ranked(watch, kind, lists)
            found.score_seconds = found.score_seconds or watch.seconds
    if "rating" in tasks and model.predicts_ratings:
        rules = data.evaluator(part)
        watch = Stopwatch(with_timestamps(model, rules.truth))
        found.rating = evaluate_ratings(watch, rules.truth, rules.query)
        found.score_seconds = found.score_seconds or watch.seconds
    if beside:
        found.beside = _beside(model, data, part)
    return found


def _ranked(watch: Stopwatch, kind: str, lists: Lists) -> RankingResult:
    evaluator = RankingEvaluator(lists.task)
    if kind == MAIN:  # all users: that is what is timed, whoever has something to be found
        everyone = watch.everyone(lists.query, lists.task.block)
        return evaluator.evaluate(everyone)
    return evaluator.evaluate(watch, lists.query)


def _beside(model: Recommender, data: SplitData, part: Part) -> dict[str, float]:
    rules, genres, audience = data.evaluator(part), model.genre_probabilities(), model.audience()
    by_genre = None if genres is None else rules.genre(genres)
    of_audience = None if audience is None else rules.audience(audience)
    found = {f"genre.{n}": v for n, v in (by_genre.summary() if by_genre else {}).items()}
    told = of_audience.summary() if of_audience else {}
    return found | {f"audience.{n}": v for n, v in told.items()}

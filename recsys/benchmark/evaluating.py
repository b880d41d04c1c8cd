"""A fitted model's figures on one part of the data.

Legend: Q users that are evaluated.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.metrics import Task
from recsys.benchmark.side_inputs import Model, with_timestamps
from recsys.benchmark.split_data import MAIN, OVERALL, Lists, SplitData
from recsys.evaluation.evaluator import RankingEvaluator, RankingResult
from recsys.evaluation.rating import RatingResult, evaluate_ratings
from recsys.experiment.measure import Part
from recsys.queries.query import Predictor, Query, RatingPrediction, Recommender

PER_USER = ("ndcg@10", "recall@10")
"""The ranking metrics of which every user's value is kept."""

SQUARED_ERROR, N_RATINGS = "squared_error", "n_ratings"
"""A user's mean squared error in stars squared, and of how many ratings: RMSE² is the mean of the
first weighted by the second."""


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
        started = time.perf_counter()
        scores = cast(Recommender, self.model).score(query)
        self.seconds += time.perf_counter() - started
        return scores

    def predict(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs."""
        started = time.perf_counter()
        predicted = cast(Predictor, self.model).predict(query, rows, items)
        self.seconds += time.perf_counter() - started
        return predicted

    def everyone(self, query: Query, block: int) -> Iterator[NDArray[np.float32]]:
        """Scores of all users, a block at a time."""
        for start in range(0, len(query), block):
            yield self.score(query.slice(start, start + block))


@dataclass
class Evaluated:
    """Figures of a model on one part.

    Attributes:
        rankings: results by the kind of list; see ``SplitData.lists``.
        rating: errors in stars, or None where ratings are not asked for.
        score_seconds: of scoring all users once, held-out ones where they are the task; of
            predicting all test ratings where nothing is ranked.
    """

    rankings: dict[str, RankingResult] = field(default_factory=dict)
    rating: RatingResult | None = None
    score_seconds: float = 0.0

    def named(self) -> dict[str, float]:
        """Means: "ranking.ndcg@10", "ranking.ndcg@10/given-5", "overall.ndcg@10", "rating.rmse"."""
        found = {
            f"overall.{metric}" if kind == OVERALL else f"ranking.{_name(metric, kind)}": value
            for kind, result in self.rankings.items()
            for metric, value in result.summary().items()
        }
        ratings = self.rating.summary() if self.rating else {}
        return found | {f"rating.{metric}": value for metric, value in ratings.items()}

    def metrics(self) -> dict[str, float]:
        """All but those over all movies, without "ranking." and "rating."."""
        named = self.named().items()
        return {n.partition(".")[2]: v for n, v in named if not n.startswith("overall.")}

    def per_user(self) -> dict[str, NDArray[np.float64]]:
        """(Q,) values by name, in ascending order of user."""
        found: dict[str, NDArray[np.float64]] = {}
        for kind, result in self.rankings.items():
            for metric in PER_USER:
                if metric in result.per_user:
                    found[_name(metric, kind)] = result.per_user[metric]
        if self.rating is not None:
            found[SQUARED_ERROR] = self.rating.squared / self.rating.counts
            found[N_RATINGS] = self.rating.counts.astype(np.float64)
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


def evaluate(model: Model, data: SplitData, part: Part, tasks: Sequence[Task]) -> Evaluated:
    """Measure a fitted model.

    Args:
        model: a recommender where a task ranks, a rating predictor where one is about ratings.
        data: what it was fitted on.
        part: what is to be predicted.
        tasks: what is asked.

    Raises:
        DataError: the part is empty, or what the model answers is unusable.
    """
    found = Evaluated()
    if set(tasks) - {"rating"}:
        for kind, lists in data.lists(part).items():
            watch = Stopwatch(model)
            found.rankings[kind] = _ranked(watch, kind, lists)
            found.score_seconds = found.score_seconds or watch.seconds
    if "rating" in tasks:
        rules = data.evaluator(part)
        watch = Stopwatch(with_timestamps(cast(Predictor, model), rules.truth))
        found.rating = evaluate_ratings(watch, rules.truth, rules.query)
        found.score_seconds = found.score_seconds or watch.seconds
    return found


def _ranked(watch: Stopwatch, kind: str, lists: Lists) -> RankingResult:
    evaluator = RankingEvaluator(lists.task)
    if kind == MAIN:  # all users: that is what is timed, whoever has something to be found
        everyone = watch.everyone(lists.query, lists.task.block)
        return evaluator.evaluate(everyone)
    return evaluator.evaluate(watch, lists.query)

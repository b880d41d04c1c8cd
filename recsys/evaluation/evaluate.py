"""How a split is evaluated: the same rules for every model, on test and on valid.

Legend: U users, I movies, G genres.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.config.experiment import EvaluationConfig
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.split import Split, TrainingData
from recsys.errors import DataError
from recsys.evaluation.audience import AudienceResult, evaluate_audience
from recsys.evaluation.evaluator import RankingEvaluator, RankingResult, RankingTask
from recsys.evaluation.genre import GenreResult, evaluate_genres
from recsys.evaluation.rating import RatingResult, evaluate_ratings
from recsys.evaluation.report import ResultRow, Seconds
from recsys.queries.query import AudiencePrediction, Floats, Predictor, Query, Rows, Scorer

Part = Literal["valid", "test"]


class Evaluated(Scorer, Predictor, Protocol):
    """What evaluation asks of a fitted model."""

    name: str

    @property
    def ranks(self) -> bool:
        """Whether it scores all movies for a user."""

    @property
    def predicts_ratings(self) -> bool:
        """Whether it predicts stars."""

    def genre_probabilities(self) -> Floats | None:
        """(I, G) probability of each genre, or None."""

    def audience(self) -> AudiencePrediction | None:
        """Mean stars of each movie's audience, or None."""


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Evaluates models on one part of a split.

    A user's history is their training ratings, whatever is evaluated. Ranking runs over all movies
    but those the user already has: the training ones when valid is evaluated, training and valid
    ones when test is. On a split with cold movies it runs over the cold movies of that part alone;
    ``overall`` ranks all movies instead.

    Attributes:
        train: the histories.
        truth: what is to be predicted.
        seen: (U, I) CSR of what is not recommended.
        cold: rows of the movies without training ratings that are evaluated; empty on a warm split.
        catalogue: the movies.
        labelled: (I,) the movies whose genres are to be predicted.
        config: what is reported.
    """

    train: Interactions
    truth: Interactions
    seen: sp.csr_array
    cold: NDArray[np.int32]
    catalogue: Catalogue
    labelled: NDArray[np.bool_]
    config: EvaluationConfig

    @classmethod
    def on_test(cls, split: Split, config: EvaluationConfig | None = None) -> Evaluator:
        """For the test part.

        Raises:
            DataError: it is empty.
        """
        _require(split.test, split.spec.name, "test")
        seen, labelled = split.train.matrix() + split.valid.matrix(), split.labels.test
        parts = split.train, split.test, seen, split.cold_items, split.catalogue, labelled
        return cls(*parts, config or EvaluationConfig())

    @classmethod
    def on_valid(
        cls, data: Split | TrainingData, config: EvaluationConfig | None = None
    ) -> Evaluator:
        """For the valid part.

        Raises:
            DataError: it is empty.
        """
        name = data.spec.name if isinstance(data, Split) else data.source.spec.name
        _require(data.valid, name, "valid")
        seen, labelled = data.train.matrix(), data.labels.valid
        parts = data.train, data.valid, seen, data.cold_valid_items, data.catalogue, labelled
        return cls(*parts, config or EvaluationConfig())

    @cached_property
    def query(self) -> Query:
        """All U users with their training ratings."""
        return Query.known(self.train)

    def task(self, candidates: Rows | None = None) -> RankingTask:
        """The lists that are asked for, over some movies or all."""
        return RankingTask(
            truth=self.truth,
            seen=self.seen,
            candidates=candidates,
            ks=self.config.ks,
            popularity=self.train.item_counts(),
            block=self.config.block,
        )

    def ranking(self, scorer: Scorer) -> RankingResult:
        """Evaluate the lists of a model."""
        task = self.task(self.cold if len(self.cold) else None)
        return RankingEvaluator(task).evaluate(scorer, self.query)

    def overall(self, scorer: Scorer) -> RankingResult | None:
        """Evaluate lists over all movies where ``ranking`` is over the cold ones; else None."""
        if not len(self.cold):
            return None
        return RankingEvaluator(self.task()).evaluate(scorer, self.query)

    def rating(self, predictor: Predictor) -> RatingResult:
        """Evaluate predicted stars."""
        return evaluate_ratings(predictor, self.truth, self.query)

    def genre(self, probabilities: Floats) -> GenreResult | None:
        """Evaluate (I, G) genre probabilities; None where no movie has labels."""
        if not self.labelled.any():
            return None
        return evaluate_genres(probabilities, self.catalogue.genres, self.labelled)

    def audience(self, prediction: AudiencePrediction) -> AudienceResult:
        """Evaluate predicted mean ratings of movies against the means of this part.

        On a split with cold movies they alone are evaluated, and nothing was known of their votes.
        Elsewhere every movie of the part is, and most have training votes as well, so that it
        tells how well the movies known already are described.
        """
        return evaluate_audience(prediction, self.truth, self.cold if len(self.cold) else None)

    def evaluate(self, model: Evaluated) -> Evaluation:
        """Everything that the model answers."""
        started = time.perf_counter()
        ranking = self.ranking(model) if model.ranks else None
        seconds = time.perf_counter() - started
        genres, audience = model.genre_probabilities(), model.audience()
        return Evaluation(
            model=model.name,
            ranking=ranking,
            overall=self.overall(model) if model.ranks else None,
            rating=self.rating(model) if model.predicts_ratings else None,
            genre=None if genres is None else self.genre(genres),
            audience=None if audience is None else self.audience(audience),
            seconds=seconds,
        )


@dataclass(frozen=True)
class Evaluation:
    """How well one model did; what it does not answer is None.

    Attributes:
        model: its name.
        ranking: of its lists; over the cold movies alone on a split that has some.
        overall: of its lists over all movies, where ``ranking`` is over the cold ones.
        rating: of its stars.
        genre: of its genres.
        audience: of the movies' mean ratings.
        seconds: wall-clock time of scoring all users.
    """

    model: str
    ranking: RankingResult | None
    overall: RankingResult | None
    rating: RatingResult | None
    genre: GenreResult | None
    audience: AudienceResult | None
    seconds: float

    def row(
        self,
        *,
        seed: int | None = None,
        fit_seconds: float | None = None,
        parameters: int | None = None,
    ) -> ResultRow:
        """As a row of a results document.

        Args:
            seed: of the training; None where nothing is random.
            fit_seconds: what fitting took; None for a model fitted before.
            parameters: numbers learnt.
        """
        return ResultRow(
            model=self.model,
            seed=seed,
            **self.summaries(),
            seconds=Seconds(fit=fit_seconds, score=self.seconds),
            n_users=self.ranking.n_users if self.ranking else 0,
            parameters=parameters,
        )

    def summaries(self) -> dict[str, dict[str, float]]:
        """The figures of every group that the model answers, by group."""
        names = "ranking", "overall", "genre", "rating", "audience"
        groups = {name: getattr(self, name) for name in names}
        return {name: group.summary() for name, group in groups.items() if group}


def _require(part: Interactions, split: str, name: Part) -> None:
    if not len(part):
        raise DataError(f"split {split} keeps no {name} part", hint="use another --split")

"""How a split is judged: the same rules for our model, for baselines and for validation.

Legend: U users, I movies, G genres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from recsys.config.experiment import EvaluationConfig
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.splits import LabelSplit, Split
from recsys.errors import DataError
from recsys.evaluation.audience import AudienceResult, evaluate_audience
from recsys.evaluation.blocks import Scorer
from recsys.evaluation.evaluator import RankingEvaluator, RankingResult, RankingTask
from recsys.evaluation.genre import GenreResult, evaluate_genres
from recsys.evaluation.rating import RatingResult, evaluate_ratings
from recsys.queries.query import AudiencePrediction, Predictor, Query

Part = Literal["valid", "test"]


@dataclass(frozen=True)
class Judge:
    """Judges models on one part of one split.

    A user's history is their training ratings, whatever is judged. Ranking runs over all movies but
    those the user already has: the training ones when valid is judged, training and valid ones when
    test is. On a split with cold movies it runs over the cold movies of that part alone;
    ``overall`` ranks all movies instead.

    Raises:
        DataError: the part is empty.
    """

    split: Split
    part: Part
    config: EvaluationConfig

    def __post_init__(self) -> None:
        if not len(self.truth):
            raise DataError(
                f"split {self.split.spec.name} keeps no {self.part} part",
                hint="use another --split",
            )

    @property
    def truth(self) -> Interactions:
        """What is to be predicted."""
        return self.split.test if self.part == "test" else self.split.valid

    @property
    def query(self) -> Query:
        """All U users with their training ratings."""
        return Query.known(self.split.train)

    @property
    def cold(self) -> NDArray[np.int32]:
        """Rows of the movies without training ratings that are judged; empty on a warm split."""
        split = self.split
        return split.cold_items if self.part == "test" else split.cold_valid_items

    def _task(self, candidates: NDArray[np.integer[Any]] | None) -> RankingTask:
        train, valid = self.split.train, self.split.valid
        seen = train.matrix() + valid.matrix() if self.part == "test" else train.matrix()
        return RankingTask(
            truth=self.truth,
            seen=seen,
            candidates=candidates,
            ks=self.config.ks,
            popularity=train.item_counts(),
            block=self.config.block,
        )

    def ranking(self, scorer: Scorer) -> RankingResult:
        """Judge the lists of a model."""
        task = self._task(self.cold if len(self.cold) else None)
        return RankingEvaluator(task).evaluate(scorer, self.query)

    def overall(self, scorer: Scorer) -> RankingResult | None:
        """Judge lists over all movies where ``ranking`` is over the cold ones; None elsewhere."""
        if not len(self.cold):
            return None
        return RankingEvaluator(self._task(None)).evaluate(scorer, self.query)

    def rating(self, predictor: Predictor) -> RatingResult:
        """Judge predicted stars."""
        return evaluate_ratings(predictor, self.truth, self.query)

    def audience(self, prediction: AudiencePrediction) -> AudienceResult:
        """Judge predicted mean ratings of movies against the means of this part.

        On a split with cold movies they alone are judged, and nothing was known of their votes.
        Elsewhere every movie of the part is, and most have training votes as well, so that it
        tells how well the movies known already are described.
        """
        return evaluate_audience(prediction, self.truth, self.cold if len(self.cold) else None)


def judge_genres(
    probabilities: NDArray[np.float32], catalogue: Catalogue, labels: LabelSplit, part: Part
) -> GenreResult | None:
    """Judge (I, G) genre probabilities on one part's movies; None where none has labels."""
    mask = labels.test if part == "test" else labels.valid
    return evaluate_genres(probabilities, catalogue.genres, mask) if mask.any() else None

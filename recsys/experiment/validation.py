"""What early stopping sees: the valid part, judged exactly as test will be."""

from __future__ import annotations

from recsys.config.experiment import EvaluationConfig
from recsys.data.catalogue import Catalogue
from recsys.data.splits import LabelSplit, Split
from recsys.experiment.measure import Judge, judge_genres
from recsys.recommenders.joint.embedding_model import EmbeddingModel


class SplitValidation:
    """Metrics of a model on the valid part of a split."""

    def __init__(
        self, split: Split, catalogue: Catalogue, labels: LabelSplit, config: EvaluationConfig
    ) -> None:
        self.judge = Judge(split, "valid", config)
        self.catalogue, self.labels = catalogue, labels

    def __call__(self, model: EmbeddingModel) -> dict[str, float]:
        """Ranking, rating and genre metrics by name."""
        metrics = self.judge.ranking(model).means() | self.judge.rating(model).summary()
        genre = judge_genres(model.genre_probabilities(), self.catalogue, self.labels, "valid")
        return metrics | (genre.summary() if genre else {})

"""What ablations look at in a fitted joint model besides its figures.

Legend: I movies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from recsys.data.split import TrainingData
from recsys.errors import DataError
from recsys.queries.query import Query, RatingPrediction, Rows
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.base import Array, Recommender
from recsys.recommenders.joint.embedding_model import EmbeddingModel
from recsys.recommenders.joint.recommender import JointRecommender, subsets

Look = Literal["one σ", "subsets"]
_WEIGHED: Final = ("gated", "sparse")


def untrained(model: Recommender) -> set[str]:
    """Groups of figures of heads that a joint model was not trained for: they are as drawn."""
    if not isinstance(model, JointRecommender):
        return set()
    losses = model.config.losses
    weights = {
        "ranking": losses.ranking + losses.distillation,
        "overall": losses.ranking + losses.distillation,
        "rating": losses.rating,
        "genre": losses.genre,
        "audience": losses.audience,
    }
    return {group for group, weight in weights.items() if not weight}


def modality_weights(model: Recommender) -> dict[str, float]:
    """Mean weight of each modality over the movies that have it, and the share that is 0 ("off").

    Empty where modalities are not weighed.
    """
    if not isinstance(model, JointRecommender) or model.config.fusion.kind not in _WEIGHED:
        return {}
    tables = model.context.catalogue.modalities
    present = np.stack([tables[name].present for name in sorted(tables)], axis=1)
    weights = model.model.movies.modality_weights
    means = {n: float(weights[present[:, m], m].mean()) for m, n in enumerate(sorted(tables))}
    return means | {"off": float((weights[present] == 0).mean())}


def views(
    model: Recommender, data: TrainingData, looks: tuple[Look, ...]
) -> Iterator[tuple[str, Recommender]]:
    """The same fitted model looked at otherwise, by name."""
    if not isinstance(model, JointRecommender):
        return
    if "one σ" in looks:
        yield "one σ", OneSigma(model).fit(data)
    if "subsets" in looks:
        for kept in subsets(sorted(model.tower.modalities)):
            yield f"subset: {' + '.join(kept) or '(none)'}", model.with_modalities(data, kept)


@dataclass(frozen=True)
class _Latent:
    """The latent means of a model as a predictor."""

    model: EmbeddingModel

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Means and σ before any threshold."""
        return RatingPrediction(*self.model.latent(query, rows, items))


class OneSigma(Recommender):
    """The latent means of a joint model with one σ for all ratings, fitted on valid."""

    name = "one σ"
    config_class = type(None)

    def __init__(self, model: JointRecommender) -> None:
        super().__init__()
        self._latent = _Latent(model.model)

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        from recsys.recommenders.joint.training.calibration import ConstantSigma

        levels = RatingLevels.of(data.train)
        if levels is None:
            raise DataError("the ratings have no levels")
        query = Query.known(data.train)
        self._constant = ConstantSigma.fit(self._latent, levels, data.valid, query)
        return {}

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Ratings of N pairs."""
        return self._constant.predict_ratings(query, rows, items)

"""What a batch is worth: named parts of the joint loss.

Part of every history is the input, the rest is what must be ranked and rated, drawn anew for each
batch. Input and target never share a rating, so nothing can be copied.

Legend: B users of a batch, I movies, M movies with training genres, G genres.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from recsys.config.experiment import ExperimentConfig
from recsys.models.item_tower import Dropout
from recsys.models.joint import JointModel, MovieParts
from recsys.models.losses import distillation_loss, genre_loss, ranking_loss, rating_loss
from recsys.training.batches import Batch


class Objective(Protocol):
    """Names and weighs what is to be learnt."""

    def __call__(self, model: JointModel, batch: Batch) -> dict[str, Tensor]:
        """Loss parts by name, already weighted: their sum is what is minimised."""
        ...


class JointObjective:
    """Ranking, distillation, rating and genre losses over one forward pass of the movies.

    Args:
        config: weights, dropout rates and temperatures.
        teacher: (I, I) item weights of the closed-form teacher; not read when its weight is 0.
        genres: (I, G) float labels.
        labelled: (I,) bool, movies whose labels may be learnt from.
    """

    def __init__(
        self, config: ExperimentConfig, teacher: Tensor, genres: Tensor, labelled: Tensor
    ) -> None:
        self.config = config
        self.teacher = teacher
        self.genres, self.labelled = genres, labelled

    def __call__(self, model: JointModel, batch: Batch) -> dict[str, Tensor]:
        """Loss parts whose weight is not zero; a part without examples is left out."""
        training = self.config.training
        kept = (torch.rand_like(batch.rated) >= training.history_dropout).to(batch.rated)
        movies = model.movies(
            Dropout(training.feature_dropout, training.modality_dropout, training.offset_dropout)
        )
        parts = self._ranking(model, movies, batch, kept)
        parts |= self._rating(model, movies, batch, kept)
        parts |= self._genre(model, movies)
        return parts

    def _ranking(
        self, model: JointModel, movies: MovieParts, batch: Batch, kept: Tensor
    ) -> dict[str, Tensor]:
        weights = self.config.losses
        if not (weights.ranking or weights.distillation):
            return {}
        shown = batch.rated * kept
        # A movie without ratings would only ever be pushed down: it takes no part.
        candidates = (shown == 0) & (model.tower.warm.T > 0)
        scores = model.rank(movies, batch.weights * kept)
        parts = {}
        if weights.ranking:
            positive = batch.rated - shown
            parts["ranking"] = weights.ranking * ranking_loss(scores, positive, candidates)
        if weights.distillation:
            temperature = self.config.teacher.temperature
            loss = distillation_loss(scores, shown @ self.teacher, candidates, temperature)
            parts["distillation"] = weights.distillation * loss
        return parts

    def _rating(
        self, model: JointModel, movies: MovieParts, batch: Batch, kept: Tensor
    ) -> dict[str, Tensor]:
        target = (batch.rated * (1 - kept)).bool()
        if not self.config.losses.rating or not target.any():
            return {}
        mean, log_variance = model.rate(movies, batch.ratings * kept, batch.rated * kept)
        loss = rating_loss(mean[target], log_variance[target], batch.ratings[target])
        return {"rating": self.config.losses.rating * loss}

    def _genre(self, model: JointModel, movies: MovieParts) -> dict[str, Tensor]:
        if not self.config.losses.genre or not self.labelled.any():
            return {}
        logits = model.genre_logits(movies)[self.labelled]
        loss = genre_loss(logits, self.genres[self.labelled])
        return {"genre": self.config.losses.genre * loss}

"""The joint model as a ``Recommender``: fit it, then ask it, like any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recsys.config.experiment import ExperimentConfig
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.splits import genre_partition
from recsys.errors import DataError, NotFittedError
from recsys.models.closed_form import ease_weights
from recsys.models.content_tower import ContentTower
from recsys.models.embedding_model import EmbeddingModel
from recsys.models.histories import rated_mask
from recsys.models.joint import JointModel, TrainStatistics
from recsys.models.recommender import Query, RatingPrediction
from recsys.training.batches import UserBatches
from recsys.training.loop import TrainingLog, deterministic, run
from recsys.training.objective import JointObjective

Validation = Callable[[EmbeddingModel], dict[str, float]]
"""Metrics of a model on validation data."""

ValidationFactory = Callable[[Interactions, Interactions, Catalogue], Validation]
"""(train, valid, catalogue) to a validation; given from outside, so that training evaluates nothing
by a rule of its own."""


class JointRecommender:
    """Trains ``recsys.models.joint.JointModel`` and answers with its exported arrays.

    Args:
        config: the experiment.
        validation: what early stopping looks at.
        log_path: file that receives one JSON line an epoch, or None.
    """

    name = "joint"

    def __init__(
        self,
        config: ExperimentConfig,
        validation: ValidationFactory,
        log_path: Path | None = None,
    ) -> None:
        self.config = config
        self.validation = validation
        self.log = TrainingLog(log_path)
        self._fitted: tuple[EmbeddingModel, ContentTower, int] | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:
        """Train on ``train``, stop where ``valid`` is best.

        Raises:
            DataError: there is nothing to train on.
        """
        config = self.config
        batches = UserBatches(train, config.user, config.training.batch_size)
        if not len(batches):
            raise DataError(
                "no user has two ratings in the training part of the split",
                hint="one rating is the input and another the target: give more data",
            )
        self.log = TrainingLog(self.log.path)
        with deterministic(config.seed, config.training.threads):
            model = JointModel(
                catalogue, TrainStatistics.of(train), config.model, config.user, config.seed
            )
            validate = self.validation(train, valid, catalogue)
            run(
                model,
                batches,
                self._objective(train, catalogue),
                lambda: validate(model.export()),
                config.training,
                self.log,
            )
            size = sum(parameter.numel() for parameter in model.parameters())
            self._fitted = model.export(), model.export_tower(), size
        return self

    def _objective(self, train: Interactions, catalogue: Catalogue) -> JointObjective:
        labelled = genre_partition(catalogue, self.config.seed).train
        return JointObjective(
            self.config,
            self._teacher(train),
            torch.tensor(catalogue.genres, dtype=torch.float32),
            torch.tensor(labelled),
        )

    def _teacher(self, train: Interactions) -> Tensor:
        if not self.config.losses.distillation:
            return torch.empty(0)
        return torch.from_numpy(ease_weights(rated_mask(train.matrix()), self.config.teacher.l2))

    @property
    def model(self) -> EmbeddingModel:
        """The trained arrays.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return self._require()[0]

    @property
    def tower(self) -> ContentTower:
        """The trained content tower, for movies that come later."""
        return self._require()[1]

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return self._require()[2]

    def _require(self) -> tuple[EmbeddingModel, ContentTower, int]:
        if self._fitted is None:
            raise NotFittedError("the joint model was not fitted", hint="call fit first")
        return self._fitted

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) ranking scores."""
        return self.model.score(query)

    def user_vectors(self, query: Query) -> NDArray[np.float32]:
        """(Q, D) user vectors."""
        return self.model.user_vectors(query)

    def item_vectors(self) -> NDArray[np.float32]:
        """(I, D) movie vectors."""
        return self.model.item_vectors()

    def predict(
        self, query: Query, rows: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs."""
        return self.model.predict(query, rows, items)

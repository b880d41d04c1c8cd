"""The joint model as a ``Recommender``: fit it, then ask it, like any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from recsys.queries.query import Query, RatingPrediction, rated_mask
from recsys.recommenders.closed_form.weights import ease_weights
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel
from recsys.recommenders.joint.network import JointModel
from recsys.recommenders.joint.statistics import TrainStatistics
from recsys.recommenders.joint.training.alignment import align
from recsys.recommenders.joint.training.batches import UserBatches
from recsys.recommenders.joint.training.calibration import calibrate, require_levels
from recsys.recommenders.joint.training.checkpoints import Checkpoints
from recsys.recommenders.joint.training.devices import deterministic, device_of
from recsys.recommenders.joint.training.identity import Identity
from recsys.recommenders.joint.training.learning import Learning
from recsys.recommenders.joint.training.log import TrainingLog, sinks_of
from recsys.recommenders.joint.training.loop import run
from recsys.recommenders.joint.training.objective import JointObjective, Material
from recsys.recommenders.joint.training.options import RunOptions

Validation = Callable[[EmbeddingModel], dict[str, float]]
"""Metrics of a model on validation data."""

ValidationFactory = Callable[[Interactions, Interactions, Catalogue], Validation]
"""(train, valid, catalogue) to a validation; given from outside, so that training evaluates nothing
by a rule of its own."""


class JointRecommender:
    """Trains ``recsys.recommenders.joint.network.JointModel`` and answers with its exported arrays.

    Args:
        config: the experiment.
        validation: what early stopping looks at.
        options: where the run writes and whom it tells.
    """

    name = "joint"

    def __init__(
        self,
        config: ExperimentConfig,
        validation: ValidationFactory,
        options: RunOptions | None = None,
    ) -> None:
        self.config = config
        self.validation = validation
        self.options = options or RunOptions()
        self.log = TrainingLog()
        self._fitted: tuple[EmbeddingModel, ContentTower, int] | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:
        """Train on ``train``, stop where ``valid`` is best.

        Raises:
            DataError: there is nothing to train on, a validation rating is none of the levels that
                training ratings have, or see ``align``, ``JointModel`` and ``Checkpoints.read``.
            ConfigError: see ``device_of``, ``liked_weights``, ``align``, ``monitored`` and
                ``Checkpoints.read``.
            RecsysError: the loss or the validation is no longer finite.
            KeyboardInterrupt: see ``recsys.recommenders.joint.training.loop.run``.
        """
        config, device = self.config, device_of(self.config.training)
        batches = UserBatches(train, config.user, config.training.batch_size, config.seed)
        if not len(batches):
            raise DataError(
                "no user has two ratings in the training part of the split",
                hint="one rating is the input and another the target: give more data",
            )
        statistics = TrainStatistics.of(train)
        if config.training.calibrate and statistics.levels is not None:
            # Now, and not when everything is trained.
            require_levels(valid.rating, statistics.levels)
        self.log = TrainingLog(sinks_of(self.options))
        with deterministic(config.seed, config.training.threads, device), self.log:
            model = JointModel(catalogue, statistics, config).to(device)
            if config.alignment.epochs:
                report = align(model.tower, config.alignment, catalogue.film_groups, config.seed)
                self.log.add(report.summary())
            validate = self.validation(train, valid, catalogue)
            material = self._material(train, catalogue, statistics).to(device)
            learning = Learning(
                model, batches, JointObjective(config, material), lambda: validate(model.export())
            )
            checkpoints = self._checkpoints(train, valid, catalogue)
            run(learning, config.training, self.log, self.options, checkpoints)
            size = sum(parameter.numel() for parameter in model.parameters())
            exported = model.export()
        if config.training.calibrate:
            exported = _calibrated(exported, train, valid)
        self._fitted = exported, model.export_tower(), size
        return self

    def _checkpoints(
        self, train: Interactions, valid: Interactions, catalogue: Catalogue
    ) -> Checkpoints | None:
        if self.options.checkpoint is None:
            return None
        identity = Identity.of(self.config, train, valid, catalogue)
        seconds = self.config.training.checkpoint_seconds
        return Checkpoints(self.options.checkpoint, identity, seconds)

    def _material(
        self, train: Interactions, catalogue: Catalogue, statistics: TrainStatistics
    ) -> Material:
        labelled = genre_partition(catalogue, self.config.seed).train
        return Material(
            self._teacher(train),
            torch.tensor(catalogue.genres, dtype=torch.float32),
            torch.tensor(labelled, dtype=torch.float32),
            torch.from_numpy(statistics.audience_mean),
            torch.from_numpy(statistics.counts.astype(np.float32)),
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
        """The trained content tower, for movies that come later.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return self._require()[1]

    @property
    def parameters(self) -> int:
        """How many numbers were trained, those of a task discriminator among them.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
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


def _calibrated(model: EmbeddingModel, train: Interactions, valid: Interactions) -> EmbeddingModel:
    """The model with its rating uncertainty corrected by the validation ratings."""
    rating = model.rating
    if rating.levels is None or not len(valid):
        return model
    eta, std = model.latent(Query.known(train), valid.user, valid.item)
    found = calibrate(eta, std, valid.rating, rating.levels, thresholds=True)
    return replace(model, rating=rating._replace(spread=found.scale, levels=found.levels))

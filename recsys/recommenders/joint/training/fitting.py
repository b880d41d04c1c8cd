"""Training the joint model, from ratings to arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from recsys.config.experiment import ExperimentConfig
from recsys.data.interactions import Interactions
from recsys.data.split import TrainingData
from recsys.errors import DataError
from recsys.evaluation.evaluate import Evaluator
from recsys.queries.query import Query, rated_mask
from recsys.recommenders.closed_form.ease import ease_weights
from recsys.recommenders.joint.embedding_model import EmbeddingModel
from recsys.recommenders.joint.network import JointModel, TrainStatistics
from recsys.recommenders.joint.storage import Fitted
from recsys.recommenders.joint.training.alignment import align
from recsys.recommenders.joint.training.calibration import calibrate, require_levels
from recsys.recommenders.joint.training.checkpoints import Checkpoints, Identity
from recsys.recommenders.joint.training.devices import deterministic, device_of
from recsys.recommenders.joint.training.log import RunOptions, TrainingLog
from recsys.recommenders.joint.training.loop import Learning, run
from recsys.recommenders.joint.training.objective import JointObjective, Targets, UserBatches


def train(
    config: ExperimentConfig, data: TrainingData, options: RunOptions, log: TrainingLog
) -> Fitted:
    """Train on ``data.train``, stop where ``data.valid`` is best.

    Args:
        config: the experiment.
        data: ratings and movies.
        options: where the run writes and whom it tells.
        log: receives what happens.

    Raises:
        DataError: there is nothing to train on or to choose by, a validation rating is none of the
            levels that training ratings have, or see ``align``, ``JointModel`` and
            ``Checkpoints.read``.
        ConfigError: see ``device_of``, ``liked_weights``, ``align``, ``monitored`` and
            ``Checkpoints.read``.
        RecsysError: the loss or the validation is no longer finite.
        KeyboardInterrupt: see ``recsys.recommenders.joint.training.loop.run``.
    """
    train, valid, device = data.train, data.valid, device_of(config.training)
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
    validation = _validation(data, config)
    with deterministic(config.seed, config.training.threads, device), log:
        model = JointModel(data.catalogue, statistics, config).to(device)
        if config.alignment.epochs:
            groups = data.catalogue.film_groups
            log.add(align(model.tower, config.alignment, groups, config.seed).summary())
        targets = _targets(data, statistics, config).to(device)
        learning = Learning(
            model, batches, JointObjective(config, targets), lambda: validation(model.export())
        )
        run(learning, config.training, log, options, _checkpoints(data, config, options))
        size = sum(parameter.numel() for parameter in model.parameters())
        exported = model.export()
    if config.training.calibrate:
        exported = _calibrated(exported, train, valid)
    return Fitted(exported, model.export_tower(), size)


def _validation(
    data: TrainingData, config: ExperimentConfig
) -> Callable[[EmbeddingModel], dict[str, float]]:
    """Metrics of a model on valid, computed exactly as those on test will be."""
    evaluator = Evaluator.on_valid(data, config.evaluation)

    def metrics(model: EmbeddingModel) -> dict[str, float]:
        genre = evaluator.genre(model.genre_probabilities())
        found = evaluator.ranking(model).means() | evaluator.rating(model).summary()
        return found | (genre.summary() if genre else {})

    return metrics


def _checkpoints(
    data: TrainingData, config: ExperimentConfig, options: RunOptions
) -> Checkpoints | None:
    if options.checkpoint is None:
        return None
    identity = Identity.of(config, data.train, data.valid, data.catalogue)
    return Checkpoints(options.checkpoint, identity, config.training.checkpoint_seconds)


def _targets(data: TrainingData, statistics: TrainStatistics, config: ExperimentConfig) -> Targets:
    l2, train = config.teacher.l2, data.train
    distilled = bool(config.losses.distillation)
    teacher = ease_weights(rated_mask(train.matrix()), l2) if distilled else np.empty(0)
    return Targets(
        torch.from_numpy(teacher),
        torch.tensor(data.catalogue.genres, dtype=torch.float32),
        torch.tensor(data.labels.train, dtype=torch.float32),
        torch.from_numpy(statistics.audience_mean),
        torch.from_numpy(statistics.counts.astype(np.float32)),
    )


def _calibrated(model: EmbeddingModel, train: Interactions, valid: Interactions) -> EmbeddingModel:
    """The model with its rating uncertainty corrected by the validation ratings."""
    rating = model.rating
    if rating.levels is None or not len(valid):
        return model
    eta, std = model.latent(Query.known(train), valid.user, valid.item)
    found = calibrate(eta, std, valid.rating, rating.levels, thresholds=True)
    return replace(model, rating=rating._replace(spread=found.scale, levels=found.levels))

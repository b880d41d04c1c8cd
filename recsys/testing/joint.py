"""The joint model at a size that learns the toy worlds in a fraction of a second."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.config.experiment import (
    ExperimentConfig,
    FusionConfig,
    ModelConfig,
    SharingConfig,
    TeacherConfig,
    TrainingConfig,
)
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.splits import Split, SplitSpec, genre_partition
from recsys.experiment.validation import SplitValidation
from recsys.recommenders.joint.recommender import JointRecommender, Validation, ValidationFactory
from recsys.recommenders.joint.training.options import RunOptions


def toy_experiment(**training: Any) -> ExperimentConfig:
    """An experiment on a toy world.

    Args:
        training: options of the loop that differ from those chosen here.
    """
    loop: dict[str, Any] = {
        "epochs": 20,
        "evaluate_every": 5,
        "batch_size": 30,
        "learning_rate": 0.02,
        "threads": 1,
        "monitor": {"ndcg@10": 1, "rmse": -1},
    }
    return ExperimentConfig(
        name="toy",
        fusion=FusionConfig(dim=8),
        sharing=SharingConfig(shared_dim=8, private_dim=4),
        model=ModelConfig(ranking_dim=8, rating_dim=4),
        teacher=TeacherConfig(l2=10),
        training=TrainingConfig(**(loop | training)),
    )


def validating(config: ExperimentConfig) -> ValidationFactory:
    """Early stopping looks at the valid part, whatever it is."""

    def make(train: Interactions, valid: Interactions, catalogue: Catalogue) -> Validation:
        split = Split(train, valid, train.select(np.arange(0)), SplitSpec("toy", 0))
        labels = genre_partition(catalogue, config.seed)
        return SplitValidation(split, catalogue, labels, config.evaluation)

    return make


def toy_joint(
    config: ExperimentConfig | None = None, options: RunOptions | None = None
) -> JointRecommender:
    """A joint model for a toy world, not fitted."""
    config = config or toy_experiment()
    return JointRecommender(config, validating(config), options)

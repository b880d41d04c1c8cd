"""The joint model at a size that learns the toy worlds in a fraction of a second."""

from __future__ import annotations

from typing import Any

from recsys.config.experiment import (
    ExperimentConfig,
    FusionConfig,
    ModelConfig,
    SharingConfig,
    TeacherConfig,
    TrainingConfig,
)
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.training.log import RunOptions


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


def toy_joint(
    config: ExperimentConfig | None = None, options: RunOptions | None = None
) -> JointRecommender:
    """A joint model for a toy world, not fitted."""
    return JointRecommender(config or toy_experiment(), options)

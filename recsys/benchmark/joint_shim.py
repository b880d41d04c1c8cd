"""The joint model, until the registry of recommenders makes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.config.loading import load_experiment, with_values
from recsys.data.splits import Split, SplitSpec, genre_partition


def make_joint(options: dict[str, Any]) -> Any:
    """A fresh joint model."""
    from recsys.experiment.validation import SplitValidation
    from recsys.recommenders.joint.recommender import JointRecommender

    config = with_values(load_experiment("default"), options, "hyper-parameters of joint")

    def validating(train: Any, valid: Any, catalogue: Any) -> Any:
        rated = np.unique(valid.item)
        cold = rated if not np.isin(rated, train.item).any() else rated[:0]
        nothing = train.select(np.arange(0))
        split = Split(
            train, valid, nothing, SplitSpec("benchmark", config.seed), cold_valid_items=cold
        )
        labels = genre_partition(catalogue, config.seed)
        return SplitValidation(split, catalogue, labels, config.evaluation)

    return JointRecommender(config, validating)

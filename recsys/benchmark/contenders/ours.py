"""The joint model of this project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np

from recsys.benchmark.contender import Contender, Options, Value
from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import load_experiment, with_values
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.splits import Split, SplitSpec, genre_partition

if TYPE_CHECKING:  # torch is slow to import, and a list of names needs none of it
    from recsys.recommenders.joint.recommender import (
        JointRecommender,
        Validation,
        ValidationFactory,
    )

_BASE: Final = "default"
_PLACE: Final[Options] = {"training.threads": 1, "training.device": "cpu", "training.epochs": 40}
_GIVEN: Final = {"name", "seed", "data", "sources", "split", "features", "evaluation"}
"""What of a configuration the benchmark decides: the movies come with their modalities."""

_Point = dict[str, Value]

_ALL_RATINGS: Final[_Point] = {"user.liked_min_rating": 1.0, "user.rating_slope": 0.13}
_CONCAT: Final[_Point] = {"fusion.kind": "concat"}
_PRIVATE: Final[_Point] = {"sharing.scheme": "sp"}
_WIDE: Final[_Point] = {"model.ranking_dim": 256}
_TAUGHT: Final[_Point] = {"losses.ranking": 0.2, "losses.distillation": 0.8}
SPACE: Final[tuple[Options, ...]] = (
    {},
    _CONCAT,
    _CONCAT | _ALL_RATINGS,
    _CONCAT | _ALL_RATINGS | _WIDE,
    _CONCAT | _ALL_RATINGS | _TAUGHT,
    _CONCAT | _PRIVATE,
    _CONCAT | _PRIVATE | _ALL_RATINGS,
    _ALL_RATINGS,
)
"""Eight points: as many as a budget usually has."""


def experiment(options: Options, seed: int) -> ExperimentConfig:
    """The configuration of one point."""
    values = {**_PLACE, **options, "seed": seed}
    return with_values(load_experiment(_BASE), values, "options of joint")


def validating(config: ExperimentConfig) -> ValidationFactory:
    """Early stopping that looks at the valid part as the benchmark does.

    Where no movie of the valid part has a training rating, all are cold, and they alone are ranked.
    """
    from recsys.experiment.validation import SplitValidation

    def make(train: Interactions, valid: Interactions, catalogue: Catalogue) -> Validation:
        rated = np.unique(valid.item)
        cold = rated if not np.isin(rated, train.item).any() else rated[:0]
        nothing = train.select(np.arange(0))
        spec = SplitSpec("benchmark", config.seed)
        split = Split(train, valid, nothing, spec, cold_valid_items=cold)
        labels = genre_partition(catalogue, config.seed)
        return SplitValidation(split, catalogue, labels, config.evaluation)

    return make


def _joint(options: Options, seed: int) -> JointRecommender:
    from recsys.recommenders.joint.recommender import JointRecommender

    config = experiment(options, seed)
    return JointRecommender(config, validating(config))


def _settings() -> str:
    config = experiment({}, 0).model_dump(mode="json", exclude=_GIVEN)
    return json.dumps(config, sort_keys=True)


OURS: Final[tuple[Contender, ...]] = (
    Contender(
        name="joint",
        family="ours",
        tasks=frozenset({"warm", "rating", "cold", "fold-in"}),
        about="our model: told the content of movies in every modality, and genres as labels",
        make=_joint,
        space=SPACE,
        source=(
            "benchmarks/MULTITASK.md: fusion, sharing, which ratings count as liked, width, how "
            "much is learnt from the teacher; 40 epochs"
        ),
        first_point="benchmarks/MULTITASK.md, whose test parts are of the same data",
        random=True,
        requires="torch",
        stops_early=True,
        settings=_settings,
    ),
)

"""Alignment by itself: how well plots find their own metadata, with nothing else trained."""

from __future__ import annotations

from recsys.config.experiment import AlignmentConfig, ExperimentConfig
from recsys.data.split import TrainingData
from recsys.recommenders.joint.item_tower import ItemTower, TowerConfig
from recsys.recommenders.joint.training.alignment import AlignmentReport, align
from recsys.recommenders.joint.training.devices import deterministic


def measure_alignment(
    config: ExperimentConfig, data: TrainingData, alignment: AlignmentConfig, seed: int
) -> AlignmentReport:
    """Align a new tower of the experiment's codes; the report says what that came to.

    Settings compared by its metrics are chosen by films no code was trained on; to state what the
    chosen one reaches, measure it with seeds that chose nothing, for those hold out other films.

    Args:
        config: the experiment.
        data: movies, and the training ratings that say which of them are warm.
        alignment: of the stage, in place of the experiment's.
        seed: of initial weights, held-out films, batches and dropout.

    Raises:
        RecsysError: see ``recsys.recommenders.joint.training.alignment.align``.
    """
    with deterministic(seed, config.training.threads):
        tower = ItemTower(
            data.catalogue.modalities,
            data.train.item_counts() > 0,
            TowerConfig(config.fusion, config.sharing, (), seed),
        )
        return align(tower, alignment, data.catalogue.film_groups, seed)

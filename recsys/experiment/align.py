"""Alignment by itself: how well plots find their own metadata, with nothing else trained."""

from __future__ import annotations

from recsys.config.experiment import AlignmentConfig
from recsys.experiment.prepare import Prepared
from recsys.recommenders.joint.item_tower import ItemTower, TowerConfig
from recsys.recommenders.joint.training.alignment import AlignmentReport, align
from recsys.recommenders.joint.training.devices import deterministic


def measure_alignment(prepared: Prepared, alignment: AlignmentConfig, seed: int) -> AlignmentReport:
    """Align a new tower of the experiment's codes; the report says what that came to.

    Settings compared by its metrics are chosen by films no code was trained on; to state what the
    chosen one reaches, measure it with seeds that chose nothing, for those hold out other films.

    Args:
        prepared: movies, and the training ratings that say which of them are warm.
        alignment: of the stage, in place of the experiment's.
        seed: of initial weights, held-out films, batches and dropout.

    Raises:
        RecsysError: see ``recsys.recommenders.joint.training.alignment.align``.
    """
    config = prepared.config
    with deterministic(seed, config.training.threads):
        tower = ItemTower(
            prepared.catalogue.modalities,
            prepared.split.train.item_counts() > 0,
            TowerConfig(config.fusion, config.sharing, (), seed),
        )
        return align(tower, alignment, prepared.catalogue.film_groups, seed)

"""What the models of this package have in common before any network is made; no torch is needed.

Legend: I items, D dimensions of all modalities together.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue, ModalityTable
from recsys.errors import ConfigError, MissingExtra
from recsys.recommenders.content.kernel import modality_tables
from recsys.recommenders.content.units import unit

COMPONENTS = 512
"""Of the five modalities of MovieLens-100K they hold 93 % of the variance, and kernel ridge
regression ranks cold movies as well by them as by all 2,144 columns."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long is trained; part of the hyper-parameters of every model here.

    Attributes:
        epochs: at most; exactly so many where valid is empty.
        patience: epochs without a better NDCG@10 on valid until training stops.

    Raises:
        ConfigError: either is below 1.
    """

    epochs: int = 200
    patience: int = 10

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.patience < 1:
            raise ConfigError(f"{self}: both must be at least 1")


def networks() -> Any:
    """The module that trains, which alone needs torch.

    Raises:
        MissingExtra: torch is not installed.
    """
    try:
        return importlib.import_module("recsys.recommenders.neural.nets")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("torch", "train") from None


def content_matrix(
    catalogue: Catalogue, modality: str | None, name: str, components: int = COMPONENTS
) -> NDArray[np.float32]:
    """(I, D) the centred directions of the modalities side by side, turned to principal axes.

    The first layer of every network is linear, so turning the axes takes nothing away from it, and
    leaving out the least of them keeps it small. A modality that a movie lacks is 0, which is the
    average movie.

    Args:
        catalogue: the movies.
        modality: the only one that is looked at; None for all.
        name: of the recommender that looks.
        components: the most axes that are kept.

    Raises:
        ConfigError: the movies do not have the modality.
        DataError: the movies have no modality at all.
    """
    tables = modality_tables(catalogue.modalities, modality, name)
    stacked = np.hstack([_directions(table) for table in tables])
    if min(stacked.shape) > components:
        left, singular, _ = scipy.linalg.svd(stacked, full_matrices=False)
        stacked = left[:, :components] * singular[:components]
    return np.ascontiguousarray(stacked, dtype=np.float32)


def _directions(table: ModalityTable) -> NDArray[np.float64]:
    vectors = table.vectors.astype(np.float64)
    if table.present.any():
        vectors[table.present] -= vectors[table.present].mean(axis=0)
    return np.asarray(unit(vectors))

"""How alike movies are by their content: a weighted sum of cosines, one addend a modality.

Legend: I items, P movies that have a modality, D its dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import ModalityTable
from recsys.errors import ConfigError, DataError, nearest

Floats = NDArray[np.floating[Any]]

ROUNDING = 1e-6
"""A vector of this length is nothing but rounding."""


def unit(vectors: Floats) -> Floats:
    """(P, D) the vectors at length 1; those at the origin stay there."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > ROUNDING, norms, np.inf))


def modality_tables(
    modalities: Mapping[str, ModalityTable], wanted: str | None, name: str
) -> list[ModalityTable]:
    """All modalities, or the one that is wanted.

    Args:
        modalities: of the catalogue, by name.
        wanted: the only one that is looked at; None for all.
        name: of the recommender that looks.

    Raises:
        ConfigError: the movies do not have the wanted one.
        DataError: the movies have no modality at all.
    """
    if not modalities:
        raise DataError(
            f"{name} was given movies without any modality",
            hint="encode features first: it ranks by content",
        )
    if wanted is not None and wanted not in modalities:
        close = ", ".join(nearest(wanted, modalities) or modalities)
        raise ConfigError(f"the movies have no modality {wanted!r}", hint=f"there are: {close}")
    return [modalities[wanted]] if wanted else list(modalities.values())


def content_kernel(
    tables: Iterable[ModalityTable], weights: Mapping[str, float], *, centred: bool = True
) -> NDArray[np.float64]:
    """(I, I) ``Σ_m w_m cos(x_im, x_jm)``, positive semidefinite.

    A modality that either movie lacks adds 0.

    Args:
        tables: the modalities.
        weights: w by modality, 1 where it says nothing.
        centred: whether the mean over the movies is taken off every modality first, so that 0 is
            what two movies have in common that have nothing in common.
    """
    return np.asarray(sum(weights.get(t.name, 1.0) * cosines(t, centred=centred) for t in tables))


def centred_vectors(table: ModalityTable) -> NDArray[np.float64]:
    """(I, D) vectors of one modality less their mean over the movies that have it."""
    vectors = table.vectors.astype(np.float64)
    if table.present.any():
        vectors[table.present] -= vectors[table.present].mean(axis=0)
    return vectors


def cosines(table: ModalityTable, *, centred: bool = True) -> NDArray[np.float64]:
    """(I, I) cosines of the vectors of one modality; 0 where either movie lacks it."""
    units = unit(centred_vectors(table) if centred else table.vectors.astype(np.float64))
    return np.asarray(units @ units.T)

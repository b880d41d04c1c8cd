"""How much of a catalogue has what, and what its vectors are like.

Legend: I items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue, ModalityTable
from recsys.data.coverage import Coverage, covered, known_facts
from recsys.data.interactions import Interactions
from recsys.errors import AlignmentError
from recsys.features.published.vectors import constant_columns


@dataclass(frozen=True)
class ModalityCoverage(Coverage):
    """How many movies have a modality, and what its vectors are like.

    Attributes:
        encoder: how they were made.
        dim: width of a vector.
        zero_rows: movies that have one which is zero throughout.
        constant_columns: columns that are the same for all movies that have a vector.
    """

    encoder: str
    dim: int
    zero_rows: int
    constant_columns: int


def coverage(catalogue: Catalogue, interactions: Interactions | None) -> list[ModalityCoverage]:
    """One entry a modality, in the order of the catalogue.

    Raises:
        AlignmentError: the ratings are of other movies.
    """
    ratings = _ratings(catalogue, interactions)
    return [
        ModalityCoverage(
            **covered(name, table.present, ratings).to_dict(),
            encoder=table.card.name,
            dim=table.card.dim,
            zero_rows=_zero_rows(table),
            constant_columns=int(constant_columns(table.vectors[table.present]).sum()),
        )
        for name, table in catalogue.modalities.items()
    ]


def fact_coverage(catalogue: Catalogue, interactions: Interactions | None) -> list[Coverage]:
    """Title, year, genres, every fact and film id, where the catalogue has any of them.

    Raises:
        AlignmentError: the ratings are of other movies.
    """
    ratings = _ratings(catalogue, interactions)
    found = known_facts(catalogue) | {"film id": np.array(catalogue.film_ids, dtype=str) != ""}
    return [covered(name, present, ratings) for name, present in found.items() if present.any()]


def _ratings(catalogue: Catalogue, interactions: Interactions | None) -> NDArray[np.int64] | None:
    if interactions is None:
        return None
    if interactions.items != catalogue.items:
        raise AlignmentError("the ratings are of other movies than the catalogue's")
    return interactions.item_counts()


def _zero_rows(table: ModalityTable) -> int:
    return int((table.present & ~table.vectors.any(axis=1)).sum())

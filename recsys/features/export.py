"""A modality as one Parquet file, with how it was made: what ``import_modality`` reads back.

Legend: N movies that have the modality, D dimensions.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.catalogue import Catalogue, ModalityTable
from recsys.data.files import atomic_write
from recsys.errors import ConfigError, nearest
from recsys.features.published.files import CARD_KEY


def export_parquet(catalogue: Catalogue, name: str, path: Path) -> None:
    """Write the N movies that have a modality: column ``id``, and ``vector``, lists of D numbers.

    Raises:
        ConfigError: the catalogue has no such modality.
    """
    table = modality(catalogue, name)
    columns = {"id": present_ids(catalogue, table), "vector": vector_lists(table)}
    schema_metadata = {CARD_KEY: json.dumps(asdict(table.card)).encode()}
    with atomic_write(path) as temporary:
        pq.write_table(pa.table(columns).replace_schema_metadata(schema_metadata), temporary)


def modality(catalogue: Catalogue, name: str) -> ModalityTable:
    """A modality by its name.

    Raises:
        ConfigError: the catalogue does not have it.
    """
    if name not in catalogue.modalities:
        have = list(catalogue.modalities)
        raise ConfigError(
            f"the catalogue has no modality {name!r}",
            hint=f"it has: {'; '.join(nearest(name, have) or have) or 'none'}",
        )
    return catalogue.modalities[name]


def present_ids(catalogue: Catalogue, table: ModalityTable) -> list[str]:
    """The ids of the N movies that have a modality."""
    return [catalogue.items.id(int(row)) for row in np.flatnonzero(table.present)]


def vector_lists(table: ModalityTable) -> pa.Array:
    """The N vectors as Arrow lists."""
    rows = table.vectors[table.present]
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])

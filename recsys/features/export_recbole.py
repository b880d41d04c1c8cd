"""Ratings, movies and vectors as RecBole's atomic files.

RecBole: Zhao et al., "RecBole: Towards a Unified, Comprehensive and Efficient Framework for
Recommendation Algorithms", CIKM 2021, doi 10.1145/3459637.3482016. Each modality is an additional
feature file, loaded by ``additional_feat_suffix`` and ``preload_weight``.

Legend: N movies that have a modality.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import yaml

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.files import atomic_write
from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError, DataError
from recsys.features.export import present_ids, vector_lists


def export_recbole(
    catalogue: Catalogue, interactions: Interactions, folder: Path, name: str
) -> list[Path]:
    """Write ``name.inter``, ``name.item``, a ``name.<modality>emb`` each, and ``name.yaml``.

    A movie without a modality is not in its file: RecBole gives it zeros. The settings in the YAML
    file make RecBole load everything; ``dataset.get_preload_weight("<modality>_id")`` is the matrix
    of a modality. Double quotes in titles become single ones, white space in a genre becomes ``_``.

    Args:
        catalogue: the movies.
        interactions: their ratings.
        folder: where to write; RecBole wants it to be called ``name``.
        name: of the data set.

    Returns:
        The files.

    Raises:
        AlignmentError: the ratings are of other movies.
        DataError: an id has a tab, a line break or a double quote in it.
    """
    if interactions.items != catalogue.items:
        raise AlignmentError("the ratings are of other movies than the catalogue's")
    tables = {"inter": _inter(interactions), "item": _item(catalogue)}
    for modality, table in catalogue.modalities.items():
        numbers = vector_lists(table).flatten().cast(pa.string())
        offsets = np.arange(0, len(numbers) + 1, table.card.dim, dtype=np.int32)
        tables[f"{modality}emb"] = {
            f"{modality}_id:token": pa.array(present_ids(catalogue, table), pa.string()),
            f"{modality}_emb:float_seq": pc.binary_join(
                pa.ListArray.from_arrays(pa.array(offsets), numbers), " "
            ),
        }
    written = [write_tabbed(folder / f"{name}.{suffix}", table) for suffix, table in tables.items()]
    settings = folder / f"{name}.yaml"
    with atomic_write(settings) as temporary:
        text = yaml.safe_dump(_settings(tables, list(catalogue.modalities)), sort_keys=False)
        temporary.write_text(text, encoding="utf-8")
    return [*written, settings]


def _inter(interactions: Interactions) -> dict[str, pa.Array]:
    columns = {
        "user_id:token": _taken(interactions.users, interactions.user),
        "item_id:token": _taken(interactions.items, interactions.item),
        "rating:float": pa.array(interactions.rating).cast(pa.string()),
    }
    if interactions.time is not None:
        columns["timestamp:float"] = pa.array(interactions.time).cast(pa.string())
    return columns


def _item(catalogue: Catalogue) -> dict[str, pa.Array]:
    rows = range(len(catalogue))
    years = ["" if year == UNKNOWN_YEAR else str(year) for year in catalogue.years]
    genres = [" ".join("_".join(g.split()) for g in catalogue.genres_of(row)) for row in rows]
    return {
        "item_id:token": pa.array(tokens(catalogue.items)),
        "movie_title:token_seq": pa.array(map(_plain, catalogue.titles), pa.string()),
        "release_year:token": pa.array(years, pa.string()),
        "class:token_seq": pa.array(map(_plain, genres), pa.string()),
    }


def _plain(text: str) -> str:
    return " ".join(text.replace('"', "'").split())


def _taken(vocabulary: Vocabulary, rows: Any) -> pa.Array:
    return pa.array(tokens(vocabulary), pa.string()).take(pa.array(rows))


def tokens(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The ids, as they can stand in a tab-separated file.

    Raises:
        DataError: an id has a tab, a line break or a double quote in it.
    """
    bad = [f"{id_!r}" for id_ in vocabulary if set(id_) & set('\t\r\n"')]
    if bad:
        raise DataError(
            f"{len(bad)} {vocabulary.kind} ids cannot stand in a tab-separated file", rows=bad
        )
    return vocabulary.ids


def write_tabbed(path: Path, columns: Mapping[str, pa.Array]) -> Path:
    """Write columns under a header, tabs between them, and nothing quoted."""
    with atomic_write(path) as temporary, temporary.open("wb") as stream:
        stream.write(("\t".join(columns) + "\n").encode())
        names = [f"c{n}" for n in range(len(columns))]
        options = pa_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
        pa_csv.write_csv(pa.table(list(columns.values()), names=names), stream, options)
    return path


def _settings(tables: Mapping[str, Iterable[str]], modalities: list[str]) -> dict[str, Any]:
    columns = {s: [header.partition(":")[0] for header in table] for s, table in tables.items()}
    return {
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "item_id",
        "RATING_FIELD": "rating",
        "TIME_FIELD": "timestamp",
        "field_separator": "\t",
        "seq_separator": " ",
        "load_col": columns,
        "additional_feat_suffix": [f"{modality}emb" for modality in modalities],
        "alias_of_item_id": [f"{modality}_id" for modality in modalities],
        "preload_weight": {f"{modality}_id": f"{modality}_emb" for modality in modalities},
    }

"""Modalities as Parquet files, and all of a data set for RecBole and for MMRec.

An import reads the Parquet files back, with how the vectors were made. RecBole: Zhao et al.,
"RecBole: Towards a Unified, Comprehensive and Efficient Framework for Recommendation Algorithms",
CIKM 2021, doi 10.1145/3459637.3482016; each modality is an additional feature file, loaded by
``additional_feat_suffix`` and ``preload_weight``. MMRec: Zhou, "MMRec: Simplifying Multimodal
Recommendation", MMAsia 2023 workshops, doi 10.1145/3611380.3628561; it numbers users and movies
from 0 without gaps, takes one feature row a movie, and has no notion of a missing one.

Legend: N movies that have a modality, I movies with a rating, D dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue, ModalityTable
from recsys.data.files import atomic_write, atomic_write_text
from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError, ConfigError, DataError, nearest
from recsys.features.published.files import CARD_KEY


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
    settings = _settings(tables, list(catalogue.modalities))
    return [*written, _write_yaml(folder / f"{name}.yaml", settings)]


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


_STEMS = {"poster": "image"}
"""MMRec's names for modalities, where they are not ours."""

Rows = NDArray[np.int64]


def export_mmrec(catalogue: Catalogue, split: Split, folder: Path, name: str) -> list[Path]:
    """Write the ratings, the id maps, the features and the settings of one data set.

    - ``name.inter``: userID, itemID, rating, timestamp where it is known, and x_label: 0 for train,
      1 for validation, 2 for test.
    - ``u_id_mapping.csv`` and ``i_id_mapping.csv``: our id, and MMRec's number. Users and movies
      without a rating are left out, for MMRec takes their number from the ratings.
    - ``image_feat.npy`` (posters), ``text_feat.npy``, ``audio_feat.npy``, …: (I, D) float32. The
      row of a movie without the modality is the mean of those that have it, as MMRec's own
      preparation does; ``image_mask.npy``, … say which rows are real. A modality that no rated
      movie has is left out.
    - ``name.yaml``: for MMRec's ``src/configs/dataset``.

    Args:
        catalogue: the movies.
        split: the ratings.
        folder: where to write; MMRec wants it to be called ``name``.
        name: of the data set.

    Returns:
        The files.

    Raises:
        AlignmentError: the ratings are of other movies.
        DataError: an id has a tab, a line break or a double quote in it.
    """
    if split.train.items != catalogue.items:
        raise AlignmentError("the ratings are of other movies than the catalogue's")
    parts = split.parts.values()
    users = np.unique(np.concatenate([part.user for part in parts])).astype(np.int64)
    items = np.unique(np.concatenate([part.item for part in parts])).astype(np.int64)
    written = [
        write_tabbed(folder / f"{name}.inter", _labelled(split, users, items)),
        _write_map(folder / "u_id_mapping.csv", ("user_id", "userID"), split.train.users, users),
        _write_map(folder / "i_id_mapping.csv", ("item_id", "itemID"), catalogue.items, items),
    ]
    for modality, table in catalogue.modalities.items():
        if table.present[items].any():
            written += _write_features(folder, _STEMS.get(modality, modality), table, items)
    return [*written, _write_settings(folder, name, {path.name for path in written})]


def _labelled(split: Split, users: Rows, items: Rows) -> dict[str, pa.Array]:
    parts = list(split.parts.values())
    label = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    columns = {
        "userID": np.searchsorted(users, np.concatenate([part.user for part in parts])),
        "itemID": np.searchsorted(items, np.concatenate([part.item for part in parts])),
        "rating": np.concatenate([part.rating for part in parts]),
    }
    times = [part.time for part in parts if part.time is not None]
    if len(times) == len(parts):
        columns["timestamp"] = np.concatenate(times)
    columns["x_label"] = label
    return {header: pa.array(values).cast(pa.string()) for header, values in columns.items()}


def _write_map(path: Path, headers: tuple[str, str], vocabulary: Vocabulary, rows: Rows) -> Path:
    numbers = pa.array(np.arange(len(rows))).cast(pa.string())
    return write_tabbed(path, {headers[0]: _taken(vocabulary, rows), headers[1]: numbers})


def _write_features(folder: Path, stem: str, table: ModalityTable, items: Rows) -> list[Path]:
    present, vectors = table.present[items], table.vectors[items].copy()
    vectors[~present] = vectors[present].mean(axis=0, dtype=np.float64)
    return [
        _write_array(folder / f"{stem}_feat.npy", vectors),
        _write_array(folder / f"{stem}_mask.npy", present),
    ]


def _write_array(path: Path, array: NDArray[np.generic]) -> Path:
    with atomic_write(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)
    return path


def _write_settings(folder: Path, name: str, files: set[str]) -> Path:
    seen = ("image_feat.npy", "video_feat.npy", "audio_feat.npy")
    settings = {
        "USER_ID_FIELD": "userID",
        "ITEM_ID_FIELD": "itemID",
        "TIME_FIELD": "timestamp",
        "filter_out_cod_start_users": True,  # spelt as MMRec spells it
        "inter_file_name": f"{name}.inter",
        "vision_feature_file": next((file for file in seen if file in files), seen[0]),
        "text_feature_file": "text_feat.npy",
        "user_graph_dict_file": "user_graph_dict.npy",
        "field_separator": "\t",
    }
    return _write_yaml(folder / f"{name}.yaml", settings)


def _write_yaml(path: Path, settings: Mapping[str, Any]) -> Path:
    atomic_write_text(path, yaml.safe_dump(settings, sort_keys=False))
    return path

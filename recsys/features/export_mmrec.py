"""Ratings and vectors in the layout of MMRec.

Zhou, "MMRec: Simplifying Multimodal Recommendation", MMAsia 2023 workshops, doi
10.1145/3611380.3628561. It numbers users and movies from 0 without gaps, takes one feature row a
movie, and has no notion of a missing one.

Legend: I movies with a rating, D dimensions.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue, ModalityTable
from recsys.data.files import atomic_write
from recsys.data.split import Split
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError
from recsys.features.export_recbole import tokens, write_tabbed

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
        write_tabbed(folder / f"{name}.inter", _inter(split, users, items)),
        _write_map(folder / "u_id_mapping.csv", ("user_id", "userID"), split.train.users, users),
        _write_map(folder / "i_id_mapping.csv", ("item_id", "itemID"), catalogue.items, items),
    ]
    for modality, table in catalogue.modalities.items():
        if table.present[items].any():
            written += _write_features(folder, _STEMS.get(modality, modality), table, items)
    return [*written, _write_settings(folder, name, {path.name for path in written})]


def _inter(split: Split, users: Rows, items: Rows) -> dict[str, pa.Array]:
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
    ids = pa.array(tokens(vocabulary), pa.string()).take(pa.array(rows))
    numbers = pa.array(np.arange(len(rows))).cast(pa.string())
    return write_tabbed(path, dict(zip(headers, (ids, numbers), strict=True)))


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
    path = folder / f"{name}.yaml"
    with atomic_write(path) as temporary:
        temporary.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path

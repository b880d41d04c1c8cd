"""What a split holds, to be read by people and by other programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.data.interactions import Interactions
from recsys.data.split import Split


@dataclass(frozen=True)
class PartSummary:
    """Counts of one part.

    Attributes:
        ratings: how many.
        users: users with at least one of them.
        items: movies with at least one of them.
    """

    ratings: int
    users: int
    items: int


@dataclass(frozen=True)
class SplitSummary:
    """A split in numbers.

    Attributes:
        spec: how it was made, as ``SplitSpec.to_dict`` gives it.
        fingerprint: of the split.
        parts: "train", "valid", "test" to their counts.
        users_without_test: users with ratings in train or valid and none in test.
        cold_items: movies that gave all their ratings to test.
        cold_valid_items: movies that gave all their ratings to valid.
    """

    spec: dict[str, Any]
    fingerprint: str
    parts: dict[str, PartSummary]
    users_without_test: int
    cold_items: int
    cold_valid_items: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; the fields of the spec stand first."""
        values = asdict(self)
        return {**values.pop("spec"), **values}


def describe(split: Split) -> SplitSummary:
    """The sizes of a split's parts, and whom its test leaves out."""
    known = np.union1d(split.train.user, split.valid.user)
    return SplitSummary(
        spec=split.spec.to_dict(),
        fingerprint=split.fingerprint,
        parts={name: _counts(part) for name, part in split.parts.items()},
        users_without_test=len(np.setdiff1d(known, split.test.user)),
        cold_items=len(split.cold_items),
        cold_valid_items=len(split.cold_valid_items),
    )


def _counts(part: Interactions) -> PartSummary:
    return PartSummary(len(part), len(np.unique(part.user)), len(np.unique(part.item)))


def write_split(split: Split, folder: Path) -> list[Path]:
    """Write the parts as RecBole's atomic files, with the summary beside them.

    Files are named after the folder, as RecBole wants them: with ``dataset`` the folder's name,
    ``data_path`` its parent and ``benchmark_filename: [train, valid, test]`` RecBole trains and
    tests on this very split.

    Args:
        split: what to write.
        folder: created where absent; files of the same names are replaced.

    Returns:
        ``<folder>.train.inter``, ``.valid.inter``, ``.test.inter`` and ``.split.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder.resolve().name
    paths = [folder / f"{stem}.{name}.inter" for name in split.parts]
    for path, part in zip(paths, split.parts.values(), strict=True):
        _atomic_frame(part).to_csv(path, sep="\t", index=False, lineterminator="\n")
    paths.append(folder / f"{stem}.split.json")
    paths[-1].write_text(json.dumps(describe(split).to_dict(), indent=2) + "\n", encoding="utf-8")
    return paths


def _atomic_frame(part: Interactions) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "user_id:token": np.array(part.users.ids, dtype=object)[part.user],
        "item_id:token": np.array(part.items.ids, dtype=object)[part.item],
        "rating:float": part.rating,
    }
    if part.time is not None:
        columns["timestamp:float"] = part.time
    return pd.DataFrame(columns)

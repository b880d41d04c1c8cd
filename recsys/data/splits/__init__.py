"""Named, seeded, fingerprinted divisions of ratings; what they hold, and writing them to files.

=============== ==================================================================================
u1 … u5         MovieLens-100K's own folds; valid is a random 10 % of base
ro              RecBole's random order, 8 : 1 : 1 per user; seed 2020 is RecBole's default
leave-last      each user's last rating is test, the one before it valid
global-time     the last 10 % of all ratings are test, the 10 % before them valid
random-90-10    a random 10 % of the ratings are test, 10 % of the rest valid
cold-items      a random 20 % of the films lose all ratings to test, 10 % of the others to valid
all             for deployment: no test, a random 5 % valid for early stopping
=============== ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.split import LabelSplit as LabelSplit
from recsys.data.split import Source as Source
from recsys.data.split import Split as Split
from recsys.data.split import SplitSpec as SplitSpec
from recsys.data.split import TrainingData as TrainingData
from recsys.data.splits.rules import (
    TEST,
    TRAIN,
    VALID,
    Parts,
    SplitRequest,
    canonical_fold,
    cold_movies,
    global_time,
    leave_last,
    random_order,
    random_rows,
)
from recsys.data.splits.rules import genre_partition as genre_partition
from recsys.documents import Document
from recsys.errors import ConfigError, DataError, did_you_mean

DEFAULT_SEED: Final = 2020
"""RecBole's default, so that ``ro`` without a seed is RecBole's split without a seed."""


class _Rule(NamedTuple):
    assign: Callable[[SplitRequest], Parts]
    params: Mapping[str, int]


_TENTHS: Final = {"test_percent": 10, "valid_percent": 10}
_RULES: Final[Mapping[str, _Rule]] = {
    **{f"u{k}": _Rule(canonical_fold, {"fold": k, "valid_percent": 10}) for k in range(1, 6)},
    "ro": _Rule(random_order, {"train": 8, "valid": 1, "test": 1}),
    "leave-last": _Rule(leave_last, {"min_interactions": 3}),
    "global-time": _Rule(global_time, _TENTHS),
    "random-90-10": _Rule(random_rows, _TENTHS),
    "cold-items": _Rule(cold_movies, {"test_percent": 20, "valid_percent": 10}),
    "all": _Rule(random_rows, {"test_percent": 0, "valid_percent": 5}),
}

SPLIT_NAMES: Final = tuple(_RULES)
"""The names ``make_split`` knows."""


def make_split(dataset: Dataset, name: str, seed: int = DEFAULT_SEED, label_seed: int = 0) -> Split:
    """The named split: the same for the same ratings, name and seed, whatever the NumPy.

    Every rating is in exactly one part, and each part keeps the order of the source. Shares of a
    hundred are rounded down.

    Args:
        dataset: the ratings, in the order of their source, and the movies.
        name: one of ``SPLIT_NAMES``.
        seed: of what is drawn at random; ``leave-last``, ``global-time`` and the tests of
            ``u1`` … ``u5`` draw nothing.
        label_seed: of the division of the movies for the genre task.

    Raises:
        ConfigError: no split has that name, or the seed does not suit it.
        DataError: there are no ratings, or not the kind this split divides.
    """
    if not isinstance(dataset, Dataset):
        raise ConfigError(
            f"{dataset!r} is no data set", hint='read one: recsys.load_dataset("ml-100k")'
        )
    for kind, number in (("seed", seed), ("label_seed", label_seed)):
        if not isinstance(number, int | np.integer) or isinstance(number, bool):
            raise ConfigError(f"{kind} is {number!r}, it must be a whole number")
    if name not in _RULES:
        hint = f"{did_you_mean(name, SPLIT_NAMES)} known: {', '.join(SPLIT_NAMES)}".lstrip()
        raise ConfigError(f"unknown split {name!r}", hint=hint)
    ratings, rule = dataset.interactions, _RULES[name]
    if not len(ratings):
        raise DataError("there are no ratings to split")
    spec = SplitSpec(name, seed, rule.params, ratings.fingerprint)
    parts = rule.assign(SplitRequest(ratings, dataset.catalogue, spec))
    train, valid, test = (ratings.select(parts == code) for code in (TRAIN, VALID, TEST))
    is_cold = name == "cold-items"
    cold, cold_valid = (
        np.unique(p.item) if is_cold else np.empty(0, np.int32) for p in (test, valid)
    )
    return Split(dataset, train, valid, test, spec, cold, cold_valid, label_seed)


class PartSummary(Document):
    """How many ratings a part holds, and how many users and movies have at least one of them."""

    ratings: int
    users: int
    items: int


class SplitSummary(Document):
    """A split in numbers.

    Attributes:
        name: see ``SplitSpec``, as ``seed``, ``params`` and ``dataset``.
        seed: see there.
        params: see there.
        dataset: see there.
        fingerprint: of the split.
        parts: "train", "valid", "test" to their counts.
        users_without_test: users with ratings in train or valid and none in test.
        cold_items: movies that gave all their ratings to test.
        cold_valid_items: movies that gave all their ratings to valid.
    """

    name: str
    seed: int
    params: dict[str, int]
    dataset: str
    fingerprint: str
    parts: dict[str, PartSummary]
    users_without_test: int
    cold_items: int
    cold_valid_items: int


def describe(split: Split) -> SplitSummary:
    """The sizes of a split's parts, and whom its test leaves out."""
    known = np.union1d(split.train.user, split.valid.user)
    return SplitSummary(
        **split.spec.to_dict(),
        fingerprint=split.fingerprint,
        parts={
            name: PartSummary(
                ratings=len(part),
                users=len(np.unique(part.user)),
                items=len(np.unique(part.item)),
            )
            for name, part in split.parts.items()
        },
        users_without_test=len(np.setdiff1d(known, split.test.user)),
        cold_items=len(split.cold_items),
        cold_valid_items=len(split.cold_valid_items),
    )


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
    paths[-1].write_text(describe(split).model_dump_json(indent=2) + "\n", encoding="utf-8")
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

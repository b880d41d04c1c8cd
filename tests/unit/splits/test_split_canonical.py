from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import make_split
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError

Rating = tuple[str, str, float, int]
Bare = Callable[[Vocabulary], Catalogue]


def _ratings(*parts: Interactions) -> set[Rating]:
    rows: set[Rating] = set()
    for part in parts:
        users = [part.users.id(row) for row in part.user]
        items = [part.items.id(row) for row in part.item]
        assert part.time is not None
        rows |= set(zip(users, items, part.rating.tolist(), part.time.tolist(), strict=True))
    return rows


def _file(path: Path) -> set[Rating]:
    frame = pd.read_csv(path, sep="\t", names=list("uirt"), dtype={"u": str, "i": str, "r": float})
    return set(frame.itertuples(index=False, name=None))


@pytest.mark.realdata
@pytest.mark.parametrize("fold", range(1, 6))
def test_the_folds_are_the_archives_own(
    ml100k: Interactions, ml100k_folder: Path, bare_catalogue: Bare, fold: int
) -> None:
    split = make_split(Dataset("toy", ml100k, bare_catalogue(ml100k.items)), f"u{fold}")
    assert _ratings(split.test) == _file(ml100k_folder / f"u{fold}.test")
    assert _ratings(split.train, split.valid) == _file(ml100k_folder / f"u{fold}.base")
    assert (len(split.train), len(split.valid), len(split.test)) == (72_000, 8_000, 20_000)


@pytest.mark.realdata
def test_the_seed_moves_validation_and_never_the_test(
    ml100k: Interactions, bare_catalogue: Bare
) -> None:
    catalogue = bare_catalogue(ml100k.items)
    one, two = (make_split(Dataset("toy", ml100k, catalogue), "u3", seed) for seed in (1, 2))
    assert one.test.fingerprint == two.test.fingerprint
    overlap = len(_ratings(one.valid) & _ratings(two.valid))
    assert 600 < overlap < 1000, "two draws of a tenth share about a hundredth of 80,000"


@pytest.mark.realdata
@pytest.mark.parametrize("change", ["order", "rating", "time", "subset", "item id"])
def test_other_ratings_have_no_canonical_folds(
    ml100k: Interactions, bare_catalogue: Bare, change: str
) -> None:
    swapped = np.r_[1, 0, 2 : len(ml100k)]
    last = np.arange(len(ml100k)) == len(ml100k) - 1
    other = {
        "order": lambda: ml100k.select(swapped),
        "rating": lambda: replace(ml100k, rating=np.where(last, 1.0, ml100k.rating)),
        "time": lambda: replace(ml100k, time=None),
        "subset": lambda: ml100k.select(~last),
        "item id": lambda: replace(ml100k, items=Vocabulary([*ml100k.items.ids[:-1], "1683"])),
    }[change]()
    with pytest.raises(DataError, match=r"folds of MovieLens-100K.*\n.*random-90-10"):
        make_split(Dataset("toy", other, bare_catalogue(other.items)), "u1")


def test_a_small_data_set_is_told_what_the_folds_are(
    toy: Interactions, toy_catalogue: Catalogue
) -> None:
    with pytest.raises(DataError, match=r"these 80 ratings are not that file's"):
        make_split(Dataset("toy", toy, toy_catalogue), "u5")

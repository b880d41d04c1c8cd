from __future__ import annotations

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import SPLIT_NAMES, make_split
from recsys.errors import AlignmentError, ConfigError, DataError

ANY_DATA = tuple(name for name in SPLIT_NAMES if not name.startswith("u"))
DRAWN = tuple(name for name in ANY_DATA if name not in {"leave-last", "global-time"})

GOLDEN = {
    "ro": "d002d6c1f9db460f",
    "leave-last": "98bfbfb09f384501",
    "global-time": "cfc97937cf79a25b",
    "random-90-10": "0366112c7f9f0ff4",
    "cold-items": "02f81806971d9d07",
    "all": "6cf4db2e5163c6f4",
}


def test_the_names() -> None:
    assert SPLIT_NAMES == (
        "u1", "u2", "u3", "u4", "u5", "ro", "leave-last", "global-time", "random-90-10",
        "cold-items", "all",
    )  # fmt: skip


@pytest.mark.parametrize("name", ANY_DATA)
def test_fingerprints_stay_what_they_are(
    toy: Interactions, toy_catalogue: Catalogue, name: str
) -> None:
    assert (
        make_split(Dataset("toy", toy, toy_catalogue), name, seed=7).fingerprint[:16]
        == GOLDEN[name]
    )


@pytest.mark.parametrize("name", DRAWN)
def test_another_seed_is_another_split(
    toy: Interactions, toy_catalogue: Catalogue, name: str
) -> None:
    prints = {
        make_split(Dataset("toy", toy, toy_catalogue), name, seed).train.fingerprint
        for seed in range(5)
    }
    assert len(prints) == 5


def test_the_default_seed_is_recboles(toy: Interactions, toy_catalogue: Catalogue) -> None:
    split = make_split(Dataset("toy", toy, toy_catalogue), "ro")
    assert (
        split.fingerprint == make_split(Dataset("toy", toy, toy_catalogue), "ro", 2020).fingerprint
    )


def test_shares_of_the_random_splits(toy: Interactions, toy_catalogue: Catalogue) -> None:
    sizes = {
        name: [
            len(part)
            for part in make_split(Dataset("toy", toy, toy_catalogue), name).parts.values()
        ]
        for name in ("random-90-10", "all")
    }
    assert sizes == {"random-90-10": [65, 7, 8], "all": [76, 4, 0]}


def test_the_spec_tells_how_to_make_it_again(toy: Interactions, toy_catalogue: Catalogue) -> None:
    spec = make_split(Dataset("toy", toy, toy_catalogue), "cold-items", 3).spec
    assert (spec.name, spec.seed, spec.dataset) == ("cold-items", 3, toy.fingerprint)
    assert spec.params == {"test_percent": 20, "valid_percent": 10}


def test_an_unknown_name_is_answered_with_the_nearest(
    toy: Interactions, toy_catalogue: Catalogue
) -> None:
    with pytest.raises(ConfigError, match=r"'cold-item'\n.*did you mean cold-items.*known: u1, "):
        make_split(Dataset("toy", toy, toy_catalogue), "cold-item")
    with pytest.raises(ConfigError, match=r"'xyzzy'\n  → known: u1, "):
        make_split(Dataset("toy", toy, toy_catalogue), "xyzzy")


def test_a_catalogue_of_other_movies_is_refused(
    toy: Interactions, toy_catalogue: Catalogue
) -> None:
    other = Catalogue(
        type(toy.items)(reversed(toy.items.ids)),
        toy_catalogue.titles, toy_catalogue.years, toy_catalogue.genre_names, toy_catalogue.genres,
    )  # fmt: skip
    with pytest.raises(AlignmentError, match="hold different movies"):
        make_split(Dataset("toy", toy, other), "ro")


def test_nothing_to_split_is_refused(toy: Interactions, toy_catalogue: Catalogue) -> None:
    with pytest.raises(DataError, match="no ratings"):
        make_split(Dataset("toy", toy.select(np.arange(0)), toy_catalogue), "all")

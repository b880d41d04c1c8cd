from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary

Bare = Callable[[Vocabulary], Catalogue]


@pytest.fixture(scope="session")
def bare_catalogue() -> Bare:
    """A catalogue that knows nothing of its movies but two genres by turns."""

    def make(items: Vocabulary) -> Catalogue:
        n = len(items)
        return Catalogue(items, ("",) * n, np.full(n, -1), ("a", "b"), np.eye(2)[np.arange(n) % 2])

    return make


@pytest.fixture
def toy() -> Interactions:
    """Twelve users and ten movies, every third pair unrated, times in no order and with ties."""
    user, item = (axis.ravel() for axis in np.indices((12, 10)))
    rated = (user + item) % 3 > 0
    rows = pd.DataFrame({"user": user, "item": item, "rating": 1 + (user * item) % 5})[rated]
    rows["time"] = 1000 + (rows["user"] * 37 + rows["item"] * 11) % 40
    return Interactions.from_frame(rows.astype({"user": str, "item": str}))


@pytest.fixture
def toy_catalogue(toy: Interactions, bare_catalogue: Bare) -> Catalogue:
    return bare_catalogue(toy.items)


@pytest.fixture
def rated_once() -> Callable[..., Interactions]:
    """Ratings from (user, item, time) triples."""

    def make(*triples: tuple[str, str, int]) -> Interactions:
        frame = pd.DataFrame(triples, columns=["user", "item", "time"]).assign(rating=3.0)
        return Interactions.from_frame(frame)

    return make


@pytest.fixture(scope="session")
def ml100k_folder(real_data: Path) -> Path:
    folder = real_data / "ml-100k"
    if not (folder / "u.data").is_file():
        pytest.skip(f"no MovieLens-100K in {folder}; set RECSYS_REAL_DATA")
    return folder


@pytest.fixture(scope="session")
def ml100k(ml100k_folder: Path) -> Interactions:
    columns = ["user", "item", "rating", "time"]
    text = {"user": str, "item": str}
    frame = pd.read_csv(ml100k_folder / "u.data", sep="\t", names=columns, dtype=text)
    return Interactions.from_frame(frame)

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import Split, make_split, write_split
from recsys.data.splits.rules import torch_permutation

RECBOLE = importlib.util.find_spec("recbole")

SCRIPT = """
import json, sys
import numpy as np
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import init_seed

asked = json.load(sys.stdin)
quiet = {"use_gpu": False, "state": "ERROR", "show_progress": False}
config = Config(model="Pop", dataset=asked["dataset"], config_dict={**quiet, **asked["config"]})
init_seed(config["seed"], config["reproducibility"])
loaders = data_preparation(config, create_dataset(config))
pairs = {}
for name, loader in zip(("train", "valid", "test"), loaders):
    data = loader.dataset
    columns = [data.id2token(c, data.inter_feat[c].numpy()) for c in ("user_id", "item_id")]
    pairs[name] = np.stack(columns, axis=1).astype(str)
np.savez(asked["out"], **pairs)
"""

Pairs = dict[str, set[tuple[str, str]]]


def _recbole(folder: Path, dataset: str, config: dict[str, object]) -> Pairs:
    out = folder / "parts.npz"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps({"dataset": dataset, "config": config, "out": str(out)}),
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(out) as parts:
        return {name: {(str(u), str(i)) for u, i in parts[name]} for name in parts}


def _ours(split: Split) -> Pairs:
    return {
        name: {(p.users.id(u), p.items.id(i)) for u, i in zip(p.user, p.item, strict=True)}
        for name, p in split.parts.items()
    }


@pytest.fixture(scope="module")
def ml100k() -> tuple[Interactions, Catalogue]:
    assert RECBOLE is not None
    assert RECBOLE.origin is not None
    folder = Path(RECBOLE.origin).parent / "dataset_example" / "ml-100k"
    frame = pd.read_csv(folder / "ml-100k.inter", sep="\t", dtype=str)
    frame.columns = pd.Index(["user", "item", "rating", "time"])
    ratings = Interactions.from_frame(frame.astype({"rating": float, "time": int}))
    n = len(ratings.items)
    return ratings, Catalogue(ratings.items, ("",) * n, np.full(n, -1), (), np.empty((n, 0)))


@pytest.mark.recbole
@pytest.mark.parametrize("seed", [2020, 7])
def test_random_order_is_recboles_very_split(
    ml100k: tuple[Interactions, Catalogue], tmp_path: Path, seed: int
) -> None:
    theirs = _recbole(tmp_path, "ml-100k", {"seed": seed})
    ours = _ours(make_split(Dataset("toy", *ml100k), "ro", seed))
    assert {name: len(part) for name, part in ours.items()} == {
        "train": 80_808, "valid": 9_596, "test": 9_596,
    }  # fmt: skip
    assert ours == theirs


@pytest.mark.recbole
def test_users_with_few_ratings_are_divided_as_in_recbole(tmp_path: Path) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    pairs = [(f"u{n}", f"m{(7 * n + i) % 40}") for i in range(32) for n in range(1, 33) if i < n]
    frame = pd.DataFrame(pairs, columns=["user_id:token", "item_id:token"])
    frame.to_csv(folder / "few.inter", sep="\t", index=False)
    named = pd.DataFrame(pairs, columns=["user", "item"]).assign(rating=3.0)
    ratings = Interactions.from_frame(named)
    n = len(ratings.items)
    catalogue = Catalogue(ratings.items, ("",) * n, np.full(n, -1), (), np.empty((n, 0)))
    theirs = _recbole(tmp_path, "few", {"seed": 1, "data_path": str(tmp_path)})
    assert _ours(make_split(Dataset("toy", ratings, catalogue), "ro", 1)) == theirs


@pytest.mark.recbole
def test_recbole_reads_the_split_we_write(
    ml100k: tuple[Interactions, Catalogue], tmp_path: Path
) -> None:
    split = make_split(Dataset("toy", *ml100k), "u1")
    write_split(split, tmp_path / "fold")
    benchmark = ["train", "valid", "test"]
    config = {"data_path": str(tmp_path), "benchmark_filename": benchmark}
    assert _recbole(tmp_path, "fold", config) == _ours(split)


@pytest.mark.parametrize("n", [1, 2, 3, 1_000, 250_001])
@pytest.mark.parametrize("seed", [0, 2020, 2**32 - 1])
def test_the_permutation_is_torchs(n: int, seed: int) -> None:
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(seed)
    expected = torch.randperm(n, generator=generator).numpy()
    np.testing.assert_array_equal(torch_permutation(n, seed), expected)

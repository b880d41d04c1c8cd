from __future__ import annotations

import csv
import importlib
from collections import Counter
from pathlib import Path

import pytest

from recsys.benchmark.entries import entries
from recsys.benchmark.protocols import Protocol
from recsys.benchmark.split_data import BenchmarkData
from recsys.testing.worlds import GENRES, two_genre_world

REGISTRY = "bench_toys"
CONFIG = """
name: toy
data: {name: toy}
features: {text: null, metadata: {dim: 4}, poster: null}
evaluation: {ks: [5, 10], block: 16}
"""


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory) -> Path:
    """A world in the files of MovieLens' CSV layout, and its configuration."""
    pytest.importorskip("sklearn", reason="movies are encoded, which needs the train extra")
    folder = tmp_path_factory.mktemp("bench") / "toy"
    folder.mkdir()
    world = two_genre_world()
    with (folder / "ratings.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["userId", "movieId", "rating", "timestamp"])
        for part in (world.train, world.valid, world.test):
            rows.writerows(zip(part.user + 1, part.item + 1, part.rating, part.time, strict=True))
    with (folder / "movies.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["movieId", "title", "genres"])
        for row, year in enumerate(world.catalogue.years):
            rows.writerow([row + 1, f"Movie {row} ({year})", GENRES[world.genre[row]]])
    (folder / "toy.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="session")
def protocol_of(toy_folder):
    """A protocol on the toy world, by the name of its split."""
    tasks = {"cold-items": ("cold",), "cold-users": ("fold-in",), "random-90-10": ("rating",)}

    def make(split="ro", **more) -> Protocol:
        given = {
            "name": f"toy-{split}",
            "title": "A toy world",
            "tasks": tasks.get(split, ("warm", "rating")),
            "folds": (split,),
            "bases": (str(toy_folder / "toy.yaml"),),
            "seeds": (1, 2, 3),
            "data_dir": str(toy_folder),
        }
        return Protocol(**(given | more))

    return make


@pytest.fixture(scope="session")
def material(protocol_of) -> BenchmarkData:
    return BenchmarkData.of(protocol_of())


@pytest.fixture
def toys(monkeypatch, tmp_path):
    """The toy models by name; their fits leave marks."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    marks = tmp_path / "marks"
    marks.mkdir()
    monkeypatch.setenv("BENCH_MARKS", str(marks))
    importlib.invalidate_caches()
    return entries(REGISTRY)


@pytest.fixture
def fits(toys, tmp_path):
    """How often each fit was made, by name, seed and options."""
    return lambda: Counter(path.name.split("#")[0] for path in (tmp_path / "marks").iterdir())

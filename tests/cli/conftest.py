"""A tiny data set on disk, a bundle trained on it by the program itself, and the program."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import make_app
from recsys.testing.worlds import World, two_genre_world

Run = Callable[..., Result]
TITLES = ("Heat", "Café, The", "Heat", "Ωmega")
"""Of the first movies; two of them differ in the year alone."""


def title(row: int) -> str:
    name = TITLES[row] if row < len(TITLES) else f"Film {row}"
    return f"{name} ({1960 + row})"


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "tiny"
    folder.mkdir()
    world = two_genre_world()
    with (folder / "movies.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["movieId", "title", "genres"])
        names = ("Comedy", "Drama")
        writer.writerows([f"{100 + i}", title(i), names[g]] for i, g in enumerate(world.genre))
    with (folder / "ratings.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["userId", "movieId", "rating", "timestamp"])
        writer.writerows(_ratings(world))
    return folder


def _ratings(world: World) -> Iterator[tuple[str, str, float, int]]:
    for part in (world.train, world.valid, world.test):
        for user, item, rating in zip(part.user, part.item, part.rating, strict=True):
            stars = min(max(round(float(rating) * 2) / 2, 0.5), 5)
            yield f"u{user}", f"{100 + item}", stars, 1_000_000_000 + int(user) * 100 + int(item)


@pytest.fixture(autouse=True)
def _no_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RECSYS_BUNDLE", "RECSYS_DATA_DIR", "RECSYS_DEBUG", "RECSYS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RECSYS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(make_app(), [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs ``recsys`` in this process."""
    return _run


@pytest.fixture
def run_apart() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python in a process of its own, with its output captured."""

    def run_python(*arguments: object) -> subprocess.CompletedProcess[str]:
        root = str(Path(__file__).resolve().parents[2])
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONPATH": root},
            check=False,
        )

    return run_python


@dataclass(frozen=True)
class TrainedByCommand:
    """What one ``recsys train`` left behind."""

    bundle: Path
    result: Result

    @property
    def log(self) -> Path:
        return self.bundle.with_name(f"{self.bundle.name}.log.jsonl")


TINY = ("--set", "training.epochs=2", "--set", "features.text.backend=tfidf")


@pytest.fixture(scope="session")
def tiny_options() -> tuple[str, ...]:
    """Makes any training quick, and independent of installed encoders."""
    return TINY


@pytest.fixture(scope="session")
def trained(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedByCommand:
    pytest.importorskip("torch", reason="training needs torch")
    bundle = tmp_path_factory.mktemp("runs") / "tiny"
    result = _run(
        "train", "--data", tiny_data, "--out", bundle, "--seed", 7, "--format", "json", *TINY
    )
    assert result.exit_code == 0, result.output
    return TrainedByCommand(bundle, result)


@pytest.fixture
def served(trained: TrainedByCommand, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trained bundle, as the one that is used by default."""
    monkeypatch.setenv("RECSYS_BUNDLE", str(trained.bundle))
    return trained.bundle

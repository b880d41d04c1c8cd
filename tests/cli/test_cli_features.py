from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pictures import encoded

pytest.importorskip("sklearn", reason="facts and words are reduced by scikit-learn")
pytest.importorskip("PIL", reason="posters are read by Pillow")

POSTERS = 6
SMALL = ("--set", "features.text.backend=tfidf", "--set", "sources.jobs.workers=1")


@pytest.fixture(scope="module")
def posters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the first movies, and one that is cut off."""
    folder = tmp_path_factory.mktemp("posters")
    for row in range(POSTERS):
        (folder / f"{100 + row}.jpg").write_bytes(encoded(row))
    (folder / f"{100 + POSTERS}.jpg").write_bytes(encoded(99)[:300])
    return folder


@pytest.fixture
def options(tiny_data: Path, posters: Path) -> tuple[object, ...]:
    """A data set with posters."""
    return ("--data", tiny_data, "--set", f"sources.posters.path={posters}", *SMALL)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors of twenty movies, and their ids beside them."""
    folder = tmp_path_factory.mktemp("vectors")
    values = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    np.save(folder / "clip.npy", values)
    (folder / "ids.txt").write_text("".join(f"{100 + row}\n" for row in range(20)))
    return folder / "clip.npy"


def _document(result: Any) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _modalities(document: Any, name: str = "modality") -> dict[str, Any]:
    return {entry[name]: entry for entry in document["modalities"]}


def test_a_second_extraction_encodes_nothing(run: Any, options: Any, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    first = run("features", "extract", *options, "--format", "json", "--report", reports)
    made = _modalities(_document(first))["poster"]
    assert (made["encoded"], made["failed"], made["present"]) == (POSTERS, 1, POSTERS)
    assert made["by_movies"] == pytest.approx(POSTERS / 60)
    assert 0 < made["by_ratings"] < 1
    again = _document(run("features", "extract", *options, "--format", "json"))
    found = _modalities(again)
    assert (found["poster"]["encoded"], found["poster"]["reused"]) == (0, POSTERS)
    assert found["text"]["present"] == 60
    assert sum(again["files"]["poster"].values()) == 60


def test_a_broken_poster_is_reported_and_the_others_are_not_affected(
    run: Any, options: Any, tmp_path: Path
) -> None:
    result = run("features", "extract", *options, "--report", tmp_path)
    assert result.exit_code == 0, result.output
    assert f"poster of {100 + POSTERS}: truncated" in result.stderr
    assert "1 files failed" in result.stderr
    assert "truncated" in result.stdout
    with (tmp_path / "poster.csv").open() as stream:
        statuses = {row["item_id"]: row["status"] for row in csv.DictReader(stream)}
    assert statuses[f"{100 + POSTERS}"] == "truncated"
    assert list(statuses.values()).count("ok") == POSTERS
    assert json.loads((tmp_path / "poster.json").read_text())["failed"] == 1
    assert json.loads((tmp_path / "sources.json").read_text()) == []


def test_failed_files_are_tried_again_when_asked(run: Any, options: Any) -> None:
    run("features", "extract", *options)
    arguments = ("features", "extract", *options, "--retry-failed", "--rehash", "--workers", 1)
    found = _modalities(_document(run(*arguments, "--format", "json")))["poster"]
    assert (found["encoded"], found["failed"]) == (0, 1)


def test_imported_vectors_are_extracted_too(run: Any, tiny_data: Path, vectors: Path) -> None:
    source = f"{{source: file, path: {vectors}, ids: {vectors.with_name('ids.txt')}}}"
    arguments = ("--data", tiny_data, *SMALL, "--set", f"sources.features.clip={source}")
    document = _document(run("features", "extract", *arguments, "--format", "json"))
    assert _modalities(document)["clip"]["present"] == 20
    assert document["imports"][0]["used"] == 20
    assert "20 of 20 rows used" in run("features", "extract", *arguments).stdout


def test_describe(run: Any, options: Any) -> None:
    document = _document(run("features", "describe", *options, "--format", "json"))
    assert (document["dataset"], document["movies"]) == ("tiny", 60)
    facts = {entry["name"]: entry for entry in document["facts"]}
    assert facts["title"]["present"] == 60
    assert facts["genres"]["by_ratings"] == 1
    poster = _modalities(document, "name")["poster"]
    assert (poster["present"], poster["zero_rows"]) == (POSTERS, 0)
    result = run("features", "describe", *options)
    assert "10.0%" in next(line for line in result.stdout.splitlines() if "poster" in line)


def test_describe_names_what_no_movie_has(run: Any, tiny_data: Path, tmp_path: Path) -> None:
    where = ("--set", f"sources.posters.path={tmp_path}")
    result = run("features", "describe", "--data", tiny_data, *SMALL, *where)
    assert result.exit_code == 0, result.output
    assert "no movie has poster" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("--set", "sources.posters.path=nowhere"), 3, "nowhere"),
        (("--set", "sources.poster.path=x"), 2, "posters"),
        (("--workers", 0), 2, "workers"),
    ],
)
def test_what_cannot_be_extracted_is_named(
    run: Any, tiny_data: Path, arguments: Any, code: int, named: str
) -> None:
    result = run("features", "extract", "--data", tiny_data, *SMALL, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert named in result.stderr


def test_training_shows_every_modality(
    run: Any, options: Any, tiny_options: Any, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    result = run("train", *options, *tiny_options, "--out", tmp_path / "bundle")
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.stderr.splitlines() if line.split()}
    assert "1 files failed" in lines["poster"]
    assert "failed" not in lines["text"]

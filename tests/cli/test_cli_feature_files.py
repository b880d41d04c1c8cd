"""``recsys features import`` and ``export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.config.imports import ImportPolicy

NO_ENCODERS = ("--set", "features.text=null", "--set", "features.metadata=null")


@pytest.fixture
def values() -> Any:
    return np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)


@pytest.fixture
def importing(run: Any, tiny_data: Path, tmp_path: Path) -> Any:
    """Imports an array, the rows of which are the first movies."""

    def call(values: Any, *arguments: object, ids: Any = None) -> Any:
        names = [f"{100 + row}" for row in range(len(values))] if ids is None else ids
        np.save(tmp_path / "clip.npy", values)
        (tmp_path / "ids.txt").write_text("".join(f"{name}\n" for name in names))
        given = ("--file", tmp_path / "clip.npy", "--ids", tmp_path / "ids.txt")
        where = ("--data", tiny_data, "--modality", "clip")
        return run("features", "import", *where, *given, *arguments)

    return call


def test_good_vectors_are_counted(importing: Any, values: Any) -> None:
    result = importing(values)
    assert result.exit_code == 0, result.output
    assert "20 of 20 rows used; 20 movies: 33.3% of the movies" in result.stdout
    document = json.loads(importing(values, "--format", "json").stdout)
    assert (document["rows"], document["used"], document["findings"]) == (20, 20, [])
    assert 0 < document["by_ratings"] < 1


def test_what_is_written_is_read_back(
    importing: Any, run: Any, tiny_data: Path, values: Any, tmp_path: Path
) -> None:
    out = tmp_path / "clip.parquet"
    assert importing(values, "--out", out).exit_code == 0
    source = f"sources.features.clip={{source: file, path: {out}}}"
    exported = tmp_path / "exported"
    arguments = ("--data", tiny_data, *NO_ENCODERS, "--set", source, "--out", exported)
    result = run("features", "export", "--format", "parquet", *arguments)
    assert (result.exit_code, result.stdout) == (0, f"{exported / 'clip.parquet'}\n")
    table = pq.read_table(exported / "clip.parquet").to_pydict()
    rows = dict(zip(table["id"], table["vector"], strict=True))
    np.testing.assert_array_equal([rows[f"{100 + row}"] for row in range(20)], values)


def _with_nan(values: Any) -> Any:
    values[3, 1] = np.nan
    return values


def test_faults_are_refused_and_named(importing: Any, values: Any) -> None:
    result = importing(_with_nan(values))
    assert (result.exit_code, result.stdout) == (3, "")
    assert "NaN: 1" in result.stderr
    assert "id '103', number 2: nan" in result.stderr
    assert "on_nonfinite" in result.stderr


@pytest.mark.parametrize(("choice", "used"), [("mask", 19), ("median", 20)])
def test_faults_are_settled_by_an_option(
    importing: Any, values: Any, choice: str, used: int
) -> None:
    result = importing(_with_nan(values), "--policy", f"on_nonfinite={choice}", "--format", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["used"] == used
    assert (document["findings"][0]["fault"], document["findings"][0]["count"]) == ("NaN", 1)


def test_unknown_and_repeated_ids(importing: Any, values: Any) -> None:
    ids = [*(f"{100 + row}" for row in range(18)), "100", "nobody"]
    refused = importing(values, ids=ids)
    assert refused.exit_code == 3
    assert "unknown id: 1" in refused.stderr
    assert "repeated id, other vector: 2" in refused.stderr
    options = ("--policy", "on_unknown_id=drop", "--policy", "on_duplicate=first")
    table = importing(values, *options, ids=ids)
    assert table.exit_code == 0, table.output
    assert "18 of 20 rows used" in table.stdout
    assert "id 'nobody'" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--policy", "on_nonfinite=ignore"), "median"),
        (("--policy", "on_nonfinit=mask"), "on_nonfinit"),
        (("--policy", "mask"), "key=value"),
        (("--out", "vectors.csv"), ".parquet"),
        (("--id-column", "id"), ".parquet"),
        (("--key", "isbn"), "film"),
    ],
)
def test_options_that_do_not_fit(importing: Any, values: Any, arguments: Any, named: str) -> None:
    result = importing(values, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr


def test_vectors_of_genres_are_refused(importing: Any, values: Any) -> None:
    result = importing(values, "--modality", "genres")
    assert result.exit_code == 2
    assert "labels" in result.stderr


def test_choices_are_those_of_the_policy(run: Any) -> None:
    told = " ".join(run("features", "import", "--help").stdout.split())
    for name, field in ImportPolicy.model_fields.items():
        *others, last = get_args(field.annotation)
        assert name in told
        assert f"{', '.join(others)} or {last}" in told


@pytest.fixture
def exporting(importing: Any, run: Any, tiny_data: Path, values: Any, tmp_path: Path) -> Any:
    """Exports a data set whose one modality is imported."""
    table, out = tmp_path / "clip.parquet", tmp_path / "tiny"
    assert importing(values, "--out", table).exit_code == 0
    source = f"sources.features.clip={{source: file, path: {table}}}"
    arguments = ("--data", tiny_data, *NO_ENCODERS, "--set", source, "--out", out)

    def call(format_: str, *more: object) -> Any:
        return run("features", "export", *arguments, "--format", format_, *more)

    return call


def test_recbole(exporting: Any, tmp_path: Path) -> None:
    result = exporting("recbole")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "tiny"
    names = ["tiny.inter", "tiny.item", "tiny.clipemb", "tiny.yaml"]
    assert result.stdout.splitlines() == [str(folder / name) for name in names]
    assert len((folder / "tiny.clipemb").read_text().splitlines()) == 21


def test_mmrec_has_the_parts_of_the_split(exporting: Any, tmp_path: Path) -> None:
    result = exporting("mmrec", "--split", "leave-last", "--modality", "clip")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "tiny"
    header, *lines = (folder / "tiny.inter").read_text().splitlines()
    assert header.split("\t")[-1] == "x_label"
    labels = [line.split("\t")[-1] for line in lines]
    assert labels.count("2") == 60
    assert np.load(folder / "clip_mask.npy").sum() == 20


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("recbole", "--split", "ro"), "mmrec"),
        (("parquet", "--modality", "clop"), "clip"),
        (("csv",), "parquet"),
    ],
)
def test_what_cannot_be_exported(
    exporting: Any, tmp_path: Path, arguments: Any, named: str
) -> None:
    result = exporting(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr
    assert not (tmp_path / "tiny").exists()

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def bad_data(tiny_data: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(tiny_data, tmp_path / "bad")
    with (folder / "ratings.csv").open("a") as stream:
        stream.write("u1,999,six,1\nu1,998,9,1\nu1,997\n")
    return folder


def test_describe(run: Any, tiny_data: Path) -> None:
    document = json.loads(run("data", "describe", "--data", tiny_data, "--format", "json").stdout)
    assert (document["name"], document["users"], document["items"]) == ("tiny", 60, 60)
    assert sum(document["histogram"].values()) == document["ratings"]
    table = run("data", "describe", "--data", tiny_data).stdout
    assert f"{document['ratings']:,}" in table
    assert "Comedy" in table


def test_validate_counts_add_up(run: Any, bad_data: Path) -> None:
    result = run("data", "validate", "--data", bad_data, "--format", "json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert document["bad"] == sum(document["counts"].values()) == 3
    assert document["total"] == document["good"] + document["bad"]
    assert "3 of" in result.stderr
    assert "six" in result.stderr


def test_validate_table(run: Any, bad_data: Path, tiny_data: Path) -> None:
    table = run("data", "validate", "--data", bad_data, "--on-bad-row", "quarantine")
    assert table.exit_code == 0
    assert "rating is not a number" in table.stdout
    good = run("data", "validate", "--data", tiny_data)
    assert (good.exit_code, good.stderr) == (0, "")


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_quarantine_keeps_the_good_rows_and_reports_the_bad(
    run: Any, bad_data: Path, tmp_path: Path, ending: str
) -> None:
    report = tmp_path / f"bad-rows.{ending}"
    refused = run("data", "describe", "--data", bad_data)
    assert (refused.exit_code, refused.stdout) == (3, "")
    args = ("--data", bad_data, "--on-bad-row", "quarantine", "--report", report)
    assert run("data", "describe", *args).exit_code == 0
    assert "u1,999,six,1" in report.read_text().replace('"', "")


def test_split_is_counted_and_written(run: Any, tiny_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    args = ("data", "split", "ro", "--data", tiny_data, "--seed", 3)
    result = run(*args, "--out", out, "--format", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    for part, counts in document["parts"].items():
        lines = (out / f"parts.{part}.inter").read_text().splitlines()
        assert len(lines) - 1 == counts["ratings"]
    assert document["seed"] == 3
    table = run(*args).stdout
    assert document["fingerprint"] in table
    assert f"{document['parts']['train']['ratings']:,}" in table


def test_unknown_names(run: Any, tiny_data: Path) -> None:
    split = run("data", "split", "leave-lst", "--data", tiny_data)
    assert split.exit_code == 2
    assert "leave-last" in split.stderr
    fetched = run("data", "fetch", "ml-100")
    assert fetched.exit_code == 3
    assert "ml-100k" in fetched.stderr


def test_nothing_is_fetched_offline(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    result = run("data", "fetch", "ml-1m", "--data", tmp_path)
    assert (result.exit_code, result.stdout) == (5, "")
    assert "files.grouplens.org" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_fetched_again(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    (tmp_path / "ml-1m").mkdir()
    result = run("data", "fetch", "ml-1m", "--data", tmp_path)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'ml-1m'}\n")
    assert "Harper" in result.stderr


def test_data_that_is_not_there(run: Any, tmp_path: Path) -> None:
    result = run("data", "describe", "--data", tmp_path / "nowhere")
    assert result.exit_code == 3
    assert "recsys data fetch" in result.stderr

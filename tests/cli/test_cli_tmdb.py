from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recsys.data.tmdb.client import TmdbClient
from recsys.data.tmdb.settings import TmdbNotFoundError, TmdbUnavailableError

MOVIES = 8
RECIPE = """
name: tiny
title: A world of two genres
format: movielens-csv
scale: {low: 0.5, high: 5}
movielens_ids: true
licence: none
citation: none
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that TMDB is asked for; it has all but one."""
    ids: list[str] = []

    def movie(_: TmdbClient, tmdb_id: str) -> dict[str, Any]:
        ids.append(tmdb_id)
        if tmdb_id == "7003":
            raise TmdbNotFoundError("TMDB has no movie/7003")
        return {"id": int(tmdb_id), "title": "A film", "overview": "A plot."}

    monkeypatch.setattr(TmdbClient, "movie", movie)
    monkeypatch.setenv("TMDB_API_KEY", "k3y")
    return ids


@pytest.fixture
def known_films(tiny_data: Path, tmp_path: Path) -> Path:
    """The tiny data set, whose movie ids are said to be MovieLens'."""
    folder = shutil.copytree(tiny_data, tmp_path / "data" / "tiny")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


@pytest.fixture
def fetching(run: Any, known_films: Path, tmp_path: Path) -> Any:
    links = tmp_path / "links.csv"
    rows = [f"{100 + row},{row + 1:07d},{7000 + row}\n" for row in range(MOVIES)]
    links.write_text("movieId,imdbId,tmdbId\n" + "".join(rows))
    given = ("--data", known_films, "--set", f"sources.links={links}")
    return lambda *arguments: run("data", "tmdb", *given, *arguments)


def test_movies_are_fetched_once(fetching: Any, asked: list[str]) -> None:
    result = fetching("--format", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["fetched"], document["not_found"]) == (MOVIES - 1, ["7003"])
    assert "8 of the 60 of tiny have a TMDB id" in result.stderr
    assert "k3y" not in result.output
    assert len(asked) == MOVIES
    again = fetching()
    assert len(asked) == MOVIES
    assert "kept before" in again.stdout


def test_a_limit_is_of_new_movies(fetching: Any, asked: list[str]) -> None:
    fetching("--limit", 2)
    assert asked == ["7000", "7001"]
    document = json.loads(fetching("--limit", 3, "--format", "json").stdout)
    assert asked == [f"{7000 + row}" for row in range(5)]
    assert (document["kept_before"], document["fetched"]) == (2, 2)


def test_what_was_fetched_becomes_facts(
    fetching: Any, run: Any, known_films: Path, tmp_path: Path, asked: list[str]
) -> None:
    fetching()
    assert asked
    links = ("--set", f"sources.links={tmp_path / 'links.csv'}", "--set", "sources.tmdb={}")
    none = ("--set", "features.text=null", "--set", "features.metadata=null")
    arguments = ("--data", known_films, *links, *none, "--format", "json")
    result = run("features", "describe", *arguments)
    assert result.exit_code == 0, result.output
    facts = {entry["name"]: entry["present"] for entry in json.loads(result.stdout)["facts"]}
    assert facts["overview"] == MOVIES - 1


def test_a_server_that_is_down_stops_the_run(
    fetching: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching("--limit", 2)

    def down(*_: object) -> None:
        raise TmdbUnavailableError("TMDB gave no usable answer")

    monkeypatch.setattr(TmdbClient, "movie", down)
    result = fetching("--format", "json")
    assert result.exit_code == 5
    document = json.loads(result.stdout)
    assert (document["kept_before"], document["failed"]) == (2, 3)
    assert document["not_asked_for"] == MOVIES - 5
    assert "run the command again" in result.stderr


def test_offline_and_without_a_key(fetching: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMDB_API_KEY", raising=False)
    assert fetching().exit_code == 2
    monkeypatch.setenv("TMDB_API_KEY", "k3y")
    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    result = fetching()
    assert (result.exit_code, result.stdout) == (5, "")


def test_movies_without_ids(run: Any, tiny_data: Path) -> None:
    result = run("data", "tmdb", "--data", tiny_data)
    assert result.exit_code == 2
    assert "sources.links" in result.stderr

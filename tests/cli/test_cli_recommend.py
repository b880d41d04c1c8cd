from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from recsys.cli.answers import parse_years
from recsys.engine import Engine
from recsys.errors import ConfigError


def _document(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_json_has_the_promised_keys_in_order(run: Any, served: Path) -> None:
    document = _document(run("recommend", "--user", "u1", "--k", 3, "--format", "json"))
    assert list(document) == [
        "schema_version",
        "user",
        "k",
        "exclude_seen",
        "model",
        "items",
        "available",
        "personalised",
        "notes",
    ]
    assert list(document["items"][0]) == [
        "rank",
        "item",
        "title",
        "year",
        "genres",
        "score",
        "because",
    ]
    assert list(document["items"][0]["because"][0]) == ["item", "title", "share"]
    assert (document["user"], document["k"], document["exclude_seen"]) == ("u1", 3, True)


def test_json_is_what_the_engine_says(run: Any, served: Path) -> None:
    document = _document(run("recommend", "--user", "u1", "--k", 5, "--format", "json"))
    assert document == Engine.load(served).recommend("u1", 5).document()


@pytest.mark.parametrize("because", [[], ["--because", "0"], ["--because", "2"]])
def test_shares_add_up_to_the_score(run: Any, served: Path, because: list[str]) -> None:
    document = _document(run("recommend", "--user", "u1", "--format", "json", *because))
    for item in document["items"]:
        total = sum(entry["share"] for entry in item["because"])
        assert total == pytest.approx(item["score"], abs=1e-5)


def test_all_liked_movies_are_in_the_json_and_three_in_the_table(run: Any, served: Path) -> None:
    document = _document(run("recommend", "--user", "u1", "--k", 1, "--format", "json"))
    liked = [entry for entry in document["items"][0]["because"] if entry["item"] is not None]
    assert len(liked) > 3
    lines = run("recommend", "--user", "u1", "--k", 1).stdout.splitlines()
    assert sum(entry["title"] in lines[-1] for entry in liked) == 3
    assert f"{liked[0]['title']} {liked[0]['share']:+.2f}" in lines[-1]


def test_table_has_what_the_json_has(run: Any, served: Path) -> None:
    items = _document(run("recommend", "--user", "u1", "--k", 4, "--format", "json"))["items"]
    rows = run("recommend", "--user", "u1", "--k", 4).stdout.splitlines()[-4:]
    for row, item in zip(rows, items, strict=True):
        assert f"{item['title']} ({item['year']})" in row
        assert f"{item['score']:.2f}" in row
        assert item["genres"][0] in row


def test_csv_is_one_row_a_movie(run: Any, served: Path) -> None:
    items = _document(run("recommend", "--user", "u1", "--format", "json"))["items"]
    result = run("recommend", "--user", "u1", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert list(rows[0]) == ["rank", "item", "title", "year", "genres", "score", "because"]
    assert [row["item"] for row in rows] == [item["item"] for item in items]
    assert [float(row["score"]) for row in rows] == [item["score"] for item in items]
    assert [row["because"].count(";") for row in rows] == [2] * len(rows)


def test_likes_are_titles_or_ids(run: Any, served: Path) -> None:
    named = _document(
        run("recommend", "--like", "heat (1960)", "--like", "102", "--format", "json")
    )
    assert named["user"] is None
    assert [liked["item"] for liked in named["liked"]] == ["100", "102"]
    assert not {"100", "102"} & {item["item"] for item in named["items"]}
    told = run("recommend", "--like", "the cafe").stderr
    assert "Café, The (1961)" in told


def test_seen_movies_are_left_out_unless_asked_for(run: Any, served: Path) -> None:
    engine = Engine.load(served)
    seen = {engine.catalogue.items.id(int(row)) for row in engine.user("u1").rated}
    args = ("recommend", "--user", "u1", "--k", 60, "--format", "json")
    without = {item["item"] for item in _document(run(*args))["items"]}
    assert not without & seen
    assert {item["item"] for item in _document(run(*args, "--include-seen"))["items"]} > seen


def test_more_than_there_is_gives_all_there_is(run: Any, served: Path) -> None:
    result = run("recommend", "--user", "u1", "--k", 500, "--format", "json")
    document = _document(result)
    assert len(document["items"]) == document["available"] < 60
    assert f"only {document['available']} movies are left, 500 were asked for" in result.stderr


def test_filters(run: Any, served: Path) -> None:
    args = ("recommend", "--user", "u1", "--k", 60, "--format", "json")
    items = _document(run(*args, "--genre", "drama", "--year", "1970..1999"))["items"]
    assert {item["genres"][0] for item in items} == {"Drama"}
    assert all(1970 <= item["year"] <= 1999 for item in items)
    both = _document(run(*args, "--genre", "drama", "--genre", "comedy"))["items"]
    assert {item["genres"][0] for item in both} == {"Drama", "Comedy"}


def test_explanation_is_the_sum(run: Any, served: Path) -> None:
    result = run("recommend", "--user", "u1", "--k", 1, "--explain")
    assert result.exit_code == 0
    explained = result.stdout.split("why ")[1].splitlines()
    shares = [float(line.split()[0]) for line in explained[3:]]
    assert sum(shares) == pytest.approx(float(explained[0]), abs=0.01)
    assert "the movie itself" in explained[-1]


def test_notes_are_not_on_standard_output(run: Any, served: Path) -> None:
    result = run("recommend", "--like", "100", "--k", 500)
    assert "note:" not in result.stdout
    assert result.stderr.count("note:") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["--user", "u999"], 3, "u9"),
        (["--like", "Heet (1960)"], 3, "Heat (1960) [100]"),
        (["--like", "Heat"], 3, "Heat (1962) [102]"),
        (["--user", "u1", "--genre", "Comdy"], 3, "Comedy"),
        (["--user", "u1", "--year", "nineties"], 2, "1990..1999"),
        (["--user", "u1", "--year", "1999..1990"], 2, "1990..1999"),
        (["--user", "u1", "--k", "0"], 2, "--k"),
        (["--user", "u1", "--format", "xml"], 2, "table"),
        (["--user", "u1", "--like", "100"], 2, "exclude each other"),
        ([], 2, "--like"),
        (["--user", "u1", "--bundle", "nowhere"], 4, "recsys train --out nowhere"),
    ],
)
def test_what_cannot_be_answered_is_named(
    run: Any, served: Path, arguments: list[str], code: int, named: str
) -> None:
    result = run("recommend", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert named in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_bundle_it_says_how_to_make_one(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("recommend", "--user", "1")
    assert result.exit_code == 4
    assert "recsys train --out runs/default" in result.stderr


def test_colours_need_a_terminal_and_permission(
    run: Any, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in run("recommend", "--user", "u1").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in run("recommend", "--user", "u1").stdout
    assert "\x1b" in run("recommend", "--user", "nobody").stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("recommend", "--user", "u1").stdout
    assert "\x1b" not in run("recommend", "--user", "nobody").stderr


def test_a_narrow_terminal_shows_everything(
    run: Any, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = run("recommend", "--user", "u1", "--k", 2).stdout.splitlines()
    assert all(len(line) <= 40 for line in lines[1:])
    assert "…" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        (None, None),
        ("1995", (1995, 1995)),
        ("1990..1999", (1990, 1999)),
        ("1990..", (1990, 9999)),
        ("..1999", (0, 1999)),
        (" 1990 .. 1999 ", (1990, 1999)),
    ],
)
def test_years(text: str | None, years: tuple[int, int] | None) -> None:
    assert parse_years(text) == years


@pytest.mark.parametrize("text", ["", "..", "1990-1999", "90s", "1..2..3", "-5", "19955"])
def test_years_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="no range of years"):
        parse_years(text)

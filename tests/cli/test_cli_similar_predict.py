from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from recsys.engine import Engine


def test_similar_json_is_what_the_engine_says(run: Any, served: Path) -> None:
    result = run("similar", "Heat (1960)", "--k", 3, "--format", "json")
    assert json.loads(result.stdout) == Engine.load(served).similar("100", 3).document()


def test_similar_in_every_format(run: Any, served: Path) -> None:
    items = json.loads(run("similar", "100", "--format", "json").stdout)["items"]
    rows = list(csv.DictReader(io.StringIO(run("similar", "100", "--format", "csv").stdout)))
    assert [row["item"] for row in rows] == [item["item"] for item in items]
    table = run("similar", "100").stdout
    assert "like Heat (1960)" in table
    assert f"{items[0]['similarity']:.3f}" in table


def test_similar_to_more_than_there_is(run: Any, served: Path) -> None:
    result = run("similar", "100", "--k", 1000, "--format", "json")
    document = json.loads(result.stdout)
    assert len(document["items"]) == document["available"]
    assert "1000 were asked for" in result.stderr


def test_similar_to_nothing_known(run: Any, served: Path) -> None:
    result = run("similar", "Heet (1960)")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Heat (1960)" in result.stderr


def test_predict_json_is_what_the_engine_says(run: Any, served: Path) -> None:
    result = run("predict", "--user", "u1", "Heat (1960)", "--format", "json")
    assert json.loads(result.stdout) == Engine.load(served).predict("u1", "100").document()


def test_predict_in_every_format(run: Any, served: Path) -> None:
    args = ("predict", "--like", "103", "--like", "105", "Heat (1960)")
    answer = json.loads(run(*args, "--format", "json").stdout)
    row = next(csv.DictReader(io.StringIO(run(*args, "--format", "csv").stdout)))
    low, high = answer["interval80"]
    assert low <= answer["mean"] <= high
    assert [float(row[name]) for name in ("mean", "std", "low80", "high80")] == [
        answer["mean"],
        answer["std"],
        low,
        high,
    ]
    table = run(*args).stdout
    for number in (answer["mean"], answer["std"], low, high):
        assert f"{number:.2f}" in table


def test_a_rating_that_is_known_is_noted(run: Any, served: Path) -> None:
    engine = Engine.load(served)
    rated = engine.catalogue.items.id(int(engine.user("u1").rated[0]))
    result = run("predict", "--user", "u1", rated)
    assert "note: this person's own rating" in result.stderr


def test_predict_needs_a_person_and_a_movie(run: Any, served: Path) -> None:
    assert run("predict", "Heat (1960)").exit_code == 2
    assert run("predict", "--user", "u1").exit_code == 2
    assert run("predict", "--user", "u1", "Heet").exit_code == 3


def test_movie_json_is_what_the_engine_says(run: Any, served: Path) -> None:
    result = run("movie", "Heat (1960)", "--format", "json")
    assert json.loads(result.stdout) == Engine.load(served).describe("100").document()


def test_movie_as_a_table(run: Any, served: Path) -> None:
    answer = json.loads(run("movie", "100", "--format", "json").stdout)
    table = run("movie", "100").stdout
    likeliest = answer["predicted_genres"][0]
    assert f"{likeliest['genre']} {likeliest['probability']:.2f}" in table
    assert f"{answer['audience']['mean']:.2f} stars" in table
    for name, weight in answer["modality_weights"].items():
        assert f"{name} {weight:.2f}" in table


def test_movie_that_is_not_there(run: Any, served: Path) -> None:
    result = run("movie", "Heet (1960)")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Heat (1960)" in result.stderr

from __future__ import annotations

import json
import platform
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from recsys.errors import DataError
from recsys.evaluation.environment import Hardware, hardware, versions
from recsys.evaluation.report import (
    EvaluationDocument,
    RatingScores,
    ResultRow,
    ResultsDocument,
    Seconds,
    SplitReference,
)

SPLIT = SplitReference(name="ro", seed=2020, fingerprint="abc")
ROWS = [
    ResultRow(
        model="joint | shared",
        seed=2020,
        rating={"rmse": 0.92345, "mae": 0.72},
        ranking={"ndcg@10": 0.3, "recall@10": 0.2499},
        seconds=Seconds(fit=12.34, score=0.5),
        n_users=943,
        parameters=1000,
    ),
    ResultRow(
        model="popularity",
        seed=None,
        ranking={"ndcg@10": 0.1},
        seconds=Seconds(fit=0, score=0.25),
        n_users=943,
    ),
]


@pytest.fixture
def document() -> ResultsDocument:
    return ResultsDocument(
        created=date(2024, 5, 6),
        versions=versions(),
        hardware=hardware(),
        dataset="d" * 64,
        split=SPLIT,
        config="c" * 64,
        rows=ROWS,
    )


def test_round_trip(document: ResultsDocument, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    document.save(path)
    assert ResultsDocument.load(path) == document
    assert [child.name for child in path.parent.iterdir()] == ["results.json"]
    raw = json.loads(path.read_text())
    assert raw["schema_version"] == 1
    assert raw["created"] == "2024-05-06"
    assert raw["rows"][1]["rating"] is None


def altered(**changes: Any) -> dict[str, Any]:
    row = json.loads(ROWS[0].model_dump_json()) | changes.pop("row", {})
    whole = {
        "schema_version": 1,
        "created": "2024-05-06",
        "versions": {},
        "hardware": {"cpu": "x", "cores": 2, "threads": 1, "memory_gib": None},
        "dataset": "d",
        "split": {"name": "u1", "seed": None, "fingerprint": "f"},
        "config": "c",
        "rows": [row],
    }
    return whole | changes


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (altered(schema_version=2), "schema_version: "),
        (altered(surprise=1), "surprise: "),
        (altered(created="yesterday"), "created: "),
        (altered(row={"ndcg": 1}), "rows.0.ndcg: "),
        (altered(row={"rating": {"rmse": float("nan")}}), "rows.0.rating.rmse: "),
        (altered(row={"n_users": -1}), "rows.0.n_users: "),
        ([], "document: "),
    ],
)
def test_another_document_is_refused(content: object, row: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(altered()))
    ResultsDocument.load(path)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"results\.json is not a results document") as caught:
        ResultsDocument.load(path)
    assert caught.value.rows[0].startswith(row)


def test_an_absent_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no results file .*gone\.json"):
        ResultsDocument.load(tmp_path / "gone.json")
    (tmp_path / "half.json").write_text('{"schema_version": 1,')
    with pytest.raises(DataError, match=r"half\.json"):
        ResultsDocument.load(tmp_path / "half.json")


def test_evaluation_document_is_what_was_promised() -> None:
    document = EvaluationDocument(
        split=SPLIT,
        rating=RatingScores(rmse=0.9, mae=0.7),
        ranking={"ndcg@10": 0.3, "recall@10": 0.2},
        genre={"macro_f1": 0.4},
        n_users=943,
        model="joint",
    )
    assert json.loads(document.model_dump_json()) == {
        "schema_version": 1,
        "split": {"name": "ro", "seed": 2020, "fingerprint": "abc"},
        "rating": {"rmse": 0.9, "mae": 0.7},
        "ranking": {"ndcg@10": 0.3, "recall@10": 0.2},
        "genre": {"macro_f1": 0.4},
        "n_users": 943,
        "model": "joint",
    }
    with pytest.raises(ValidationError, match="finite"):
        RatingScores(rmse=float("inf"), mae=0)


def test_environment_explains_a_duration_and_names_no_machine() -> None:
    found = hardware()
    assert found.cpu
    assert found.cores >= 1
    assert found.threads >= 1
    assert set(Hardware.model_fields) == {"cpu", "cores", "threads", "memory_gib"}
    assert platform.node() not in found.cpu
    assert versions()["python"] == platform.python_version()
    assert {"numpy", "recsys"} <= versions().keys()

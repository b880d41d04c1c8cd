from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recsys.evaluation.report import ResultsDocument


def test_json_is_the_evaluation_in_the_promised_order(
    run: Any, trained: Any, tiny_data: Path
) -> None:
    result = run("evaluate", "--bundle", trained.bundle, "--data", tiny_data, "--format", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert list(document) == [
        "schema_version",
        "split",
        "rating",
        "ranking",
        "genre",
        "n_users",
        "model",
        "audience",
        "uncertainty",
    ]
    assert list(document["split"]) == ["name", "seed", "fingerprint"]
    assert list(document["rating"]) == ["rmse", "mae"]
    assert {"ndcg@10", "recall@10"} <= set(document["ranking"])


def test_what_is_served_is_what_was_measured(run: Any, trained: Any, tiny_data: Path) -> None:
    args = ("evaluate", "--bundle", trained.bundle, "--data", tiny_data, "--format", "json")
    again, first = json.loads(run(*args).stdout), json.loads(trained.result.stdout)
    assert again["split"] == first["split"]
    assert again["ranking"] == pytest.approx(first["ranking"], abs=1e-6)
    assert again["rating"] == pytest.approx(first["rating"], abs=1e-6)


def test_table_has_every_figure(run: Any, trained: Any, tiny_data: Path) -> None:
    args = ("evaluate", "--bundle", trained.bundle, "--data", tiny_data)
    document = json.loads(run(*args, "--format", "json").stdout)
    table = run(*args).stdout
    for part in ("rating", "ranking", "genre", "audience"):
        for value in document[part].values():
            assert f"{value:.4f}" in table
    assert document["model"] in table
    lines = [line.rsplit(maxsplit=1) for line in table.splitlines() if line.strip()]
    shown = {line[0].strip(): line[1] for line in lines if len(line) > 1}
    for name, key in {"NLL of the levels": "level_nll", "covered by 80 % (PIT)": "pit_80"}.items():
        assert shown[name] == f"{document['uncertainty'][key]:.4f}"


def test_cold_movies_have_two_rankings(
    run: Any, tiny_data: Path, tiny_options: Any, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    args = ("train", "--data", tiny_data, "--out", tmp_path / "cold", "--split", "cold-items")
    result = run(*args, *tiny_options)
    assert result.exit_code == 0, result.output
    assert "cold movies alone" in result.stdout
    assert "all unseen movies" in result.stdout
    args = ("evaluate", "--bundle", tmp_path / "cold", "--data", tiny_data, "--format", "json")
    assert "overall" in json.loads(run(*args).stdout)


def test_baselines_stand_beside_the_model(
    run: Any, trained: Any, tiny_data: Path, tmp_path: Path
) -> None:
    bundle = shutil.copytree(trained.bundle, tmp_path / "b")
    result = run("evaluate", "--bundle", bundle, "--data", tiny_data, "--baselines")
    assert result.exit_code == 0, result.output
    report = tmp_path / "b.results.json"
    assert str(report) in result.stderr
    rows = ResultsDocument.load(report).rows
    names = [row.model for row in rows]
    assert names[1:] == ["popularity", "bias", "item-knn", "ease"]
    lines = result.stdout.splitlines()[-len(rows) :]
    for row, line in zip(rows, lines, strict=True):
        assert line.startswith(row.model)
        for figure in (row.rating or {}).get("rmse"), (row.ranking or {}).get("ndcg@10"):
            assert figure is None or f"{figure:.4f}" in line


def test_the_table_is_made_from_the_file(
    run: Any, trained: Any, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = ResultsDocument.save

    def save_altered(self: ResultsDocument, path: Path) -> None:
        row = self.rows[0].model_copy(update={"rating": {"rmse": 0.1234, "mae": 0.0}})
        saved(self.model_copy(update={"rows": [row]}), path)

    monkeypatch.setattr(ResultsDocument, "save", save_altered)
    out = tmp_path / "r.json"
    args = ("--bundle", trained.bundle, "--data", tiny_data, "--baselines", "--out", out)
    assert "0.1234" in run("evaluate", *args).stdout


def test_report_of_the_bundle_alone(
    run: Any, trained: Any, tiny_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.json"
    args = ("--bundle", trained.bundle, "--data", tiny_data, "--out", out, "--format", "json")
    result = run("evaluate", *args)
    assert json.loads(result.stdout)["model"] == ResultsDocument.load(out).rows[0].model
    assert ResultsDocument.load(out).rows[0].seconds.fit is None


def test_other_data_is_refused(run: Any, trained: Any, tiny_data: Path, tmp_path: Path) -> None:
    other = shutil.copytree(tiny_data, tmp_path / "tiny")
    with (other / "ratings.csv").open("a") as stream:
        stream.write("stranger,100,5,1\n")
    result = run("evaluate", "--bundle", trained.bundle, "--data", other)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "fingerprint" in result.stderr


def test_a_bundle_that_is_absent_or_altered(run: Any, trained: Any, tmp_path: Path) -> None:
    assert run("evaluate", "--bundle", tmp_path / "nowhere").exit_code == 4
    altered = shutil.copytree(trained.bundle, tmp_path / "altered")
    (altered / "golden.json").write_text("{}")
    result = run("evaluate", "--bundle", altered)
    assert result.exit_code == 4
    assert "golden.json" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--baselines", "--subsets"),
        ("--baselines", "--modalities", "text"),
        ("--modalities", "", "--subsets"),
        ("--baselines", "--modalities", "text", "--subsets"),
    ],
)
def test_one_kind_of_comparison_at_a_time(run: Any, tmp_path: Path, options: tuple[str]) -> None:
    """It is said before anything is opened, so that not even a bundle is needed."""
    result = run("evaluate", "--bundle", tmp_path / "nowhere", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(name in result.stderr for name in options if name.startswith("--"))
    assert "do not go together" in result.stderr

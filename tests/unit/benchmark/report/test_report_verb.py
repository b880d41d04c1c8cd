from __future__ import annotations

import pytest
from typer.testing import CliRunner

from recsys.cli.main import make_app


def test_the_report_is_written_and_its_files_are_named(bench, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    bench.add("ml-ro", "joint", 0.35, family="ours")
    out = tmp_path / "pages"
    words = ["benchmark", "report", "--results", str(bench.folder), "--out", str(out)]
    result = CliRunner().invoke(make_app(), words)
    assert result.exit_code == 0, result.output
    named = result.stdout.split()
    assert str(out / "REPORT.md") in named
    assert sorted(named) == sorted(str(path) for path in out.rglob("*.*"))


def test_without_results_it_says_what_to_do(tmp_path) -> None:
    result = CliRunner().invoke(make_app(), ["benchmark", "report", "--results", str(tmp_path)])
    assert result.exit_code == 3
    assert "recsys benchmark run" in result.output

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import recsys

_HEAVY = ("torch", "transformers", "sklearn", "recbole")


def _imported(text: str) -> set[str]:
    """Top-level names in the account that ``-X importtime`` gives."""
    lines = (line for line in text.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_recommend_imports_no_torch(run_apart: Any, served: Path) -> None:
    args = ("recommend", "--user", "u1", "--format", "json")
    done = run_apart("-X", "importtime", "-m", "recsys", *args)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["items"]
    imported = _imported(done.stderr)
    assert "faiss" in imported
    assert not imported & {*_HEAVY, "pandas"}


def test_help_imports_nothing_heavy(run_apart: Any) -> None:
    done = run_apart("-X", "importtime", "-m", "recsys", "--help")
    assert done.returncode == 0
    assert not _imported(done.stderr) & {*_HEAVY, "numpy", "pandas", "scipy", "faiss", "pydantic"}


def test_recommend_is_a_program_of_its_own(run_apart: Any, served: Path) -> None:
    program = "from recsys.cli.main import recommend_main; recommend_main()"
    done = run_apart("-c", program, "--user", "u1", "--k", 2, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["items"]) == 2
    assert run_apart("-c", program, "--help").stdout.startswith("Usage: recommend [OPTIONS]")
    unknown = run_apart("-c", program, "--user", "nobody")
    assert (unknown.returncode, unknown.stdout) == (3, "")


def test_titles_that_a_terminal_cannot_show(
    run_apart: Any, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    done = run_apart("-m", "recsys", "recommend", "--like", "Heat (1960)", "--k", 60)
    assert done.returncode == 0, done.stderr
    assert "?mega (1963)" in done.stdout


def test_version(run: Any) -> None:
    assert run("--version").stdout == f"recsys {recsys.__version__}\n"


def test_no_arguments_show_the_help(run: Any) -> None:
    assert "Commands:" in run().output

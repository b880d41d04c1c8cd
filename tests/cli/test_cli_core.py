"""The command line where the core alone is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="torch is installed"
)


def test_training_names_the_extra_it_needs(run: Any, tiny_data: Path, tmp_path: Path) -> None:
    result = run("train", "--data", tiny_data, "--out", tmp_path / "bundle")
    assert result.exit_code == 2
    assert "recsys[train]" in result.stderr
    assert not (tmp_path / "bundle").exists()


def test_the_doctor_is_content_with_the_core(run: Any) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert "recsys[train]" in result.stdout

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from documents import REPOSITORY, assert_same_text

TOUR = REPOSITORY / "docs/tour.ipynb"


def _texts(cell: Any) -> list[str]:
    """What the outputs of a cell say, pictures left out."""
    found = []
    for output in cell.get("outputs", []):
        assert output["output_type"] != "error", output
        data = output.get("data", {})
        if output.get("name") != "stderr" and "image/png" not in data:
            text = output.get("text", data.get("text/plain", ""))
            found.append(text if isinstance(text, str) else "".join(text))
    return found


@pytest.fixture(scope="module")
def stored() -> Any:
    return json.loads(TOUR.read_text(encoding="utf-8"))


def test_the_tour_is_small_and_stored_with_its_outputs(stored: Any) -> None:
    assert TOUR.stat().st_size < 300_000
    outputs = [output for cell in stored["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert len(outputs) > 10


@pytest.mark.ml100k
@pytest.mark.slow
def test_the_tour_runs_and_says_what_is_stored(
    stored: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY), prepend=":")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    executed = runpy.run_path(str(REPOSITORY / "docs/generate.py"))["executed_tour"]()
    assert len(executed.cells) == len(stored["cells"])
    for found, cell in zip(executed.cells, stored["cells"], strict=True):
        now, before = _texts(found), _texts(cell)
        assert len(now) == len(before), cell["source"]
        for one, other in zip(now, before, strict=True):
            assert_same_text(one, other)

"""What is printed is what was measured."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from recsys.benchmark.report import write_report

REPOSITORY = Path(__file__).resolve().parents[4]
BENCHMARKS = REPOSITORY / "benchmarks"
RESULTS = BENCHMARKS / "results"


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's generated files, generated anew."""
    if not any(RESULTS.glob("*/*.json")):
        pytest.skip("there are no results of the benchmark")
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    root = tmp_path_factory.mktemp("again")
    shutil.copy(REPOSITORY / "README.md", root)
    write_report(RESULTS, root / "benchmarks")
    return root


@pytest.mark.slow
def test_the_pages_are_what_the_documents_generate(again: Path) -> None:
    made = {path.relative_to(again): path.read_text("utf-8") for path in again.rglob("*.md")}
    kept = {name: (REPOSITORY / name).read_text("utf-8") for name in made}
    differing = [str(name) for name, text in made.items() if kept[name] != text]
    assert not differing, f"run 'recsys benchmark report': {differing} are not what it writes"
    there = {path.name for path in again.glob("benchmarks/*.md")}
    assert there == {path.name for path in BENCHMARKS.glob("*.md")}
    pages = {path.name for path in (BENCHMARKS / "protocols").glob("*.md")}
    assert pages == {path.name for path in (again / "benchmarks" / "protocols").glob("*.md")}


@pytest.mark.slow
def test_the_plots_are_what_the_documents_generate(again: Path) -> None:
    made = sorted((again / "benchmarks" / "plots").glob("*.svg"))
    kept = BENCHMARKS / "plots"
    assert [path.name for path in made] == sorted(path.name for path in kept.glob("*.svg"))
    drawn_by = re.search(r"Matplotlib v([\w.]+)", (kept / made[0].name).read_text("utf-8"))
    if drawn_by is None or drawn_by[1] != version("matplotlib"):
        pytest.skip("the plots were drawn by another version of matplotlib")
    differing = [path.name for path in made if _drawn(path) != _drawn(kept / path.name)]
    assert not differing, f"run 'recsys benchmark report': {differing} are not what it draws"


def _drawn(picture: Path) -> str:
    """With its names counted: they are hashes of text with numbers as NumPy prints them."""
    names: dict[str, str] = {}
    text = picture.read_text("utf-8")
    return re.sub(
        r"\b[a-z][0-9a-f]{10}\b", lambda m: names.setdefault(m[0], f"name-{len(names)}"), text
    )

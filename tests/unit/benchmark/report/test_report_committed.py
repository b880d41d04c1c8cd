"""What is printed is what was measured."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from recsys.benchmark.ablations import EVERY_PROTOCOL
from recsys.benchmark.entries import entries
from recsys.benchmark.report import write_report
from recsys.benchmark.results import read
from recsys.benchmark.runs import fingerprint_of
from recsys.benchmark.tuning import Budget

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


NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(?:e[-+]\d+)?")
FIGURES = Path(__file__).resolve().parents[3] / "golden" / "figures.json"
"""The numbers of each row of the tables, by page, heading and label, as they were when spine,
multitask and the benchmark had results and pages of their own. Where something is measured anew its
rows change here as well."""


def rows_of(text: str) -> dict[str, dict[str, str]]:
    """Heading and place of each table, to label and numbers of each of its rows."""
    found: dict[str, dict[str, str]] = {}
    counts: dict[str, int] = {}
    top = heading = ""
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if line.startswith("#"):
            title = _plain(line.lstrip("# "))
            top = title if not line.startswith("###") else top
            heading = title if not line.startswith("###") else f"{top} / {title}"
        if re.fullmatch(r"\|[\s:|-]+\|", line) and lines[place - 1].startswith("|"):
            counts[heading] = counts.get(heading, -1) + 1
            table = found.setdefault(f"{heading} [{counts[heading]}]", {})
            is_first = lines[place - 1].startswith("| protocol |")
            for row in lines[place + 1 :]:
                if not row.startswith("|"):
                    break
                cells = [_plain(c) for c in row.replace("\\|", "\0").strip()[1:-1].split("|")]
                label = " / ".join(cells[:2]) if is_first else cells[0]
                again = sum(key == label or key.startswith(f"{label} #") for key in table)
                numbers = [n.replace(",", "") for cell in cells for n in NUMBER.findall(cell)]
                table[f"{label} #{again}" if again else label] = " ".join(numbers)
    return found


def _plain(text: str) -> str:
    return text.replace("*", "").replace("`", "").strip()


def test_every_figure_is_what_it_was_before_results_and_pages_became_one_kind() -> None:
    if not BENCHMARKS.is_dir():
        pytest.skip("benchmarks are not part of an installation")
    pages = {"README.md": REPOSITORY / "README.md"}
    differing, n_rows = [], 0
    for name, tables in json.loads(FIGURES.read_text(encoding="utf-8")).items():
        page = pages.get(name, BENCHMARKS / name)
        now = rows_of(page.read_text(encoding="utf-8"))
        for heading, rows in tables.items():
            for label, numbers in rows.items():
                n_rows += 1
                # A column may have been added behind the others.
                if not f"{now.get(heading, {}).get(label)} ".startswith(f"{numbers} "):
                    differing.append(f"{name}: {heading}: {label}")
    assert n_rows > 1500
    assert not differing


def test_what_was_measured_is_not_measured_again() -> None:
    if not any(RESULTS.glob("*/*.json")):
        pytest.skip("there are no results of the benchmark")
    pytest.importorskip("torch")
    known, budget, other = entries(), Budget(), []
    for document in read(RESULTS):
        protocol = EVERY_PROTOCOL[document.protocol]
        entry = ({one.name: one for one in protocol.own} or known).get(document.name)
        if entry is not None:
            here = replace(protocol, bases=protocol.bases[:1])
            if document.fingerprint != fingerprint_of(entry, here, budget):
                other.append(f"{document.protocol} {document.name}")
    assert not other, "their settings are others than they were measured with"

"""Documents say what the results say."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


def script(name: str) -> ModuleType:
    if not BENCHMARKS.is_dir():
        pytest.skip("benchmarks are not part of an installation")
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def spine() -> ModuleType:
    return script("spine_report")


def test_the_report_is_what_the_results_generate(spine: ModuleType) -> None:
    assert spine.REPORT.read_text(encoding="utf-8") == spine.report(BENCHMARKS / "results")


def test_the_readme_carries_the_generated_table(spine: ModuleType) -> None:
    text = spine.README.read_text(encoding="utf-8")
    assert "| joint |" in text
    assert spine.with_table(text, BENCHMARKS / "results") == text


def test_what_must_be_shown_is_shown(spine: ModuleType) -> None:
    ro = [run for run in spine.load(BENCHMARKS / "results", "ro") if run.split.seed == 2020]
    assert spine.values(ro, "joint", "ranking.ndcg@10") >= 0.30
    u1 = spine.load(BENCHMARKS / "results", "u1")
    assert spine.values(u1, "joint", "rating.rmse") <= 0.93


def test_the_probes_report_is_what_its_results_generate() -> None:
    features = script("features")
    document = json.loads(features.RESULT.read_text(encoding="utf-8"))
    assert features.REPORT.read_text(encoding="utf-8") == features.report(document)


def test_what_parts_are_worth_is_what_the_results_generate(
    multitask: Callable[[str], ModuleType],
) -> None:
    report = multitask("report")
    assert report.REPORT.read_text(encoding="utf-8") == report.report(report.RESULTS)


def test_the_alignment_report_is_what_its_results_generate() -> None:
    alignment = script("alignment")
    document = json.loads(alignment.RESULT.read_text(encoding="utf-8"))
    assert alignment.REPORT.read_text(encoding="utf-8") == alignment.report(document)

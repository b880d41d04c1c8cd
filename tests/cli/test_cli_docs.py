from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "generate_cli.py"))


def test_page_is_up_to_date(generator: dict[str, Any]) -> None:
    written = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert written == generator["page"](), "run: make docs"


def test_every_verb_has_help_and_an_example(generator: dict[str, Any]) -> None:
    sections = generator["page"]().split("\n## ", 1)[1].split("```text")[1:]
    verbs = [section for section in sections if "Commands:" not in section]
    assert len(verbs) == 25
    assert all("Example: recsys " in section for section in verbs)


def test_page_does_not_depend_on_where_it_is_made(
    generator: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generator["page"]()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("RECSYS_BUNDLE", "elsewhere")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert generator["page"]() == before

"""Runs the Python in documents: every ```python block, in order, in one namespace.

What a block prints must be what the ```text block right after it shows, if there is one.
"""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from recsys import models
from recsys.recommenders import registry

REPOSITORY = Path(__file__).resolve().parents[1]

_BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d+\.\d+(?:e[+-]?\d+)?")


def run_python_of(
    document: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> dict[str, object]:
    """Run the blocks of a document in a folder of their own and compare what they print.

    What the blocks defined is returned. A model that they register is forgotten.
    """
    known = dict(registry.MODELS)
    monkeypatch.setattr(registry, "_KNOWN", known)
    monkeypatch.setattr(registry, "MODELS", known)
    monkeypatch.setattr(models, "MODELS", known)
    monkeypatch.chdir(folder)
    blocks = _BLOCK.findall(document.read_text(encoding="utf-8"))
    assert blocks, f"{document.name} holds no Python"
    namespace: dict[str, object] = {"__name__": "document"}
    for code, shown in blocks:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, document.name, "exec", dont_inherit=True), namespace)
        if shown:
            assert_same_text(printed.getvalue(), shown)
    return namespace


def assert_same_text(found: str, expected: str) -> None:
    """The same words, and numbers with decimals that differ by rounding alone."""
    template, numbers = _apart(found)
    expected_template, expected_numbers = _apart(expected)
    assert template == expected_template, f"it prints\n{found}"
    assert numbers == pytest.approx(expected_numbers, rel=2e-3, abs=1.1e-3), f"it prints\n{found}"


def _apart(text: str) -> tuple[list[str], list[float]]:
    words = _NUMBER.sub("#", text).split()
    return words, [float(number) for number in _NUMBER.findall(text)]

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name

import pytest
from documents import REPOSITORY

import recsys

PACKAGE = Path(recsys.__file__).parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or something that a module holds."""
    try:
        if find_spec(name) is not None:  # without importing it: torch may be absent
            return True
    except ModuleNotFoundError:
        pass
    try:
        return resolve_name(name) is not None
    except (ImportError, AttributeError):
        return False


def test_the_table_of_layers_names_every_package() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    missing = [name for name in packages | modules if f"`recsys.{name}`" not in text]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_that_a_document_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files = set(re.findall(r"`(recsys/[\w/.]+)`", text))
    modules = set(re.findall(r"`(recsys(?:\.\w+)+)`", text))
    gone = [name for name in files if not (PACKAGE.parent / name).exists()]
    gone += [name for name in modules if not _exists(name)]
    assert gone == []

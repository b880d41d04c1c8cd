from __future__ import annotations

import runpy

import numpy as np
import pytest
from documents import REPOSITORY

from recsys.errors import UnsupportedError
from recsys.models import MODELS, create
from recsys.queries.query import Query
from recsys.testing.worlds import two_genre_world

GENERATOR = REPOSITORY / "docs/generate.py"
SLOW = {"joint", "clcrec", "dropoutnet", "vbpr"}


def _rows(page: str) -> dict[str, dict[str, str]]:
    """The table of what each model answers, by model and column."""
    lines = page.partition("## What each answers")[2].partition("## What a fitted")[0].splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    header, _, *rows = table
    return {row[0].strip("`"): dict(zip(header, row, strict=True)) for row in rows}


def test_the_page_of_models_is_what_the_registry_generates() -> None:
    generator = runpy.run_path(str(GENERATOR))
    written = (REPOSITORY / "docs/models.md").read_text(encoding="utf-8")
    assert written == generator["models_page"](), "run: make docs"


@pytest.mark.parametrize("name", [name for name in MODELS if name not in SLOW])
def test_a_model_answers_what_the_page_says(name: str) -> None:
    row = _rows((REPOSITORY / "docs/models.md").read_text(encoding="utf-8"))[name]
    entry = MODELS[name]
    if not entry.is_available:
        pytest.skip(f"{name} needs {entry.facts.library}")
    world = two_genre_world()
    model = create(name).fit(world.data)
    view = model.view(Query.known(world.train, np.array([3], dtype=np.int32)))
    try:
        compares = len(model.similar("m1", k=3)) > 0
    except UnsupportedError:
        compares = False
    found = {
        "lists": model.ranks,
        "stars": model.predicts_ratings,
        "similar": compares,
        "reasons": view.contributions is not None,
    }
    assert {column: row[column] == "yes" for column in found} == found

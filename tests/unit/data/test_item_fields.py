from __future__ import annotations

import pytest

from recsys.data.items_spec import (
    FieldSpec,
    is_leakage_prone,
    names_labels,
    number_text,
    parse_cell,
)

PYTHON = "[{'name': \"Club d'Investissement\", 'id': 3}, {'id': 4, 'name': 'Pixar'}]"
JSON = '[{"name": "Club d\'Investissement"}, {"name": "Pixar"}, {"name": "Pixar"}]'
CREW = (
    '[{"job": "Director", "name": "A"}, {"job": "Writer", "name": "B"}, {"job": "Editor"}, '
    '{"job": "Director", "name": "C"}]'
)


@pytest.mark.parametrize(
    ("cell", "spec", "values"),
    [
        ("  ", FieldSpec(column="x"), ()),
        (" New\n Line  Cinema ", FieldSpec(column="x"), ("New Line Cinema",)),
        ("b|a||b| c ", FieldSpec(column="x", separator="|"), ("b", "a", "c")),
        ("b|a|c", FieldSpec(column="x", separator="|", limit=2), ("b", "a")),
        ("Not rated", FieldSpec(column="x", missing=("Not Rated",)), ()),
        ("R|not rated", FieldSpec(column="x", separator="|", missing=("Not Rated",)), ("R",)),
        (PYTHON, FieldSpec(column="x", names=True), ("Club d'Investissement", "Pixar")),
        (JSON, FieldSpec(column="x", names=True), ("Club d'Investissement", "Pixar")),
        ('["a", null, "b"]', FieldSpec(column="x", names=True), ("a", "b")),
        ("{'id': 1, 'name': 'A Collection'}", FieldSpec(column="x", names=True), ("A Collection",)),
        ("[]", FieldSpec(column="x", names=True), ()),
        ("None", FieldSpec(column="x", names=True), ()),
        (CREW, FieldSpec(column="x", names=True, jobs=("Director",)), ("A", "C")),
        (CREW, FieldSpec(column="x", names=True, jobs=("Director", "Writer"), limit=2), ("A", "B")),
        ("A plot.\nIts end.", FieldSpec(column="x", kind="text"), ("A plot. Its end.",)),
        (
            '["A plot.", "Its end."]',
            FieldSpec(column="x", kind="text", names=True),
            ("A plot. Its end.",),
        ),
        ("97.0", FieldSpec(column="x", kind="number"), ("97",)),
        ("0.0", FieldSpec(column="x", kind="number", missing=("0",)), ()),
        ("0", FieldSpec(column="x", kind="number"), ("0",)),
    ],
)
def test_cells_are_read_as_the_specification_says(
    cell: str, spec: FieldSpec, values: tuple[str, ...]
) -> None:
    assert parse_cell(cell, spec) == values


@pytest.mark.parametrize(
    ("cell", "spec"),
    [
        ("Pixar", FieldSpec(column="x", names=True)),
        ("[{'name':", FieldSpec(column="x", names=True)),
        ("[" * 5000, FieldSpec(column="x", names=True)),
        ("__import__('os').getcwd()", FieldSpec(column="x", names=True)),
        ('[{"title": "no name"}]', FieldSpec(column="x", names=True)),
        ("[1, 2]", FieldSpec(column="x", names=True)),
        ("97 min", FieldSpec(column="x", kind="number")),
        ("nan", FieldSpec(column="x", kind="number")),
        ("1e999", FieldSpec(column="x", kind="number")),
        ("1_000", FieldSpec(column="x", kind="number")),
        ("１２", FieldSpec(column="x", kind="number")),
    ],
)
def test_a_cell_that_is_something_else_is_refused(cell: str, spec: FieldSpec) -> None:
    with pytest.raises(ValueError, match=r"not a|neither JSON"):
        parse_cell(cell, spec)


def test_numbers_have_one_form() -> None:
    forms = [number_text(text) for text in ("81", "81.0", "+81", "8.1e1", "237000000.0", "1.50")]
    assert forms == ["81", "81", "81", "81", "237000000", "1.5"]


@pytest.mark.parametrize(
    "name", ["tmdb_genres", "Genre", "keywords", "plotKeywords", "tag", "TAGS"]
)
def test_names_of_labels(name: str) -> None:
    assert names_labels(name)


@pytest.mark.parametrize("name", ["tagline", "overview", "stage", "country", "vintage"])
def test_other_names(name: str) -> None:
    assert not names_labels(name)


@pytest.mark.parametrize(
    "name",
    ["vote_average", "voteCount", "popularity", "revenue", "imdb_rating2", "score", "awards"],
)
def test_names_of_what_only_later_years_knew(name: str) -> None:
    assert is_leakage_prone(name)


@pytest.mark.parametrize(
    "name", ["imdb_age_rating", "content_rating", "budget", "devoted", "runtime"]
)
def test_names_of_what_was_known_at_the_release(name: str) -> None:
    assert not is_leakage_prone(name)

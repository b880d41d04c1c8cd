from __future__ import annotations

import pytest

from recsys import resources
from recsys.data.recipes import load_recipe, parse_recipe, recipe_names
from recsys.errors import ConfigError, UnknownIdError

GOOD = """
name: toy
title: Toy
format: ml-1m
scale: {low: 1, high: 5}
licence: none
citation: none
"""


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_whole_and_has_a_data_card(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.doi.startswith("10.1145/")
    card = resources.read_text("datasets", name, "README.md")
    assert card.startswith("# ")
    for part in (recipe.doi, "Licence"):
        assert part in card


@pytest.mark.parametrize("name", sorted(set(recipe_names()) - {"mmtf-14k"}))
def test_what_can_be_downloaded_says_how(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.archive is not None
    assert recipe.archive.filename == f"{name}.zip"
    assert f"recsys data fetch {name}" in resources.read_text("datasets", name, "README.md")


def test_the_data_sets_of_the_documentation_are_there() -> None:
    assert set(recipe_names()) >= {"ml-100k", "ml-1m", "ml-latest-small", "ml-25m"}
    assert load_recipe("ml-100k").facts == "freebase"
    assert load_recipe("ml-25m").rating_scale.low == 0.5


def test_an_unknown_name_gets_the_nearest_ones() -> None:
    with pytest.raises(UnknownIdError, match="unknown data set 'ml-100'") as refused:
        load_recipe("ml-100")
    assert "ml-100k" in refused.value.nearest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("licens: x", r"toy\.yaml: licens: Extra(.|\n)*did you mean licence"),
        ("format: ml-10m", r"toy\.yaml: format"),
        ("format: table", r"'table' names files and columns"),
        ("archive: {url: 'http://x/y.zip', checksum: 'md5:12', folder: y}", r"archive\.checksum"),
        ("archive: {url: 'file:///y.zip', folder: y}", r"archive\.url"),
        ("[", r"toy\.yaml is not YAML"),
    ],
)
def test_a_wrong_recipe_is_refused_by_file_and_key(change: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_recipe(GOOD + change, "toy.yaml")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ConfigError, match=r"toy\.yaml: licence: Field required"):
        parse_recipe(GOOD.replace("licence: none\n", ""), "toy.yaml")


def test_a_text_that_is_not_there_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no datasets/ml-100/recipe\.yaml") as refused:
        resources.read_text("datasets", "ml-100", "recipe.yaml")
    assert "ml-100k" in str(refused.value)

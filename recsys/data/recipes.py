"""Recipes: where a data set comes from, how it is laid out, and on what terms it may be used."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from recsys import resources
from recsys.data.interactions import RatingScale
from recsys.data.readers.table import TableFiles
from recsys.documents import Document
from recsys.errors import ConfigError, UnknownIdError, did_you_mean, nearest

FormatName = Literal["ml-100k", "ml-1m", "movielens-csv", "recbole", "table"]


class Archive(Document):
    """A zip file to download.

    Attributes:
        url: where it is.
        checksum: ``md5:…`` or ``sha256:…`` of its bytes.
        folder: the folder inside it that holds the data.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    checksum: Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")]
    folder: str

    @property
    def filename(self) -> str:
        """The last part of the url."""
        return self.url.rsplit("/", 1)[-1]


class RecipeScale(Document):
    """The interval of the ratings."""

    low: float
    high: float


class Recipe(Document):
    """All that is needed to get and to read one data set.

    Attributes:
        name: as it is called on the command line.
        title: as it is called in a text.
        homepage: where people read about it.
        format: how its files are laid out.
        scale: the interval of its ratings.
        licence: the terms of use, in a sentence or two.
        citation: what to cite.
        doi: of that publication.
        archive: what to download; None for data that are already there.
        ids: table beside the recipe that gives its movies' ids elsewhere; None if there is none.
        facts: where more is known about its movies; needs ``ids``.
        movielens_ids: its item ids are themselves those that MovieLens 1M and all later MovieLens
            data sets share.
        table: names of files and columns, for the format "table".
    """

    name: str
    title: str
    homepage: str = ""
    format: FormatName
    scale: RecipeScale
    licence: str
    citation: str
    doi: str = ""
    archive: Archive | None = None
    ids: str | None = None
    facts: Literal["freebase"] | None = None
    movielens_ids: bool = False
    table: TableFiles | None = None

    @model_validator(mode="after")
    def _table_if_needed(self) -> Self:
        if (self.table is None) == (self.format == "table"):
            raise ValueError("'table' names files and columns for the format 'table' and no other")
        return self

    @property
    def rating_scale(self) -> RatingScale:
        """The interval of the ratings."""
        return RatingScale(self.scale.low, self.scale.high)


def recipe_names() -> list[str]:
    """The data sets there is a recipe for."""
    return resources.names("datasets")


def load_recipe(name: str) -> Recipe:
    """The recipe of one data set.

    Raises:
        UnknownIdError: there is none of that name.
        ConfigError: it is not valid.
    """
    if name not in recipe_names():
        raise UnknownIdError("data set", name, nearest(name, recipe_names()) or recipe_names())
    text = resources.read_text("datasets", name, "recipe.yaml")
    return parse_recipe(text, f"datasets/{name}/recipe.yaml")


def parse_recipe(text: str, source: str) -> Recipe:
    """A recipe from its YAML text.

    Raises:
        ConfigError: naming ``source``, the key and, for an unknown one, the nearest that is known.
    """
    try:
        return Recipe.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{source}: {key or 'recipe'}: {first['msg']}",
            hint="" if key in Recipe.model_fields else did_you_mean(key, Recipe.model_fields),
        ) from error

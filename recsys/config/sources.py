"""Where facts, files and vectors of movies come from, beside the data set itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from recsys.config.imports import ImportConfig
from recsys.config.modalities import MODALITIES, ByModality
from recsys.config.section import Section
from recsys.data.items_spec import FieldKind, FieldSpec, ItemKey, ItemsTable, preset
from recsys.data.rawtable import Encoding
from recsys.data.tmdb.settings import TmdbSettings

_OURS = {"path", "preset", "genres", "fields", "drop"}
"""What a table in a configuration says otherwise than ``ItemsTable``."""


class FieldConfig(Section):
    """Where one fact stands in a table; see ``FieldSpec``, of which these are the attributes."""

    column: str
    kind: FieldKind = "token"
    separator: str | None = Field(default=None, min_length=1)
    names: bool = False
    jobs: tuple[str, ...] = ()
    limit: int | None = Field(default=None, ge=1)
    missing: tuple[str, ...] = ()

    def spec(self) -> FieldSpec:
        """The specification that readers of tables take."""
        return FieldSpec(**self.model_dump())


class ItemsTableConfig(Section):
    """A table with one row a movie; see ``ItemsTable``.

    Attributes:
        path: the file, or the folder of a published one.
        preset: name of a published table; what else is given here takes its part's place, and
            ``fields`` are added to its own.
        fields: fact to its column, or to where it stands in full.
        drop: facts of the preset that are not wanted.
    """

    path: Path
    preset: str | None = None
    id_column: str | None = None
    key: ItemKey | None = None
    title: str | None = None
    year: str | None = None
    other_titles: tuple[str, ...] | None = None
    genres: FieldConfig | None = None
    existing: Literal["replace", "fill"] | None = None
    oracles: bool | None = None
    encoding: Encoding | None = None
    fields: dict[str, FieldConfig | str] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self.table(self.path)
        return self

    def table(self, path: Path) -> ItemsTable:
        """The table, its file found at ``path``.

        Raises:
            ConfigError: there is no such preset, a fact names genres, or movies cannot be found.
        """
        given: dict[str, Any] = self.model_dump(exclude=_OURS, exclude_none=True)
        given |= {"genres": self.genres.spec()} if self.genres else {}
        own = {
            name: FieldSpec(field) if isinstance(field, str) else field.spec()
            for name, field in self.fields.items()
        }
        if self.preset is None:
            return ItemsTable(path, fields=own, **given)
        base = preset(self.preset, path)
        kept = {name: spec for name, spec in base.fields.items() if name not in self.drop}
        return replace(base, fields=kept | own, **given)


class TmdbConfig(Section):
    """How The Movie Database is asked; see ``TmdbSettings``. The key is never configured here."""

    language: str = Field(default="en-US", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    rate: float = Field(default=20.0, gt=0, le=40)
    attempts: int = Field(default=5, ge=1, le=20)
    timeout: float = Field(default=20.0, gt=0)
    folder: Path | None = None

    def settings(self) -> TmdbSettings:
        """The settings that the client takes."""
        return TmdbSettings(**self.model_dump(exclude={"folder"}))


class FolderConfig(Section):
    """A folder of files named after movies, such as ``42.jpg``.

    Attributes:
        path: the folder.
        key: what the names are: ids of the data set, or of the later MovieLens data sets.
    """

    path: Path
    key: Literal["item", "film"] = "item"


class JobsConfig(Section):
    """How files are encoded; nothing here changes a vector.

    Attributes:
        workers: processes; one a core unless given.
        timeout_s: seconds after which a file is given up.
        rehash: read every file again instead of trusting its size and times.
        retry_failed: try files again that an earlier run could not encode.
    """

    workers: PositiveInt | None = None
    timeout_s: PositiveFloat = 120.0
    rehash: bool = False
    retry_failed: bool = False


def _usable_name(name: str) -> str:
    """Weights are kept under the names of their modalities, where a dot or a slash is a level."""
    if not name or {".", "/"} & set(name):
        raise ValueError("the name of a modality holds no '.' and no '/', and is not empty")
    return name


ModalityName = Annotated[str, AfterValidator(_usable_name)]


class SourcesConfig(ByModality):
    """Sources beside the data set's own, in the order in which they are read.

    And a folder for everything that a modality is encoded from: ``posters``, ``trailers``.

    Attributes:
        items: tables of movies.
        links: a file like MovieLens' ``links.csv``, for tables whose key is an id elsewhere; by
            default the ids of the data set's recipe.
        tmdb: what was fetched from The Movie Database, or None.
        features: name of a modality to vectors that were made elsewhere.
        jobs: how files are encoded.
    """

    items: tuple[ItemsTableConfig, ...] = ()
    links: Path | None = None
    tmdb: TmdbConfig | None = None
    features: dict[ModalityName, ImportConfig] = Field(default_factory=dict)
    jobs: JobsConfig = JobsConfig()

    @classmethod
    def further(cls) -> dict[str, Any]:
        """A folder, or None, for each kind of file that a modality reads."""
        return {
            row.files.folder: (FolderConfig | None, None)
            for row in MODALITIES.values()
            if row.files
        }

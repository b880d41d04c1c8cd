"""Where facts, files and vectors of movies come from, beside the data set itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt

from recsys.config.imports import ImportConfig
from recsys.config.modalities import MODALITIES, ByModality
from recsys.config.section import Section
from recsys.data.items_spec import ItemsTable
from recsys.data.tmdb.settings import TmdbSettings


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

    items: tuple[ItemsTable, ...] = ()
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

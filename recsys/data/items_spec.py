"""What a table of movies looks like, and which of its columns become facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from recsys.data.field_names import is_oracle, names_labels
from recsys.data.item_fields import FieldSpec
from recsys.data.textfile import Encoding
from recsys.errors import ConfigError

ItemKey = Literal["item", "film", "imdb", "tmdb", "title"]
"""What names a movie in a table: its id in the catalogue, its film id, its id at IMDb or TMDB, or
its title and year."""


@dataclass(frozen=True)
class ItemsTable:
    """A table with one row a movie.

    Attributes:
        path: a ``.csv``, ``.tsv`` or ``.parquet`` file.
        fields: fact to where it stands.
        id_column: names the movie; None only where ``key`` is "title".
        key: what stands in that column.
        title: column of titles, for movies whose title is unknown, and for the key "title".
        year: column of years or dates, likewise.
        other_titles: columns of original or alternative titles, for the key "title".
        genres: where genres stand; they become labels of a catalogue that has none.
        existing: whether a fact the catalogue has already is replaced for all movies, or kept and
            added to movies without. Two sources may name the same person in two ways.
        oracles: whether fields that tell how a movie was received are loaded, or left out.
        encoding: of a text file.

    Raises:
        ConfigError: a fact names genres, or there is nothing to find movies by.
    """

    path: Path
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    id_column: str | None = None
    key: ItemKey = "item"
    title: str | None = None
    year: str | None = None
    other_titles: tuple[str, ...] = ()
    genres: FieldSpec | None = None
    existing: Literal["replace", "fill"] = "replace"
    oracles: bool = False
    encoding: Encoding = "utf-8"

    def __post_init__(self) -> None:
        for name, spec in self.fields.items():
            if names_labels(name) or names_labels(spec.column):
                raise ConfigError(
                    f"fact {name!r} of {self.path} names genres, which are labels, never facts",
                    hint="give a column of genres as 'genres'; leave keywords and tags out",
                )
        if (self.title if self.key == "title" else self.id_column) is None:
            missing = "title" if self.key == "title" else "id_column"
            raise ConfigError(f"{self.path}: movies are found by {self.key}: give its {missing}")

    @property
    def loaded(self) -> dict[str, FieldSpec]:
        """The fields that are loaded."""
        return {n: s for n, s in self.fields.items() if self.oracles or not is_reception(n, s)}

    @property
    def left_out(self) -> tuple[str, ...]:
        """The fields that are not."""
        return tuple(name for name in self.fields if name not in self.loaded)

    @property
    def columns(self) -> list[str]:
        """The columns that are read."""
        specs = [*self.loaded.values(), *([self.genres] if self.genres else [])]
        named = [
            self.id_column,
            self.title,
            self.year,
            *self.other_titles,
            *(spec.column for spec in specs),
        ]
        return [name for name in named if name is not None]


def is_reception(name: str, spec: FieldSpec) -> bool:
    """Whether a fact tells how a movie was received, by its own name or its column's."""
    return is_oracle(name) or is_oracle(spec.column)

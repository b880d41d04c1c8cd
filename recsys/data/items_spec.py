"""What a table of movies looks like, which of its columns become facts, and how cells are read."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, TypeAdapter, model_validator

from recsys.data.rawtable import Encoding
from recsys.documents import Document
from recsys.errors import ConfigError, nearest
from recsys.resources import read_text

_LABELS = frozenset({"keyword", "keywords", "tag", "tags"})
_RECEPTION = frozenset(
    {"vote", "votes", "popularity", "revenue", "gross", "award", "awards", "metascore"}
)
_SCORES = frozenset({"rating", "ratings", "score", "scores"})
_ABOUT_AGE = frozenset({"age", "content", "mpaa"})


def names_labels(name: str) -> bool:
    """Whether a field names genres, which are what a model learns to predict."""
    return "genre" in name.casefold() or bool(_words(name) & _LABELS)


def is_leakage_prone(name: str) -> bool:
    """Whether a field tells how a movie was received, as only later years could know.

    An age rating does not: it is given before the release.
    """
    words = _words(name)
    return bool(words & _RECEPTION) or (bool(words & _SCORES) and not words & _ABOUT_AGE)


def _words(name: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


FieldKind = Literal["token", "text", "number"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class FieldSpec(Document):
    """Where one fact stands in a table, and how its cells are read; a column's name says enough.

    Attributes:
        column: the column it stands in.
        kind: "token" for values that movies share, "text" for words, one string a movie, "number"
            for a quantity, kept as the text of that number.
        separator: what stands between several values; None when a cell holds one.
        names: a cell holds a JSON or Python list, of names or of objects with a ``name``, or a
            single such object.
        jobs: of the objects of such a list, only those with one of these as ``job``.
        limit: how many values are kept, the first ones.
        missing: values that say nothing, whatever their case: ``0`` for a budget, ``N/A``.
    """

    column: str
    kind: FieldKind = "token"
    separator: str | None = Field(default=None, min_length=1)
    names: bool = False
    jobs: tuple[str, ...] = ()
    limit: int | None = Field(default=None, ge=1)
    missing: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _column_alone(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given


def parse_cell(cell: str, spec: FieldSpec) -> tuple[str, ...]:
    """The values of a cell, each once, in their order; () when it says nothing.

    Raises:
        ValueError: the cell is not what the specification says.
    """
    nothing = {"", *(value.casefold() for value in spec.missing)}
    if cell.strip().casefold() in nothing:
        return ()
    values = [" ".join(value.split()) for value in _split(cell, spec)]
    if spec.kind == "text":
        values = [" ".join(value for value in values if value)]
    elif spec.kind == "number":
        values = [number_text(value) for value in values if value]
    kept = dict.fromkeys(value for value in values if value.casefold() not in nothing)
    return tuple(kept)[: spec.limit]


def _split(cell: str, spec: FieldSpec) -> list[str]:
    if spec.names:
        return _names(_literal(cell), spec.jobs)
    return [cell] if spec.separator is None else cell.split(spec.separator)


def number_text(text: str) -> str:
    """A number in its shortest form: ``97.0`` as ``97``.

    Raises:
        ValueError: it is none, or not a finite one.
    """
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError("not a number")
    return str(int(value)) if value.is_integer() else repr(value)


def _literal(cell: str) -> Any:
    """Published tables hold JSON, or lists as Python prints them."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(cell)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    raise ValueError("neither JSON nor a Python literal")


def _names(value: Any, jobs: tuple[str, ...]) -> list[str]:
    if value is None:
        return []
    parts = value if isinstance(value, list | tuple) else [value]
    if not jobs:
        return [_name(part) for part in parts if part is not None]
    return [_name(part) for part in parts if isinstance(part, dict) and part.get("job") in jobs]


def _name(part: Any) -> str:
    name = part.get("name") if isinstance(part, dict) else part
    if not isinstance(name, str):
        raise ValueError("not a list of names")
    return name


ItemKey = Literal["item", "film", "imdb", "tmdb", "title"]
"""What names a movie in a table: its id in the catalogue, its film id, its id at IMDb or TMDB, or
its title and year."""


class ItemsTable(Document):
    """A table with one row a movie.

    Attributes:
        path: a ``.csv``, ``.tsv`` or ``.parquet`` file, or the folder of a published one.
        preset: name of a published table; what else is given takes its part's place, and
            ``fields`` are added to its own.
        fields: fact to where it stands.
        drop: facts of the preset that are not wanted.
        id_column: names the movie; None only where ``key`` is "title".
        key: what stands in that column.
        title: column of titles, for movies whose title is unknown, and for the key "title".
        year: column of years or dates, likewise.
        other_titles: columns of original or alternative titles, for the key "title".
        genres: where genres stand; they become labels of a catalogue that has none.
        existing: whether a fact the catalogue has already is replaced for all movies, or kept and
            added to movies without. Two sources may name the same person in two ways.
        leakage_prone: whether fields that tell how a movie was received later are loaded, or left
            out.
        encoding: of a text file.

    Raises:
        ConfigError: there is no such preset, a fact names genres, or there is nothing to find
            movies by.
    """

    path: Path
    preset: str | None = None
    fields: dict[str, FieldSpec] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()
    id_column: str | None = None
    key: ItemKey = "item"
    title: str | None = None
    year: str | None = None
    other_titles: tuple[str, ...] = ()
    genres: FieldSpec | None = None
    existing: Literal["replace", "fill"] = "replace"
    leakage_prone: bool = False
    encoding: Encoding = "utf-8"

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        """Spell out what a preset says; None says nothing."""
        if not isinstance(given, dict):
            return given
        said = {"fields": {}, "drop": ()} | {k: v for k, v in given.items() if v is not None}
        fields, drop = said["fields"], said["drop"]
        if "preset" not in said or not (
            isinstance(fields, dict) and isinstance(drop, list | tuple)
        ):
            return said
        base = _published(str(said["preset"]))
        kept = {name: spec for name, spec in base.fields.items() if name not in drop}
        return {**dict(base), **said, "fields": kept | fields}

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for name, spec in self.fields.items():
            if names_labels(name) or names_labels(spec.column):
                raise ConfigError(
                    f"fact {name!r} of {self.path} names genres, which are labels, never facts",
                    hint="give a column of genres as 'genres'; leave keywords and tags out",
                )
        if (self.title if self.key == "title" else self.id_column) is None:
            missing = "title" if self.key == "title" else "id_column"
            raise ConfigError(f"{self.path}: movies are found by {self.key}: give its {missing}")
        return self

    @property
    def file(self) -> Path:
        """The file, where the path is the folder of a published one."""
        is_folder = self.preset is not None and self.path.is_dir()
        return self.path / _published(str(self.preset)).path if is_folder else self.path

    @property
    def loaded(self) -> dict[str, FieldSpec]:
        """The fields that are loaded."""
        if self.leakage_prone:
            return dict(self.fields)
        return {n: s for n, s in self.fields.items() if n not in self.known_later}

    @property
    def left_out(self) -> tuple[str, ...]:
        """The fields that are not."""
        return () if self.leakage_prone else self.known_later

    @property
    def known_later(self) -> tuple[str, ...]:
        """The leakage-prone fields, by their own names or their columns'."""
        told = {name: (name, spec.column) for name, spec in self.fields.items()}
        return tuple(name for name, names in told.items() if any(map(is_leakage_prone, names)))

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


@cache
def presets() -> Mapping[str, ItemsTable]:
    """The tables that others have published, by name; each path is the name of the file."""
    given = yaml.safe_load(read_text("datasets", "tables", "presets.yaml"))
    named = {name: table for name, table in given.items() if not name.startswith(".")}
    return TypeAdapter(dict[str, ItemsTable]).validate_python(named)


def _published(name: str) -> ItemsTable:
    known = presets()
    if name not in known:
        close = nearest(name, known)
        raise ConfigError(
            f"there is no preset {name!r} for a table of movies",
            hint=f"did you mean: {', '.join(close)}?" if close else f"see {', '.join(known)}",
        )
    return known[name]

"""Tables of movies that others have published, described as one describes one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from recsys.data.items_spec import FieldSpec, ItemsTable
from recsys.errors import ConfigError, nearest

_BAR = "|"
_ACTORS = 10
# What people write at TMDB into a field that must not be empty.
_NO_TEXT = ("no overview", "no overview found", "no overview found.", "no overview yet.", "n/a")


def _text(column: str) -> FieldSpec:
    return FieldSpec(column, "text", missing=_NO_TEXT)


def _several(column: str, limit: int | None = None) -> FieldSpec:
    return FieldSpec(column, separator=_BAR, limit=limit)


def _names(column: str, *jobs: str, limit: int | None = None) -> FieldSpec:
    return FieldSpec(column, names=True, jobs=jobs, limit=limit)


def _quantity(column: str) -> FieldSpec:
    return FieldSpec(column, "number", missing=("0",))


_RECEPTION = {
    name: FieldSpec(name, "number") for name in ("vote_average", "vote_count", "popularity")
} | {"revenue": _quantity("revenue")}

_TMDB_PLAIN = {
    "overview": _text("overview"),
    "tagline": _text("tagline"),
    "language": FieldSpec("original_language"),
    "runtime": _quantity("runtime"),
    "budget": _quantity("budget"),
}

_TMDB_LISTS = {
    "company": _names("production_companies"),
    "country": _names("production_countries"),
}

_CREDITS = {
    "actor": _names("cast", limit=_ACTORS),
    "director": _names("crew", "Director"),
    "writer": _names("crew", "Screenplay", "Writer"),
    "producer": _names("crew", "Producer"),
    "cinematographer": _names("crew", "Director of Photography"),
}

PRESETS: Mapping[str, ItemsTable] = {
    "ml-100k-multimodal": ItemsTable(
        Path("items.parquet"),
        id_column="item_id",
        fields={
            "overview": _text("overview"),
            "tagline": _text("tagline"),
            "imdb_plot": _text("imdb_plot"),
            "imdb_summary_long": _text("imdb_summary_long"),
            "wiki_extract": _text("wiki_extract"),
            "actor": _several("cast_any", _ACTORS),
            "director": _several("director_any"),
            "writer": _several("imdb_writer"),
            "company": _several("companies"),
            "country": _several("countries"),
            "language": FieldSpec("original_language"),
            "collection": FieldSpec("collection"),
            "content_rating": FieldSpec("imdb_age_rating", missing=("Not Rated", "Unrated")),
            "runtime": _quantity("runtime"),
            "budget": _quantity("budget"),
            **_RECEPTION,
            "imdb_rating": FieldSpec("imdb_rating", "number"),
        },
    ),
    "mmtf-14k": ItemsTable(
        Path("items.parquet"),
        id_column="movieId",
        key="film",
        title="title",
        genres=_several("genres"),
        fields={
            "overview": _text("overview"),
            "tagline": _text("tagline"),
            "wiki_extract": _text("wiki_extract"),
            "actor": _several("cast", _ACTORS),
            "director": _several("director"),
            "company": _several("companies"),
            "runtime": _quantity("runtime"),
            "budget": _quantity("budget"),
            **_RECEPTION,
        },
    ),
    "the-movies-dataset": ItemsTable(
        Path("movies_metadata.csv"),
        id_column="id",
        key="tmdb",
        title="title",
        year="release_date",
        other_titles=("original_title",),
        genres=_names("genres"),
        fields={
            **_TMDB_PLAIN,
            **_TMDB_LISTS,
            "collection": _names("belongs_to_collection"),
            **_RECEPTION,
        },
    ),
    "the-movies-dataset-credits": ItemsTable(
        Path("credits.csv"), id_column="id", key="tmdb", fields=_CREDITS
    ),
    "the-movies-dataset-top-credits": ItemsTable(
        Path("credits_top3_cast_director.csv"),
        id_column="id",
        key="tmdb",
        fields={
            "actor": FieldSpec("top_cast", separator=", "),
            "director": FieldSpec("director", separator=", "),
        },
    ),
    "tmdb-5000": ItemsTable(
        Path("tmdb_5000_movies.csv"),
        id_column="id",
        key="tmdb",
        title="title",
        year="release_date",
        other_titles=("original_title",),
        genres=_names("genres"),
        fields={**_TMDB_PLAIN, **_TMDB_LISTS, **_RECEPTION},
    ),
    "tmdb-5000-credits": ItemsTable(
        Path("tmdb_5000_credits.csv"), id_column="movie_id", key="tmdb", fields=_CREDITS
    ),
    "tmdb": ItemsTable(
        Path("tmdb"),
        id_column="id",
        key="tmdb",
        title="title",
        year="release_date",
        other_titles=("original_title",),
        genres=_names("genres"),
        fields={
            **_TMDB_PLAIN,
            **_TMDB_LISTS,
            "collection": _names("belongs_to_collection"),
            "content_rating": FieldSpec("certification"),
            **_CREDITS,
            **_RECEPTION,
        },
    ),
}
"""Name to table. Each path is the name of the published file; "tmdb" reads none: it says what
becomes of the answers of TMDB's own interface."""


def preset(name: str, path: Path | None = None) -> ItemsTable:
    """A published table.

    Args:
        name: one of ``PRESETS``.
        path: the file, or the folder it lies in; the working directory by default.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in PRESETS:
        close = nearest(name, PRESETS)
        raise ConfigError(
            f"there is no preset {name!r} for a table of movies",
            hint=f"did you mean: {', '.join(close)}?" if close else f"see {', '.join(PRESETS)}",
        )
    table = PRESETS[name]
    if path is None:
        return table
    return replace(table, path=path / table.path if path.is_dir() else path)

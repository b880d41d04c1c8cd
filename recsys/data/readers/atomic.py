"""RecBole's atomic files: tab-separated, with typed headers such as ``genre:token_seq``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from recsys.data.dataset import Dataset, Reading, assemble
from recsys.data.movies import Movie, movies_of
from recsys.data.rawtable import Layout, RawTable, read_delimited, require_columns
from recsys.errors import DataError

_LAYOUT = Layout("\t")
_INTER = {"user": "user_id", "item": "item_id", "rating": "rating"}
_TIME = "timestamp"
_ITEM = (
    *(("item_id",), ("movie_title", "title"), ("release_year", "year")),
    ("class", "genre", "genres"),
)


_TYPES: dict[str, Callable[[str], Any]] = {
    "token": str,
    "token_seq": lambda text: tuple(text.split()),
    "float": float,
    "float_seq": lambda text: tuple(map(float, text.split())),
}


def recognise(folder: Path) -> str | None:
    """The stem of the one ``.inter`` file of the folder."""
    found = sorted(folder.glob("*.inter"))
    return found[0].stem if len(found) == 1 else None


def read(folder: Path, reading: Reading) -> Dataset:
    """Read ``X.inter`` and, if it is there, ``X.item``.

    Raises:
        DataError: a file cannot be used as it is.
    """
    stem = recognise(folder) or reading.name
    raw, _ = _typed(folder / f"{stem}.inter")
    columns = _INTER | ({"time": _TIME} if _TIME in raw.columns else {})
    path = folder / f"{stem}.item"
    movies = read_movies(path) if path.is_file() else []
    return assemble(raw.select(columns), movies, path, reading)


def read_movies(path: Path) -> list[Movie]:
    """The lines of an ``.item`` file; titles keep their spaces, genres are split at them."""
    raw, _ = _typed(path)
    require_columns(path, raw.columns, ["item_id"])
    found = (next((n for n in names if n in raw.columns), None) for names in _ITEM)
    return movies_of(raw.strict(), tuple(found), None)


def read_atomic(path: Path) -> dict[str, list[Any]]:
    """The columns of any atomic file, each value of the type its header names.

    Returns:
        Name without type to values: str, float, or a tuple of either.

    Raises:
        DataError: a header has no known type, or a line cannot be read.
    """
    raw, types = _typed(path)
    columns = raw.strict()
    return {name: _convert(raw, name, columns[name], types[name]) for name in raw.columns}


def _typed(path: Path) -> tuple[RawTable, dict[str, str]]:
    raw = read_delimited(path, _LAYOUT)
    parts = [header.rpartition(":") for header in raw.columns]
    bad = [
        f"column {name + colon + kind!r}"
        for name, colon, kind in parts
        if not name or kind not in _TYPES
    ]
    if bad:
        raise DataError(
            f"{path}: {len(bad)} headers are not of the form name:type",
            rows=bad,
            hint=f"the types are {', '.join(_TYPES)}",
        )
    names = {name: f"{name}:{kind}" for name, _, kind in parts}
    return raw.select(names), {name: kind for name, _, kind in parts}


def _convert(raw: RawTable, name: str, texts: list[str], kind: str) -> list[Any]:
    convert = _TYPES[kind]
    try:
        return [convert(text) for text in texts]
    except ValueError as error:
        raise DataError(f"{raw.path}: column {name!r} is not all {kind}: {error}") from error

"""How a movie is named in an answer."""

from __future__ import annotations

from typing import Any

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue


def name_of(catalogue: Catalogue, row: int) -> dict[str, Any]:
    """Id, title and year."""
    id_, year = catalogue.items.id(row), int(catalogue.years[row])
    return {
        "item": id_,
        "title": catalogue.titles[row] or f"movie {id_}",
        "year": None if year == UNKNOWN_YEAR else year,
    }


def facts_of(catalogue: Catalogue, row: int) -> dict[str, Any]:
    """Id, title, year and genres."""
    return {**name_of(catalogue, row), "genres": catalogue.genres_of(row)}


def shortage(k: int, available: int) -> list[str]:
    """A note where fewer movies are left than were asked for."""
    if available >= k:
        return []
    movies = {0: "no movie is", 1: "only 1 movie is"}.get(available, f"only {available} movies are")
    return [f"{movies} left, {k} were asked for"]

"""How movies are named in answers.

Legend: I movies.
"""

from __future__ import annotations

from typing import Any

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue


class MovieFacts(dict[int, dict[str, Any]]):
    """Id, title, year and genres of every movie by its row, made when first asked for.

    Args:
        catalogue: the movies.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __missing__(self, row: int) -> dict[str, Any]:
        """The facts of one movie."""
        catalogue = self._catalogue
        id_, year = catalogue.items.id(row), int(catalogue.years[row])
        self[row] = {
            "item": id_,
            "title": catalogue.titles[row] or f"movie {id_}",
            "year": None if year == UNKNOWN_YEAR else year,
            "genres": catalogue.genres_of(row),
        }
        return self[row]

    def name(self, row: int) -> dict[str, Any]:
        """Id, title and year."""
        facts = self[row]
        return {key: facts[key] for key in ("item", "title", "year")}


class MovieLabels(dict[int, tuple[str, str]]):
    """Id and title with year of every movie by its row, made when first asked for.

    Args:
        catalogue: the movies.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __missing__(self, row: int) -> tuple[str, str]:
        """The label of one movie."""
        self[row] = self._catalogue.items.id(row), self._catalogue.display_title(row)
        return self[row]


def shortage(k: int, available: int) -> list[str]:
    """A note where fewer movies are left than were asked for."""
    if available >= k:
        return []
    movies = {0: "no movie is", 1: "only 1 movie is"}.get(available, f"only {available} movies are")
    return [f"{movies} left, {k} were asked for"]

"""Which file belongs to which movie."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.data.catalogue import Catalogue
from recsys.errors import DataError


@dataclass(frozen=True)
class FileJob:
    """A movie and its file.

    Attributes:
        item_id: external id of the movie.
        row: its row in the catalogue.
        path: the file; None where there is none.
    """

    item_id: str
    row: int
    path: Path | None


def find_files(folder: Path, ids: Iterable[str], suffixes: Sequence[str]) -> list[Path | None]:
    """The file named after each id, such as ``42.jpg``, None where there is none.

    The folder is listed once. Of several files of one id the earliest suffix wins.

    Args:
        folder: where the files lie, not in folders below it.
        ids: names without suffix; an empty one has no file.
        suffixes: such as ``.jpg``, in any case, the preferred first.

    Raises:
        DataError: there is no such folder, or it cannot be listed.
    """
    rank = {suffix.casefold(): order for order, suffix in enumerate(suffixes)}
    best: dict[str, tuple[int, str]] = {}
    for name in _names(folder):
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a Path a name is slow for many
        order = rank.get(suffix.casefold())
        if order is not None:
            best[stem] = min(best.get(stem, (order, name)), (order, name))
    return [folder / best[id_][1] if id_ and id_ in best else None for id_ in ids]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names alone are wanted
    except OSError as error:
        raise DataError(
            f"the files of a folder cannot be listed: {error}", hint="name a folder that exists"
        ) from error


def file_jobs(
    catalogue: Catalogue, folder: Path, suffixes: Sequence[str], ids: Sequence[str] | None = None
) -> list[FileJob]:
    """One job a movie.

    Args:
        catalogue: the movies.
        folder: where the files lie.
        suffixes: those that count, the preferred first.
        ids: what the files are called, one a movie, such as ``catalogue.film_ids``; the movies' own
            ids unless given.

    Raises:
        DataError: there is no such folder, or there is not one id a movie.
    """
    names = catalogue.items.ids if ids is None else ids
    if len(names) != len(catalogue):
        raise DataError(f"{len(names)} names of files for {len(catalogue)} movies")
    found = find_files(folder, names, suffixes)
    pairs = zip(catalogue.items.ids, found, strict=True)
    return [FileJob(item_id, row, path) for row, (item_id, path) in enumerate(pairs)]

"""Where a data set is found, and opening it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from recsys.data.bad_rows import OnBadRow
from recsys.data.dataset import Dataset, Reading
from recsys.data.facts import Crosswalk, freebase, recbole_data, with_facts, with_film_ids
from recsys.data.files import cache_folder
from recsys.data.interactions import RatingScale
from recsys.data.readers import atomic, table
from recsys.data.readers.grouplens import ML_1M, ML_100K
from recsys.data.recipes import FormatName, Recipe, load_recipe, parse_recipe, recipe_names
from recsys.errors import ConfigError, DataError
from recsys.resources import read_text

DEFAULT_NAME = "ml-100k"
LOCAL_RECIPE = "recipe.yaml"


class DataFormat(NamedTuple):
    """One way in which files hold ratings and movies.

    Attributes:
        recognise: the data set's name, if a folder holds this format.
        read: reads such a folder.
        scale: of the ratings, unless the caller or a recipe knows better.
    """

    recognise: Callable[[Path], str | None]
    read: Callable[[Path, Reading], Dataset]
    scale: RatingScale


def _tables(files: Callable[[Path], table.TableFiles | None], scale: RatingScale) -> DataFormat:
    """A format whose files and columns are found in a folder that has no name for itself."""

    def read(folder: Path, reading: Reading) -> Dataset:
        return table.read(folder, files(folder) or table.TableFiles(ratings="ratings.csv"), reading)

    return DataFormat(lambda folder: folder.resolve().name if files(folder) else None, read, scale)


_STARS = RatingScale(1, 5)
FORMATS: dict[FormatName, DataFormat] = {
    "ml-100k": DataFormat(ML_100K.recognise, ML_100K.read, _STARS),
    "ml-1m": DataFormat(ML_1M.recognise, ML_1M.read, _STARS),
    "recbole": DataFormat(atomic.recognise, atomic.read, _STARS),
    "movielens-csv": _tables(table.movielens, RatingScale(0.5, 5)),
    "table": _tables(table.plain, _STARS),
}


@dataclass(frozen=True)
class Found:
    """A folder whose format is known.

    Attributes:
        folder: where the files are.
        format: their format.
        name: what the files, or the folder, call the data set.
    """

    folder: Path
    format: FormatName
    name: str


def open_dataset(
    name: str | None = None,
    data_dir: Path | None = None,
    on_bad_row: OnBadRow = "error",
    *,
    scale: RatingScale | None = None,
) -> Dataset:
    """Find a data set, read it, and add the facts that are known about its movies.

    It is looked for in ``data_dir``, and nowhere else if that is given; otherwise in
    ``RECSYS_DATA_DIR``, in the cache, and, MovieLens-100K, in RecBole's wheel. A folder may be the
    data set's own or the one above it. The format is recognised from the files; a file
    ``recipe.yaml`` beside them can name other files and columns.

    Args:
        name: which data set; by default the one that is in the folder, MovieLens-100K elsewhere.
        data_dir: where to look.
        on_bad_row: refuse a ratings file with bad rows, or keep its good ones.
        scale: the interval of the ratings, if the recipe or the format has another.

    Raises:
        DataError: nothing is found (the error lists every place), or a file cannot be used.
    """
    found = find_dataset(name, data_dir)
    recipe = _recipe(found)
    usual = recipe.rating_scale if recipe else FORMATS[found.format].scale
    reading = Reading(found.name, scale or usual, on_bad_row)
    if recipe and recipe.table:
        dataset = table.read(found.folder, recipe.table, reading)
    else:
        dataset = FORMATS[found.format].read(found.folder, reading)
    return _with_facts(dataset, recipe)


def load_dataset(
    source: Any,
    movies: Any = None,
    features: Mapping[str, Any] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    scale: RatingScale | tuple[float, float] | None = None,
    on_bad_row: OnBadRow = "error",
) -> Dataset:
    """A data set by its name, from a folder, or from a frame of ratings.

    Args:
        source: a name ("ml-100k"), a folder as ``str`` or ``Path``, or a frame.
        movies: see ``dataset_from_frames``; frames only, as ``features`` and ``columns``.
        features: see there.
        columns: see there.
        scale: the interval of the ratings, where the source does not say it or says another.
        on_bad_row: refuse ratings with bad rows, or keep the good ones.

    Raises:
        DataError: nothing is found, or what is found cannot be used.
        ConfigError: options for frames come with a name or a folder.
    """
    if not isinstance(source, str | Path):
        from recsys.data.frames import dataset_from_frames  # a folder needs no library of frames

        return dataset_from_frames(
            source, movies, features, columns=columns, scale=scale, on_bad_row=on_bad_row
        )
    if movies is not None or features or columns:
        raise ConfigError(
            f"movies, features and columns go with a frame of ratings, not with {str(source)!r}",
            hint="a folder names its files and columns in recipe.yaml",
        )
    if not str(source).strip():
        raise DataError("a data set without a name", hint='give a name ("ml-100k") or a folder')
    folder = None if _is_name(source) else Path(source).expanduser()
    if folder is not None and not folder.is_dir():
        raise DataError(
            f"{folder} is a file" if folder.exists() else f"there is no folder {folder}",
            hint="give the folder of the ratings and movies, the name of a data set, or a frame",
        )
    return open_dataset(
        None if folder else str(source), folder, on_bad_row, scale=RatingScale.of(scale)
    )


def _is_name(source: str | Path) -> bool:
    """Whether it names a data set: a known one, or what is no path and no folder here."""
    if source in recipe_names():
        return True
    is_path = isinstance(source, Path) or "/" in source or "\\" in source
    return not (is_path or Path(source).expanduser().exists())


def cache_dir() -> Path:
    """Where downloaded data sets are kept, one folder each; under ``RECSYS_CACHE_DIR`` if given."""
    return cache_folder() / "datasets"


def find_dataset(name: str | None, data_dir: Path | None) -> Found:
    """The first place that holds the data set.

    Raises:
        DataError: none does.
    """
    looked: list[str] = []
    for place, folder in _places(name or DEFAULT_NAME, data_dir):
        found = _look(folder, name) if folder else None
        if found and _is_wanted(found, name):
            return replace(found, name=name or found.name)
        other = f" (holds {found.name})" if found else ""
        looked.append(f"{place}: {folder or 'not there'}{other}")
    wanted = name or DEFAULT_NAME
    raise DataError(
        f"the data set {wanted} was not found",
        rows=looked,
        hint=f"run: recsys data fetch {wanted}, or say where it is with --data DIR",
    )


def _places(name: str, data_dir: Path | None) -> Iterator[tuple[str, Path | None]]:
    """Where to look, and what that is called."""
    root = data_dir or os.environ.get("RECSYS_DATA_DIR")
    if root:
        label = "--data" if data_dir else "RECSYS_DATA_DIR"
        yield from ((label, folder) for folder in (Path(root), Path(root) / name))
    if data_dir is None:
        yield "cache", cache_dir() / name
        if name == DEFAULT_NAME:
            yield "RecBole's wheel", recbole_data(name)


def _look(folder: Path, name: str | None) -> Found | None:
    local = _local_recipe(folder)
    if local and local.table and (folder / local.table.ratings).is_file():
        return Found(folder, "table", local.name)
    known = load_recipe(name) if name in recipe_names() else None
    if known and known.table and all((folder / file).is_file() for file in known.table.files):
        return Found(folder, "table", known.name)
    for format_, form in FORMATS.items():
        called = form.recognise(folder) if folder.is_dir() else None
        if called is not None:
            return Found(folder, format_, called)
    return None


def _is_wanted(found: Found, name: str | None) -> bool:
    if name is None or name == found.name or name not in recipe_names():
        return True
    # Folders of some formats do not say which data set they hold; others do.
    return found.name not in recipe_names() and load_recipe(name).format == found.format


def _local_recipe(folder: Path) -> Recipe | None:
    path = folder / LOCAL_RECIPE
    return parse_recipe(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else None


def _recipe(found: Found) -> Recipe | None:
    known = load_recipe(found.name) if found.name in recipe_names() else None
    return _local_recipe(found.folder) or known


def _with_facts(dataset: Dataset, recipe: Recipe | None) -> Dataset:
    if recipe and recipe.movielens_ids:
        films = dataset.catalogue.items.ids
        return replace(dataset, catalogue=replace(dataset.catalogue, film_ids=films))
    if recipe is None or recipe.ids is None:
        return dataset
    crosswalk = Crosswalk.read(read_text("datasets", recipe.name, recipe.ids))
    catalogue = with_film_ids(dataset.catalogue, crosswalk)
    facts = freebase(dataset.origin, crosswalk) if recipe.facts and dataset.origin else None
    if facts is not None:
        catalogue = with_facts(catalogue, facts)
    return replace(dataset, catalogue=catalogue)

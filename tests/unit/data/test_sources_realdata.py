from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.coverage import fact_coverage
from recsys.data.dataset import Dataset
from recsys.data.facts import Crosswalk
from recsys.data.items_join import read_links
from recsys.data.items_spec import ItemsTable
from recsys.data.items_table import numeric_fact, with_items_table
from recsys.data.matching import MatchReport, TitleList, match_titles
from recsys.data.movies import parse_year, split_title
from recsys.data.sources import open_dataset
from recsys.resources import read_text

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def ml_100k(real_data: Path) -> Dataset:
    return open_dataset("ml-100k", real_data / "ml-100k")


@pytest.fixture(scope="module")
def ids() -> Crosswalk:
    return Crosswalk.read(read_text("datasets", "ml-100k", "ids.csv"))


def test_coverage_of_movielens_100k_is_that_of_the_data_card(
    ml_100k: Dataset, ids: Crosswalk, real_data: Path
) -> None:
    ratings = ml_100k.interactions.item_counts()
    table = ItemsTable(path=real_data / "ml-100k-multimodal", preset="ml-100k-multimodal")
    known, report = with_items_table(ml_100k.catalogue, table, ratings=ratings)
    assert report.matched.by_movies == 1
    assert report.any_text is not None
    assert report.any_text.by_movies == pytest.approx(0.984, abs=5e-4)
    assert report.any_text.by_ratings == pytest.approx(0.998, abs=5e-4)
    for field, share in {
        "actor": 0.98,
        "director": 0.98,
        "company": 0.89,
        "runtime": 0.97,
        "budget": 0.46,
    }.items():
        assert report.coverage(field).by_movies == pytest.approx(share, abs=5e-3)
    for name in ("imdb", "tmdb"):
        found = [bool(getattr(ids.ids.get(i), name, "")) for i in ml_100k.catalogue.items]
        assert np.mean(found) == pytest.approx(0.987, abs=5e-4)
    assert all(not field.unreadable for field in report.fields)
    assert not {"revenue", "popularity", "vote_average", "imdb_rating"} & set(known.facts)
    (warning,) = report.warnings
    assert warning.startswith("wiki_extract: 8")
    runtime = numeric_fact(known, "runtime")
    assert 85 < np.nanmedian(runtime) < 120


def test_movies_meet_their_tmdb_rows_by_id_and_by_links(
    ml_100k: Dataset, ids: Crosswalk, real_data: Path
) -> None:
    catalogue = ml_100k.catalogue
    table = ItemsTable(path=real_data / "tmdb", preset="the-movies-dataset")
    known, report = with_items_table(catalogue, table, ids=ids)
    assert (report.rows, report.duplicates, report.malformed) == (5_000, 1, 0)
    assert report.matched.present == 1_643
    toy = catalogue.find("Toy Story (1995)")
    assert known.facts["company"][toy] == ("Pixar Animation Studios",)
    linked = read_links(real_data / "links.csv", catalogue)
    agree = [linked.ids[item] == ids.ids[item] for item in linked.ids]
    assert np.mean(agree) > 0.99
    people_of = ItemsTable(path=real_data / "tmdb", preset="the-movies-dataset-top-credits")
    people, _ = with_items_table(known, people_of, ids=ids)
    assert people.facts["actor"][toy] == ("Tom Hanks", "Tim Allen", "Don Rickles")


def test_the_slice_of_mmtf_14k_has_its_facts(real_data: Path) -> None:
    dataset = open_dataset("mmtf-14k", real_data)
    assert (len(dataset.interactions), len(dataset.catalogue)) == (50_976, 1_807)
    table = ItemsTable(path=real_data / "mmtf-14k", preset="mmtf-14k")
    known, report = with_items_table(dataset.catalogue, table)
    assert report.matched.by_movies == 1
    assert report.coverage("overview").by_movies == pytest.approx(0.93, abs=5e-3)
    assert report.coverage("director").by_movies == pytest.approx(0.97, abs=5e-3)
    assert known.genre_names == dataset.catalogue.genre_names
    assert fact_coverage(known, ["overview", "director"]).by_movies > 0.97


def _quality(report: MatchReport, truth: list[str], ids_there: list[str]) -> tuple[float, float]:
    """Precision among pairs whose true id is known, recall among films that both lists have."""
    known = [pair for pair in report.pairs if truth[pair.left]]
    right = [pair for pair in known if truth[pair.left] == ids_there[pair.right]]
    both = sum(id_ in set(ids_there) for id_ in truth if id_)
    return len(right) / len(known), len(right) / both


@pytest.mark.parametrize(
    ("file", "precision", "recall"),
    [("movies_metadata.csv", 0.998, 0.97), ("tmdb_5000_movies.csv", 0.997, 0.98)],
)
def test_titles_of_tmdb_are_matched_as_its_ids_say(
    ml_100k: Dataset, ids: Crosswalk, real_data: Path, file: str, precision: float, recall: float
) -> None:
    frame = pd.read_csv(real_data / "tmdb" / file, dtype=str, keep_default_na=False)
    frame = frame.drop_duplicates("id")
    years = [parse_year(day) for day in frame["release_date"]]
    there = TitleList(frame["title"].tolist(), years, [(t,) for t in frame["original_title"]])
    catalogue = ml_100k.catalogue
    report = match_titles(TitleList(catalogue.titles, catalogue.years.tolist()), there)
    truth = [ids.ids[item].tmdb if item in ids.ids else "" for item in catalogue.items]
    found = _quality(report, truth, frame["id"].tolist())
    assert found[0] > precision
    assert found[1] > recall


def test_titles_of_movielens_are_matched_as_its_ids_say(
    ml_100k: Dataset, ids: Crosswalk, real_data: Path
) -> None:
    catalogue = ml_100k.catalogue
    frame = pd.read_parquet(real_data / "mmtf-14k" / "items.parquet")
    titles = [split_title(title) for title in frame["title"]]
    there = TitleList([title for title, _ in titles], [year for _, year in titles])
    report = match_titles(TitleList(catalogue.titles, catalogue.years.tolist()), there)
    truth = [ids.ids[item].movielens if item in ids.ids else "" for item in catalogue.items]
    precision, recall = _quality(report, truth, frame["movieId"].astype(str).tolist())
    assert precision == 1
    assert recall > 0.975

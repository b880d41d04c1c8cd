"""MMTF-14K's real tables on MovieLens-100K: coverage, alignment, and what they tell of genres."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from recsys.config.imports import ImportConfig
from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.coverage import covered
from recsys.data.sources import open_dataset
from recsys.errors import AlignmentError, ConfigError
from recsys.features.alignment import import_modality
from recsys.features.published.mmtf14k import ENCODING, CsvArchive, Mmtf14k, read_titles
from recsys.features.report import coverage

pytestmark = pytest.mark.realdata

IVECTOR = {"table": "ivector"}
MEDIAN = {"table": "aesthetic"}
AVERAGE = {"table": "aesthetic", "aggregation": "Avg", "policy": {"on_nonfinite": "median"}}


@pytest.fixture(scope="module")
def root(real_data):
    folder = real_data / "mmtf-14k" / "Final_MMTF14K_Web"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder


@pytest.fixture(scope="module")
def dataset(real_data):
    return open_dataset("ml-100k", real_data / "ml-100k")


def load(root, dataset, name, options, catalogue=None):
    config = TypeAdapter(ImportConfig).validate_python(
        {"source": "mmtf-14k", "path": root, **options}
    )
    ratings = dataset.interactions.item_counts()
    return import_modality(name, config, catalogue or dataset.catalogue, ratings)


def percent(found):
    return round(100 * found.by_movies), round(100 * found.by_ratings)


def test_trailers_cover_what_the_source_says(root, dataset):
    """Sound and pictures: 36 % of the movies, 59 % of the ratings."""
    sound, report = load(root, dataset, "audio", IVECTOR)
    pictures, _ = load(root, dataset, "video", MEDIAN)
    catalogue = dataset.catalogue.with_modality(sound).with_modality(pictures)
    found = coverage(catalogue, dataset.interactions)
    assert [(c.name, c.dim, percent(c)) for c in found] == [
        ("audio", 100, (36, 59)),
        ("video", 107, (36, 59)),
    ]
    assert (report.rows, report.used, report.present) == (1807, 596, 602)
    assert (percent(report), report.key) == ((36, 59), "film")
    assert not any(c.zero_rows for c in found)


def test_coverage_of_everything_equals_the_table_of_the_source(real_data, dataset):
    pd = pytest.importorskip("pandas")
    table = pd.read_parquet(real_data / "ml-100k-multimodal" / "items.parquet")
    assert table.item_id.astype(str).tolist() == list(dataset.catalogue.items)
    given = table.replace("", None).notna()
    given |= False
    have = {
        "ids": given.imdb_id,
        "text": given.text_any,
        "cast": given.cast_any,
        "director": given.director_any,
        "companies": given.companies & (table.companies.str.strip() != ""),
        "runtime": given.runtime,
        "budget": given.budget,
        "poster": given.poster_src,
        "trailer": table.trailer_av,
    }
    ratings = dataset.interactions.item_counts()
    found = {n: covered(n, np.array(m, dtype=bool), ratings) for n, m in have.items()}
    shares = {name: round(100 * c.by_movies, 1) for name, c in found.items()}
    assert shares == {
        "ids": 98.7,
        "text": 98.4,
        "cast": 98.3,
        "director": 98.3,
        "companies": 88.8,
        "runtime": 96.6,
        "budget": 45.8,
        "poster": 86.4,
        "trailer": 36.1,
    }
    by_ratings = {name: round(100 * c.by_ratings, 1) for name, c in found.items()}
    assert [by_ratings[n] for n in ("text", "poster", "trailer")] == [99.8, 99.3, 59.4]


def test_vectors_are_those_of_the_file_under_the_film_s_id(root, dataset):
    name = "IVec_splitItem_fold_1_gmm_256_tvDim_100.csv"
    with (root / "Audio" / "ivector features" / name).open(encoding="latin-1") as stream:
        rows = {row[0]: np.float32(row[1:]) for row in csv.reader(stream) if row[0] != "movieId"}
    table, _ = load(root, dataset, "audio", IVECTOR)
    catalogue = dataset.catalogue
    for row in np.flatnonzero(table.present):
        np.testing.assert_array_equal(table.vectors[row], rows[catalogue.film_ids[row]])
    absent = [catalogue.film_ids[row] for row in np.flatnonzero(~table.present)]
    assert not set(absent) & set(rows)
    assert catalogue.film_ids[catalogue.find("Star Wars (1977)")] == "260"


def test_ml_100k_s_own_ids_are_not_taken_for_movielens_movie_ids(root, dataset):
    """563 of its item ids occur in the archive, and only one of them means the same film."""
    blind = replace(dataset.catalogue, film_ids=())
    with pytest.raises(AlignmentError, match="561 of 562 ids mean other films"):
        load(root, dataset, "audio", IVECTOR, blind)


def test_infinities_of_the_published_averages(root, dataset):
    options = {"table": "aesthetic", "aggregation": "Avg"}
    _, masked = load(root, dataset, "video", options)
    assert {f.fault.value: f.count for f in masked.findings} == {
        "unknown id": 1211,
        "infinite": 2,
        "constant column": 3,
    }
    assert masked.present == 600
    assert load(root, dataset, "video", AVERAGE)[1].present == 602


def test_a_table_that_was_not_fetched_is_named_with_those_that_were(root, dataset):
    with pytest.raises(ConfigError, match="ivector 1 256 100; ivector 1 256 40"):
        load(root, dataset, "audio", {**IVECTOR, "fold": 5})
    assert len(Mmtf14k(root).tables) == 11


def read_genres(root):
    archive = CsvArchive(root)
    (name,) = [name for name in archive.names if name.endswith("GenreFeatures.csv")]
    (_, (_, *names)), *lines = archive.source(name, ENCODING).lines()
    flags = {line[0].strip(): [float(flag) == 1 for flag in line[1:]] for _, line in lines if line}
    return {id_: {n for n, flag in zip(names, f, strict=True) if flag} for id_, f in flags.items()}


def test_its_films_have_titles_and_labels(root):
    titles, genres = read_titles(CsvArchive(root)), read_genres(root)
    assert len(titles) == 1807
    assert all(titles.values())
    assert titles["260"] == "Star Wars: Episode IV - A New Hope"
    assert "Sci-Fi" in genres["260"]


def probe(catalogue, table, others=None, order=None):
    """Mean ROC-AUC of logistic regressions for the ten commonest genres, five folds.

    ``others`` are vectors and genres of more films, to learn from alone.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.flatnonzero(table.present & catalogue.genres.any(axis=1))
    vectors = table.vectors[rows if order is None else order.permutation(rows)]
    common = np.argsort(-catalogue.genres[rows].sum(axis=0), kind="stable")[:10]
    areas = []
    for genre in common:
        labels, odds = catalogue.genres[rows, genre], np.zeros(len(rows))
        more = (vectors[:0], labels[:0]) if others is None else (others[0], others[1][:, genre])
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        for train, test in folds.split(vectors, labels, catalogue.film_groups[rows]):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
            model.fit(np.vstack([vectors[train], more[0]]), np.r_[labels[train], more[1]])
            odds[test] = model.decision_function(vectors[test])
        areas.append(roc_auc_score(labels, odds))
    return float(np.mean(areas))


@pytest.mark.slow
@pytest.mark.parametrize(("options", "least"), [(IVECTOR, 0.65), (MEDIAN, 0.63), (AVERAGE, 0.64)])
def test_trailers_tell_genres_apart_and_shuffled_ones_do_not(root, dataset, options, least):
    pytest.importorskip("sklearn")
    table, _ = load(root, dataset, "trailer", options)
    assert probe(dataset.catalogue, table) >= least
    shuffled = [probe(dataset.catalogue, table, order=np.random.default_rng(s)) for s in range(3)]
    assert np.mean(shuffled) == pytest.approx(0.5, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("options", "least"), [(IVECTOR, 0.70), (MEDIAN, 0.66), (AVERAGE, 0.67)])
def test_the_other_trailers_of_the_archive_help_to_tell_them(root, dataset, options, least):
    """602 movies are few to learn 107 weights from; the archive labels 1,211 other films."""
    pytest.importorskip("sklearn")
    catalogue = dataset.catalogue
    titles, genres = read_titles(CsvArchive(root)), read_genres(root)
    other = [id_ for id_ in titles if id_ not in set(catalogue.film_ids) and genres.get(id_)]
    names = ["Children" if name == "Children's" else name for name in catalogue.genre_names]
    labels = np.array([[name in genres[id_] for name in names] for id_ in other])
    films = replace(
        catalogue,
        items=type(catalogue.items)(other, kind="movie"),
        titles=tuple(titles[id_] for id_ in other),
        years=np.full(len(other), UNKNOWN_YEAR),
        genres=labels,
        facts={},
        film_ids=(),
    )
    more, _ = load(root, _Unrated(films), "trailer", options)
    table, _ = load(root, dataset, "trailer", options)
    found = probe(catalogue, table, (more.vectors[more.present], labels[more.present]))
    assert found >= least


class _Unrated:
    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.interactions = self

    def item_counts(self):
        return np.zeros(len(self.catalogue), dtype=np.int64)

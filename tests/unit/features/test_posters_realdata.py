"""Real posters say something about genres, and shuffled ones say nothing."""

import functools
import importlib.util

import numpy as np
import pytest

from recsys.config.modalities import PICTURES, BackboneConfig, PosterConfig
from recsys.data.catalogue import Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.features.cache import FeatureCache
from recsys.features.jobs import extract_files, file_jobs
from recsys.features.media import FileStatus
from recsys.features.poster import PosterEncoder

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def catalogue(real_data):
    import pandas as pd

    facts = real_data / "ml-100k-multimodal" / "items.parquet"
    movies = real_data / "ml-100k" / "u.item"
    if not (facts.is_file() and movies.is_file()):
        pytest.skip(f"no {facts} or no {movies}")
    films = pd.read_parquet(facts).set_index("item_id").ml_movieId
    lines = [line.split("|") for line in movies.read_text(encoding="latin-1").splitlines()]
    ids = [line[0] for line in lines]
    films = films.rename(str).reindex(ids)
    return Catalogue(
        items=Vocabulary(ids, kind="movie"),
        titles=tuple(line[1] for line in lines),
        years=np.full(len(lines), -1),
        genre_names=tuple(map(str, range(18))),
        genres=np.array([[flag == "1" for flag in line[6:]] for line in lines]),
        film_ids=tuple("" if np.isnan(film) else str(int(film)) for film in films),
    )


@pytest.fixture(scope="module")
def extract(real_data, catalogue, tmp_path_factory):
    pytest.importorskip("PIL")
    folder = real_data / "posters"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    cache = FeatureCache(tmp_path_factory.mktemp("cache"))
    files = file_jobs(catalogue, folder, PICTURES.suffixes, catalogue.film_ids)

    def make(config):
        factory = functools.partial(PosterEncoder, config)
        report = extract_files(factory, files, cache)
        assert report.counts == {FileStatus.OK: 1453, FileStatus.MISSING: 229}
        again = extract_files(factory, files, cache)
        assert (again.encoded, again.counts) == (0, report.counts)
        return report.table(catalogue, cache)

    return make


def genre_auc(catalogue, vectors, present):
    """Mean ROC-AUC of logistic regressions for the ten commonest genres, five folds.

    Of the entries of one film only the first counts, so that no film is on both sides.
    """
    linear = pytest.importorskip("sklearn.linear_model")
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    first = np.zeros(len(catalogue), dtype=bool)
    first[np.unique(catalogue.film_groups, return_index=True)[1]] = True
    rows = np.flatnonzero(present & first & catalogue.genres.any(axis=1))
    common = np.argsort(-catalogue.genres[rows].sum(axis=0), kind="stable")[:10]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    areas = []
    for labels in catalogue.genres[rows][:, common].T:
        probe = linear.LogisticRegression(max_iter=1000)
        odds = cross_val_predict(probe, vectors[rows], labels, cv=folds, method="decision_function")
        areas.append(roc_auc_score(labels, odds))
    return float(np.mean(areas))


def test_the_network_tells_genres_apart_and_shuffled_vectors_do_not(real_data, catalogue, extract):
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    weights = real_data / "weights" / "mobilenet_v2_imagenet.safetensors"
    if not weights.is_file():
        pytest.skip(f"no {weights}")
    backbone = BackboneConfig(
        weights=str(weights),
        size=(224, 160),
        pixel_mean=(127, 127, 127),
        pixel_std=(127.5, 127.5, 127.5),
    )
    table = extract(PosterConfig(kind="backbone", backbone=backbone))
    assert (table.card.dim, table.card.licence) == (1280, "Apache-2.0")
    assert genre_auc(catalogue, table.vectors, table.present) >= 0.72
    shuffled = table.vectors.copy()
    rows = np.flatnonzero(table.present)
    shuffled[rows] = table.vectors[np.random.default_rng(0).permutation(rows)]
    assert genre_auc(catalogue, shuffled, table.present) == pytest.approx(0.5, abs=0.03)


def test_descriptors_tell_some_genres_apart(catalogue, extract):
    table = extract(PosterConfig())
    assert genre_auc(catalogue, table.vectors, table.present) >= 0.65

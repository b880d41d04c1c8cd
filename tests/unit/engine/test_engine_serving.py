import json
import subprocess
import sys

import numpy as np
import pytest

from recsys.bundle import write_bundle
from recsys.data.interactions import Interactions
from recsys.evaluation.blocks import Scorer
from recsys.evaluation.evaluator import RankingEvaluator, RankingTask
from recsys.recommenders.saving import restore
from recsys.testing.served import N_ITEMS, N_USERS, served_world

HEAVY = (
    "torch",
    "transformers",
    "sklearn",
    "pandas",
    "recsys.recommenders.joint.training",
    "recsys.features",
)
SERVE = """
import json, sys
from recsys.engine import Engine
answer = Engine.load(sys.argv[1]).recommend("u0", 3)
print(json.dumps([len(answer.items), sorted(set(sys.argv[2:]) & set(sys.modules))]))
"""


def test_serving_loads_nothing_heavy(tmp_path):
    write_bundle(tmp_path / "bundle", served_world().contents, restore)
    command = [sys.executable, "-c", SERVE, str(tmp_path / "bundle"), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [3, []]


def test_evaluation_asks_the_engine(engine):
    served = engine.as_recommender()
    assert isinstance(served, Scorer)
    assert served.name == engine.label
    query = engine.queries_for()
    scores = served.score(query)
    assert scores.shape == (N_USERS, N_ITEMS)
    for row, user in enumerate(engine.users):
        for movie in engine.recommend(user, 3).items:
            item = engine.catalogue.items.row(movie.item)
            assert scores[row, item] == pytest.approx(movie.score, abs=1e-4)


def test_the_evaluated_lists_are_the_recommended_ones(engine):
    """A truth made of the engine's own first three is ranked perfectly by its score blocks."""
    picked = [(u, m.item) for u in engine.users for m in engine.recommend(u, 3).items]
    users = engine.users.rows([u for u, _ in picked], unknown="error")
    items = engine.catalogue.items.rows([i for _, i in picked], unknown="error")
    stars = np.full(len(picked), 5, dtype=np.float32)
    truth = Interactions(engine.users, engine.catalogue.items, users, items, stars)
    task = RankingTask(truth, seen=engine.bundle.contents.seen, ks=(3,))
    result = RankingEvaluator(task).evaluate(engine.as_recommender(), engine.queries_for())
    assert result.means()["ndcg@3"] == 1


def test_queries_of_some_users(engine):
    query = engine.queries_for(["u4", "u1"])
    assert query.users.tolist() == [4, 1]
    one = engine.user("u4").history.toarray()
    np.testing.assert_array_equal(query.histories[[0]].toarray(), one)


def test_ratings_of_a_block(engine):
    query = engine.queries_for(["u4", "u1"])
    found = engine.as_recommender().predict(query, np.array([1, 0]), np.array([2, 3]))
    assert found.mean[1] == pytest.approx(engine.predict("u4", "m3").mean, abs=1e-5)

"""Every model of the registry is served, elsewhere and without its library, as it was evaluated."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.joint import toy_experiment

from recsys.engine import Engine
from recsys.queries.topk import top_k
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.registry import MODELS, create
from recsys.testing.worlds import two_genre_world

ROOT = Path(__file__).resolve().parents[2]
ABSENT = ("torch", "sklearn", "implicit", "myfm", "recbole", "transformers", "pandas", "numba")
NAMES = [*MODELS, "content-knn:metadata", "content-ridge:metadata"]
QUICK = {"clcrec": {"epochs": 3}, "dropoutnet": {"epochs": 3}, "vbpr": {"epochs": 3}}
"""Options of models that would take their time."""

pytestmark = pytest.mark.slow

N_USERS = 50
K = 10


def ask(engine):
    """Everything that can be asked of an engine; what it cannot answer is the kind of the error."""
    from recsys.errors import DataError, UnsupportedError

    def answer(question):
        try:
            return question()
        except (DataError, UnsupportedError) as error:
            return type(error).__name__

    users = list(engine.users)[:50]
    movies = [engine.catalogue.items.id(row) for row in range(0, len(engine.catalogue), 7)]
    stranger = engine.profile([movies[1], movies[3]], {movies[5]: 1.0})
    return {
        "lists": answer(lambda: [engine.recommend(u, 10).document() for u in users]),
        "many": answer(lambda: [a.document() for a in engine.recommend_many(users, 10)]),
        "short": answer(lambda: [engine.recommend(u, 3, because=2).document() for u in users]),
        "to a stranger": answer(lambda: engine.recommend(stranger, 10).document()),
        "stars": answer(lambda: [engine.predict(u, m).document() for u in users for m in movies]),
        "of a stranger": answer(lambda: engine.predict(stranger, movies[2]).document()),
        "similar": answer(lambda: [engine.similar(m, 10).document() for m in movies]),
        "explained": answer(lambda: [e.document() for e in engine.explain(users[3], movies[2])]),
        "described": answer(lambda: [engine.describe(m).document() for m in movies]),
    }


SERVE = """
import json, sys
from importlib.abc import MetaPathFinder


class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ImportError(f"{name} is not installed")


sys.meta_path.insert(0, Absent())
import numpy as np
from recsys.engine import Engine

everything = {}
for name, folder in json.load(sys.stdin).items():
    engine = Engine.load(folder)
    query = engine.context.query(np.arange(N_USERS))
    raw = {}
    if engine.model.ranks:
        raw["scores"] = engine.model.score(query)
        views = [engine.model.view(engine.context.one(row)) for row in range(N_USERS)]
        raw["alone"] = np.stack([view.scores() for view in views])
    if engine.model.predicts_ratings:
        rows, items = (a.ravel() for a in np.indices((N_USERS, len(engine.catalogue))))
        predicted = engine.model.predict_ratings(query, rows, items)
        raw["mean"] = predicted.mean
        if predicted.std is not None:
            raw["std"] = predicted.std
    np.savez(folder + ".npz", **raw)
    everything[name] = ask(engine)
assert not set(ABSENT) & set(sys.modules)
json.dump(everything, sys.stdout)
"""


def made(name):
    if name == "joint":
        return JointRecommender(toy_experiment())
    few = {"samples": 30} if name.startswith("myfm") else QUICK.get(name, {})
    return create(name, **few)


def available(name):
    return MODELS[name.partition(":")[0]].is_available


@pytest.fixture(scope="module")
def models():
    split = two_genre_world().split
    return {name: made(name).fit(split) for name in NAMES if available(name)}


@pytest.fixture(scope="module")
def served(models, tmp_path_factory):
    """What a process without the libraries answers, and the arrays that it computes."""
    folder = tmp_path_factory.mktemp("served")
    places = {name: model.save(folder / name.replace(":", "-")) for name, model in models.items()}
    known = f"ABSENT = {ABSENT!r}\nN_USERS = {N_USERS}\n"
    done = subprocess.run(
        [sys.executable, "-c", known + inspect.getsource(ask) + SERVE],
        input=json.dumps({name: str(place) for name, place in places.items()}),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    arrays = {name: np.load(f"{place}.npz") for name, place in places.items()}
    return json.loads(done.stdout), arrays


@pytest.fixture(params=NAMES)
def name(request):
    if not available(request.param):
        pytest.skip("the library of this model is not installed")
    return request.param


def test_it_answers_as_the_fitted_one(name, models, served):
    model, answers = models[name], served[0][name]
    assert answers == json.loads(json.dumps(ask(Engine.from_model(model))))
    assert answers["many"] == answers["lists"]


def test_it_answers_what_it_says_it_does(name, models, served):
    model, answers = models[name], served[0][name]
    kinds = {
        "lists": "lists",
        "stars": "stars",
        "similar": "similar",
        "reasons": "explained",
        "new users": "to a stranger" if model.ranks else "of a stranger",
    }
    possible = {word for word, kind in kinds.items() if not isinstance(answers[kind], str)}
    assert possible == set(model.answers()) - {"new movies"}
    assert (model.ranks, model.predicts_ratings) == ("lists" in possible, "stars" in possible)


def test_numbers_are_those_of_the_evaluation_to_the_last_place(name, models, served):
    model, arrays = models[name], served[1][name]
    query = model.context.query(np.arange(N_USERS))
    if model.ranks:
        expected = model.score(query)
        assert arrays["scores"].dtype == np.float32
        np.testing.assert_array_equal(arrays["scores"], expected)
        np.testing.assert_array_equal(arrays["alone"], expected)
    if model.predicts_ratings:
        rows, items = (a.ravel() for a in np.indices((N_USERS, len(model.context.catalogue))))
        predicted = model.predict_ratings(query, rows, items)
        np.testing.assert_array_equal(arrays["mean"], predicted.mean)
        assert ("std" in arrays) == (predicted.std is not None)
        if predicted.std is not None:
            np.testing.assert_array_equal(arrays["std"], predicted.std)


def test_lists_are_those_that_were_evaluated(name, models, served):
    model, lists = models[name], served[0][name]["lists"]
    if not model.ranks:
        return
    rows = np.arange(N_USERS)
    scores = np.array(model.score(model.context.query(rows)))
    scores[model.context.seen[rows].nonzero()] = -np.inf
    best = top_k(scores, K)
    for row, document in enumerate(lists):
        there = best.items[row] >= 0
        ids = [model.context.catalogue.items.id(item) for item in best.items[row][there]]
        assert [movie["item"] for movie in document["items"]] == ids
        shown = [round(float(score), 6) for score in best.scores[row][there]]
        assert [movie["score"] for movie in document["items"]] == shown


def test_reasons_add_up_to_the_score(name, served):
    answers = served[0][name]
    if isinstance(answers["lists"], str):
        assert answers["lists"] == answers["short"]
        return
    for document in answers["lists"] + answers["short"]:
        for movie in document["items"]:
            if movie["because"]:
                total = sum(entry["share"] for entry in movie["because"])
                assert total == pytest.approx(movie["score"], rel=1e-4, abs=1e-5)

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from support.served import N_ITEMS, served_world

from recsys.bundle import write_bundle
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.split import TrainingData
from recsys.data.vocabulary import Vocabulary
from recsys.engine import Engine, Filters, NewMovie
from recsys.errors import AlignmentError, ConfigError, UnknownIdError, UnsupportedError
from recsys.evaluation.evaluator import RankingEvaluator, RankingTask
from recsys.recommenders.registry import create
from recsys.recommenders.saving import restore
from recsys.testing.worlds import two_genre_world

HEAVY = (
    "torch",
    "transformers",
    "sklearn",
    "pandas",
    "recsys.recommenders.joint.training.loop",
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


def test_the_evaluated_lists_are_the_recommended_ones(engine):
    """A truth made of the engine's own first three is ranked perfectly by its model."""
    picked = [(u, m.item) for u in engine.users for m in engine.recommend(u, 3).items]
    users = engine.users.rows([u for u, _ in picked], unknown="error")
    items = engine.catalogue.items.rows([i for _, i in picked], unknown="error")
    stars = np.full(len(picked), 5, dtype=np.float32)
    truth = Interactions(engine.users, engine.catalogue.items, users, items, stars)
    task = RankingTask(truth, seen=engine.context.seen, ks=(3,))
    result = RankingEvaluator(task).evaluate(engine.model, engine.context.everyone)
    assert result.means()["ndcg@3"] == 1


def test_many_lists_are_those_of_each_user(engine):
    for options in ({}, {"because": 2}, {"exclude_seen": False, "k": 100}, {"k": 3}):
        each = [engine.recommend(user, **options) for user in engine.users]
        assert engine.recommend_many(**options) == each
    genre = Filters(genre=("comedy",), years=(1960, 1990))
    each = [engine.recommend(user, filters=genre) for user in ("u3", "u1", "u3")]
    assert engine.recommend_many(["u3", "u1", "u3"], filters=genre) == each
    assert engine.recommend_many("u3") == [engine.recommend("u3")]
    assert engine.recommend_many([]) == []


def test_many_lists_that_cannot_be_made(engine):
    with pytest.raises(UnknownIdError, match="unknown user 'u99'"):
        engine.recommend_many(["u1", "u99"])
    with pytest.raises(ConfigError, match="k is 0"):
        engine.recommend_many(k=0)


@pytest.mark.parametrize("wanted", [None, 0, 1, 3, 7])
def test_reasons_add_up(engine, wanted):
    for answer in engine.recommend_many(k=10, because=wanted):
        for movie in answer.items:
            assert sum(e.share for e in movie.because) == pytest.approx(movie.score, abs=1e-5)


def test_an_engine_of_a_model_answers_like_that_of_its_bundle(engine):
    fresh = Engine.from_model(served_world().model)
    assert fresh.label == engine.label
    assert fresh.recommend_many() == engine.recommend_many()
    assert fresh.recommend("u3", 5) == engine.recommend("u3", 5)
    assert fresh.similar("m4") == engine.similar("m4")
    assert fresh.predict("u3", "m4") == engine.predict("u3", "m4")
    assert fresh.describe("m4") == engine.describe("m4")
    assert fresh.explain("u3", "m4") == engine.explain("u3", "m4")


def test_a_data_set_names_the_movies_of_a_model(engine):
    model = served_world().model
    catalogue = replace(model.context.catalogue, titles=("Named",) * N_ITEMS)
    dataset = Dataset("toy", model.context.histories, catalogue)
    assert Engine.from_model(model, dataset).recommend("u0", 1).items[0].title == "Named"
    other = Dataset("toy", two_genre_world().train, two_genre_world().catalogue)
    with pytest.raises(AlignmentError):
        Engine.from_model(model, other)


def test_one_name_is_one_movie_and_ids_may_be_numbers():
    world = two_genre_world()
    users, items = (
        Vocabulary([str(n) for n in range(60)], kind=kind) for kind in ("user", "movie")
    )
    parts = [replace(p, users=users, items=items) for p in (world.train, world.valid)]
    catalogue = replace(world.catalogue, items=items, modalities={})
    engine = Engine.from_model(create("ease").fit(TrainingData.of(*parts, catalogue)))
    liked = engine.profile(liked="Movie 12 (1972)")
    assert liked.rated.tolist() == engine.profile([12]).rated.tolist() == [12]
    assert engine.profile(12).rated.tolist() == engine.profile(ratings={12: 5}).rated.tolist()
    assert engine.recommend(7, 3) == engine.recommend("7", 3)
    assert engine.recommend_many([7, np.int64(8)], 3) == engine.recommend_many(["7", "8"], 3)
    assert engine.similar(3, 2) == engine.similar("3", 2)
    assert engine.explain(7, 3) == engine.explain("7", "3")


def test_what_a_model_cannot_do_is_said():
    training = two_genre_world().data
    for name in ("bias", "popularity", "genre-popularity", "ease"):
        engine = Engine.from_model(create(name).fit(training))
        with pytest.raises(UnsupportedError):
            engine.describe("m1")
        with pytest.raises(UnsupportedError):
            engine.add_movie(NewMovie("new", "New", {}))
        if not engine.model.ranks:
            with pytest.raises(UnsupportedError, match="ranks nothing"):
                engine.recommend("u1")
            with pytest.raises(UnsupportedError, match="ranks nothing"):
                engine.recommend_many()
        if not engine.model.predicts_ratings:
            with pytest.raises(UnsupportedError, match="predicts no stars"):
                engine.predict("u1", "m1")

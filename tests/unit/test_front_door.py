"""What people ask from ``import recsys``, rightly and wrongly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.split import TrainingData
from recsys.errors import BundleError, ConfigError, RecsysError
from recsys.evaluation.frame import EvaluationFrame
from recsys.recommenders import registry
from recsys.testing.worlds import two_genre_world

SPLIT = two_genre_world().split


def fitted(name: str = "ease") -> Any:
    return recsys.models.create(name).fit(SPLIT)


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, recsys; print(sorted({'torch', 'pandas', 'faiss'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_it_offers_is_listed_and_there() -> None:
    for name in recsys.__all__:
        assert name in dir(recsys)
        assert getattr(recsys, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = recsys.nothing


@pytest.mark.parametrize("name", sorted(set(recsys.models.MODELS)))
def test_a_model_by_class_is_one_of_the_registry(name: str) -> None:
    kind = recsys.models.MODELS[name].load()
    assert getattr(recsys.models, kind.__name__) is kind
    assert kind().name in recsys.models.MODELS


def test_hyper_parameters_are_given_by_name_and_checked() -> None:
    assert recsys.models.Ease(l2=3).config == recsys.models.create("ease", l2=3.0).config
    assert recsys.models.MyFM(inputs="ids", ordinal=False).name == "myfm-regression-ids"
    with pytest.raises(ConfigError, match="did you mean l2"):
        recsys.models.Ease(l3=3.0)
    with pytest.raises(ConfigError, match="EaseConfig"):
        recsys.models.Ease({"l2": 3.0})


WRONG: dict[str, Callable[[], object]] = {
    "no name of a model": lambda: recsys.models.create(None),  # type: ignore[arg-type]
    "a number for a model": lambda: recsys.models.create(5),  # type: ignore[arg-type]
    "a number for a split": lambda: recsys.make_split(SPLIT.dataset, 5),  # type: ignore[arg-type]
    "fitted on a data set": lambda: recsys.models.create("ease").fit(SPLIT.dataset),  # type: ignore[arg-type]
    "a text for a length": lambda: fitted().recommend("u3", k="10"),
    "half a movie": lambda: fitted().recommend("u3", k=2.5),
    "a truth for a length": lambda: fitted().recommend("u3", k=True),
    "no similar movie": lambda: fitted().similar("m1", k=0),
    "bytes for a user": lambda: fitted().recommend(b"u3"),
    "a pair without brackets": lambda: fitted("bias").predict(("u3", "m1")),
    "triples": lambda: fitted("bias").predict([("u3", "m1", 5.0)]),
    "no pairs": lambda: fitted("bias").predict(None),
    "no models": lambda: recsys.evaluate([], SPLIT),
    "a number for models": lambda: recsys.evaluate(5, SPLIT),  # type: ignore[arg-type]
    "a class for a model": lambda: recsys.evaluate(recsys.models.Ease, SPLIT),
    "evaluated on a data set": lambda: recsys.evaluate("ease", SPLIT.dataset),  # type: ignore[arg-type]
    "a part that is none": lambda: recsys.evaluate("ease", SPLIT, part="tset"),  # type: ignore[arg-type]
    "lists of no movie": lambda: recsys.evaluate("ease", SPLIT, ks=0),
    "one name twice": lambda: recsys.evaluate(["ease", "ease"], SPLIT),
    "trained on a name": lambda: recsys.train("ease", "ro"),  # type: ignore[arg-type]
    "a data set by name encoded": lambda: recsys.encode("ml-100k"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("ask", WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_used_is_an_error_of_ours(ask: Callable[[], object]) -> None:
    with pytest.raises(RecsysError):
        ask()


def test_one_length_is_a_length() -> None:
    frame = recsys.evaluate("ease", SPLIT, ks=3)
    assert frame.equals(recsys.evaluate(["ease"], SPLIT, ks=(3,)))
    assert list(frame.index) == ["ease"]


def test_frames_that_come_of_the_frame_can_still_be_compared() -> None:
    scores = recsys.evaluate(["ease", "popularity"], SPLIT, ks=(10,))
    expected = scores.paired("ndcg@10")
    assert scores.round(2)[["ndcg@10"]].paired("ndcg@10").equals(expected)
    joined = EvaluationFrame(pd.concat([scores, scores]))
    with pytest.raises(ConfigError, match="every user"):
        joined.paired()
    with pytest.raises(ConfigError, match="ndcg@10"):
        scores.paired("ndgc@10")


def test_training_on_a_split_is_creating_and_fitting() -> None:
    expected = recsys.models.create("item-knn", k=5).fit(SPLIT).recommend("u3")
    assert recsys.train("item-knn", SPLIT, k=5).recommend("u3").equals(expected)


@pytest.fixture
def own() -> Iterator[type[recsys.models.Recommender]]:
    class Constant(recsys.models.Recommender):
        name = "constant"
        facts = recsys.models.Facts("statistics", "what comes first in the alphabet")
        config_class = registry.configured("popularity", {}).__class__

        def _fit(self, data: TrainingData) -> dict[str, Any]:
            return {"scores": -np.arange(data.train.shape[1], dtype=np.float32)}

        def score(self, query: Any) -> Any:
            return np.tile(self.arrays()["scores"], (len(query), 1))

    yield recsys.models.register(Constant)
    registry._KNOWN.pop("constant", None)


def test_a_model_of_ones_own_is_created_saved_and_served(own: Any, tmp_path: Path) -> None:
    model = recsys.models.create("constant").fit(SPLIT)
    engine = recsys.Engine.load(model.save(tmp_path / "constant"))
    assert [m.item for m in engine.recommend("u3", k=3).items] == list(
        model.recommend("u3", k=3)["item"]
    )
    assert recsys.models.register(own) is own


def test_a_name_that_is_taken_is_refused(own: Any, tmp_path: Path) -> None:
    taken = type("Other", (own,), {"name": "ease"})
    with pytest.raises(ConfigError, match="'ease'"):
        recsys.models.register(taken)
    model = own().fit(SPLIT)
    path = model.save(tmp_path / "constant")
    registry._KNOWN.pop("constant")
    with pytest.raises(BundleError, match=r"no model .constant."):
        recsys.Engine.load(path)


@pytest.mark.parametrize(
    "ask",
    [
        lambda e: e.recommend("u3", k="1"),
        lambda e: e.recommend("u3", because="3"),
        lambda e: e.recommend("u3", filters="comedy"),
        lambda e: e.recommend(3.5),
        lambda e: e.similar(None),
        lambda e: e.profile(ratings={"m1": "5"}),
        lambda _: recsys.Filters(years="x"),
        lambda _: recsys.Engine.from_model("ease"),
        lambda _: recsys.Engine.load(None),
        lambda _: fitted().save(None),
        lambda _: recsys.make_split("ml-100k", "ro"),
        lambda _: recsys.make_split(SPLIT.dataset, "ro", seed="x"),
    ],
)
def test_what_an_engine_cannot_use_is_an_error_of_ours(ask: Callable[[Any], object]) -> None:
    with pytest.raises(RecsysError):
        ask(recsys.Engine.from_model(fitted()))


def test_one_genre_and_one_year_are_filters_too() -> None:
    assert recsys.Filters(genre="comedy", years=1990) == recsys.Filters(("comedy",), (1990, 1990))


def test_a_model_has_one_version_however_it_was_asked_for() -> None:
    from recsys import workflow
    from recsys.config.experiment import ExperimentConfig, RecommenderConfig
    from recsys.recommenders.saving import contents_of

    told = RecommenderConfig(name="ease", options={"l2": 300.0})
    model = workflow.model_of(ExperimentConfig(recommender=told)).fit(SPLIT)
    config = ExperimentConfig(recommender=told)
    assert contents_of(model, config).label == contents_of(fitted()).label

"""The adapter around RecBole, with the process replaced by a few lines."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from recsys.benchmark.recbole import model as adapter
from recsys.benchmark.recbole.exchange import SCORES, RecBoleReport
from recsys.benchmark.recbole.model import RecBoleConfig, RecBoleModel
from recsys.data.split import TrainingData
from recsys.errors import ConfigError, DataError, MissingExtra, NotFittedError, RecsysError
from recsys.queries.query import Query
from recsys.recommenders.base import Recommender
from recsys.subprocesses import ProcessDied
from recsys.testing.worlds import two_genre_world

WORLD = two_genre_world()
TABLE = np.arange(np.prod(WORLD.train.shape), dtype=np.float32).reshape(WORLD.train.shape)
REPORT = RecBoleReport({"ndcg@10": 0.5}, 3, 7, 1.0, 0.5, 100.0, "1.2.1", {}, {})


class Worker:
    """Stands in for the process: keeps what it was told and answers with a table."""

    def __init__(self, scores=TABLE):
        self.scores = scores
        self.specs = []

    def __call__(self, _target, spec, **_):
        self.specs.append(spec)
        np.save(spec.folder / SCORES, self.scores)
        return nullcontext(self)

    def receive(self, _seconds):
        return REPORT


@pytest.fixture(autouse=True)
def recbole_is_there(monkeypatch):
    monkeypatch.setattr(adapter, "find_spec", lambda _: object())


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def worker(monkeypatch, temporary):
    stand_in = Worker()
    monkeypatch.setattr(adapter, "Subprocess", stand_in)
    return stand_in


def fitted(config=None, test=None):
    made = RecBoleModel(config or RecBoleConfig("EASE"))
    made.test = test
    return made.fit(TrainingData.of(WORLD.train, WORLD.valid, WORLD.catalogue))


def test_it_is_an_ordinary_recommender():
    made = RecBoleModel(RecBoleConfig("EASE"))
    assert isinstance(made, Recommender)
    assert made.name == "EASE (RecBole)"
    with pytest.raises(NotFittedError):
        made.score(Query.known(WORLD.train))


def test_scores_are_the_rows_of_the_users_asked(worker):
    users = np.array([7, 3, 3], dtype=np.int32)
    found = fitted().score(Query.known(WORLD.train, users))
    np.testing.assert_array_equal(found, TABLE[users])
    assert type(found) is np.ndarray
    assert found.dtype == np.float32


def test_scores_that_were_given_away_can_be_altered(worker):
    made, query = fitted(), Query.known(WORLD.train)
    made.score(query)[:] = -1
    np.testing.assert_array_equal(made.score(query), TABLE)


def test_the_report_is_kept_and_the_folder_is_not(worker, temporary):
    assert fitted().report == REPORT
    assert list(temporary.iterdir()) == []


def test_users_who_were_not_there_are_refused(worker):
    query = Query.known(WORLD.train, np.arange(5, dtype=np.int32))
    strangers = replace(query, users=np.array([0, -1, 2, -1, 60], dtype=np.int32))
    with pytest.raises(DataError, match="not there in training: 3 of 5") as caught:
        fitted().score(strangers)
    assert caught.value.rows == (
        "query 1: user row -1", "query 3: user row -1", "query 4: user row 60",
    )  # fmt: skip


def test_other_movies_are_refused(worker):
    other = Query.of(WORLD.train.matrix()[:, :30])
    with pytest.raises(DataError, match="30"):
        fitted().score(other)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_no_result(worker, bad):
    worker.scores = TABLE.copy()
    worker.scores[3, 4] = bad
    with pytest.raises(RecsysError, match=r"EASE \(RecBole\) has no result: 1 of its 3600"):
        fitted()


def test_a_failure_names_the_model_and_leaves_no_folder(monkeypatch, temporary):
    def fails(*_, **__):
        raise ProcessDied("its process ended with exit code 1\n    ValueError: late")

    monkeypatch.setattr(adapter, "Subprocess", fails)
    with pytest.raises(RecsysError, match=r"EASE \(RecBole\) has no result: its process") as caught:
        fitted()
    assert "compare its options" in caught.value.hint
    assert list(temporary.iterdir()) == []


def test_without_recbole_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(adapter, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"recsys\[recbole\]"):
        fitted()


def test_the_process_is_told_of_test_only_to_evaluate(worker):
    fitted()
    fitted(test=WORLD.test)
    without, given = worker.specs
    assert (without.evaluates, given.evaluates) == (False, True)
    assert without.settings == given.settings
    assert "test" not in given.settings["benchmark_filename"]


def test_options_reach_recbole_and_may_change_our_defaults(worker):
    options = {"reg_weight": 5.0, "valid_metric": "MRR@10"}
    fitted(RecBoleConfig("EASE", options, seed=7, threads=2))
    spec = worker.specs[0]
    assert spec.settings.items() >= {**options, "seed": 7, "use_gpu": False}.items()
    assert sorted(spec.options) == sorted(options)
    assert (spec.model, spec.threads, tuple(spec.shape)) == ("EASE", 2, WORLD.train.shape)


def test_models_of_whole_users_are_told_not_to_sample():
    asked = {m: RecBoleConfig(m).settings() for m in ("MultiVAE", "RecVAE", "DiffRec", "BPR")}
    told = {m: settings.get("train_neg_sample_args", "default") for m, settings in asked.items()}
    assert told == {"MultiVAE": None, "RecVAE": None, "DiffRec": None, "BPR": "default"}


def test_what_the_benchmark_decides_is_no_option():
    with pytest.raises(ConfigError, match="benchmark_filename, seed of BPR"):
        RecBoleConfig("BPR", {"seed": 1, "benchmark_filename": "x", "learning_rate": 0.1})


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_are_numpy_s(seed):
    with pytest.raises(ConfigError, match=f"seed {seed} of BPR"):
        RecBoleConfig("BPR", seed=seed)

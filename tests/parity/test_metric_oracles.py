"""The same numbers as scikit-learn, ir-measures and RecBole, to 1e-9."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.evaluation.evaluator import RankingEvaluator, RankingResult, RankingTask
from recsys.evaluation.genre import evaluate_genres
from recsys.evaluation.rating import RatingResult
from recsys.queries.topk import top_k

KS = (1, 3, 10)
EXACT = {"rtol": 0, "atol": 1e-9}


@dataclass(frozen=True)
class Case:
    """One world: scores, truth, and what our evaluator makes of them."""

    scores: NDArray[np.float32]
    truth: NDArray[np.bool_]
    result: RankingResult
    items: NDArray[np.int32]

    def relevant(self) -> NDArray[np.bool_]:
        return self.truth[self.result.users]

    def scored(self) -> NDArray[np.float32]:
        return self.scores[self.result.users]


def make_case(seed: int, *, ties: bool, holes: bool, n_items: int = 40) -> Case:
    """A random world in which a tenth of the users has no test item."""
    rng = np.random.default_rng(seed)
    shape = (30, n_items)
    scores = rng.permuted(np.arange(shape[0] * n_items)).reshape(shape).astype(np.float32)
    scores = scores % 7 if ties else scores / 1000
    truth = rng.random(shape) < rng.choice([0.05, 0.2, 0.5], size=(shape[0], 1))
    truth[rng.random(shape[0]) < 0.1] = False
    truth[0] = np.arange(n_items) < 2
    if holes:
        scores[rng.random(shape) < 0.5] = -np.inf
        scores[1] = -np.inf
    result = RankingEvaluator(RankingTask(sp.csr_array(truth), ks=KS, block=7)).evaluate(scores)
    return Case(scores, truth, result, top_k(scores[result.users], max(KS)).items)


CASES = [
    pytest.param({"seed": s, "ties": t, "holes": h, "n_items": n}, id=f"{s}-{t=}-{h=}-{n}")
    for s, (t, h) in enumerate([(False, False), (True, False), (False, True), (True, True)])
    for n in (40, 7)  # seven items: k is larger than the catalogue
]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(**request.param)


def test_cases_hold_what_they_are_for() -> None:
    made = [make_case(**param.values[0]) for param in CASES]  # type: ignore[arg-type]
    assert all(case.result.n_skipped for case in made[:2])
    assert any((case.items < 0).any() for case in made)
    assert any(len(np.unique(case.scores)) < 10 for case in made)


class TestIrMeasures:
    def test_every_user(self, case: Case) -> None:
        ir = pytest.importorskip("ir_measures")
        ours = {"nDCG": "ndcg", "R": "recall", "P": "precision", "RR": "mrr", "Success": "hit"}
        measures = {getattr(ir, name) @ k: f"{o}@{k}" for name, o in ours.items() for k in KS}
        qrels = {
            str(q): {str(i): 1 for i in np.flatnonzero(row)}
            for q, row in enumerate(case.relevant())
        }
        run = {  # our lists as strictly descending scores, since it breaks ties by document name
            str(q): {str(i): float(-place) for place, i in enumerate(items) if i >= 0}
            for q, items in enumerate(case.items)
        }
        theirs = {name: np.zeros(len(qrels)) for name in measures.values()}
        for found in ir.iter_calc(list(measures), qrels, run):
            theirs[measures[found.measure]][int(found.query_id)] = found.value
        for name, values in theirs.items():
            np.testing.assert_allclose(case.result.per_user[name], values, **EXACT, err_msg=name)

    def test_average_precision_where_definitions_agree(self, case: Case) -> None:
        """trec_eval divides by |R|, not min(|R|, k)."""
        ir = pytest.importorskip("ir_measures")
        few = np.flatnonzero(case.relevant().sum(axis=1) <= max(KS))
        qrels = {str(q): {str(i): 1 for i in np.flatnonzero(case.relevant()[q])} for q in few}
        run = {
            str(q): {str(i): float(-place) for place, i in enumerate(case.items[q]) if i >= 0}
            for q in few
        }
        values = np.zeros(len(case.items))
        for found in ir.iter_calc([ir.AP @ max(KS)], qrels, run):
            values[int(found.query_id)] = found.value
        ours = case.result.per_user[f"map@{max(KS)}"]
        assert len(few) > 2
        np.testing.assert_allclose(ours[few], values[few], **EXACT)


@pytest.fixture(params=range(4))
def distinct(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param, ties=False, holes=False)


class TestScikitLearn:
    def test_ndcg(self, distinct: Case) -> None:
        metrics = pytest.importorskip("sklearn.metrics")
        for k in KS:
            theirs = [
                metrics.ndcg_score([truth], [scores], k=k)
                for truth, scores in zip(distinct.relevant(), distinct.scored(), strict=True)
            ]
            np.testing.assert_allclose(distinct.result.per_user[f"ndcg@{k}"], theirs, **EXACT)

    def test_average_precision_of_whole_rankings(self, distinct: Case) -> None:
        metrics = pytest.importorskip("sklearn.metrics")
        n_items = distinct.scores.shape[1]
        task = RankingTask(sp.csr_array(distinct.truth), ks=(n_items,))
        ours = RankingEvaluator(task).evaluate(distinct.scores).per_user[f"map@{n_items}"]
        theirs = [
            metrics.average_precision_score(truth, scores)
            for truth, scores in zip(distinct.relevant(), distinct.scored(), strict=True)
        ]
        np.testing.assert_allclose(ours, theirs, **EXACT)

    @pytest.mark.parametrize("digits", [1, 7])
    @pytest.mark.parametrize("seed", range(4))
    def test_genres(self, seed: int, digits: int) -> None:
        metrics = pytest.importorskip("sklearn.metrics")
        rng = np.random.default_rng(seed)
        guess = rng.random((200, 8)).round(digits)  # one digit: many ties, some at the threshold
        truth = rng.random((200, 8)) < np.linspace(0.02, 0.98, 8)
        truth[:, 3], truth[:, 4] = False, True
        truth[:, 5], guess[:, 5] = False, 0.1
        mask = rng.random(200) < 0.6
        found = evaluate_genres(guess, truth, mask)
        guess, truth = guess[mask], truth[mask]
        predicted = guess >= 0.5
        each = metrics.f1_score(truth, predicted, average=None, zero_division=0)
        micro = metrics.f1_score(truth, predicted, average="micro")
        both = [g for g in range(8) if 0 < truth[:, g].sum() < len(truth)]
        auc = metrics.roc_auc_score(truth[:, both], guess[:, both], average="macro")
        np.testing.assert_allclose(found.f1, each, **EXACT)
        assert found.macro_f1 == pytest.approx(each.mean(), abs=1e-9)
        assert found.micro_f1 == pytest.approx(micro, abs=1e-9)
        assert found.n_auc == len(both) <= 5
        assert found.summary()["macro_roc_auc"] == pytest.approx(auc, abs=1e-9)

    def test_rating_errors(self) -> None:
        metrics = pytest.importorskip("sklearn.metrics")
        rng = np.random.default_rng(0)
        guess, stars = rng.uniform(1, 5, 999), rng.integers(1, 6, 999)
        found = errors(guess - stars)
        squared, absolute = metrics.mean_squared_error, metrics.mean_absolute_error
        assert found.rmse**2 == pytest.approx(squared(stars, guess), abs=1e-9)
        assert found.mae == pytest.approx(absolute(stars, guess), abs=1e-9)


RECBOLE_SCRIPT = """
import json, sys
import numpy as np, torch
np.bool, np.float, np.object = np.bool_, np.float_, np.object_  # as RecBole's own Config does
from recbole.evaluator import metrics as m
from recbole.evaluator.collector import DataStruct

def run(path, names, ks):
    config = {"topk": ks, "metric_decimal_place": 15}
    with np.load(path) as arrays:
        data = DataStruct()
        for key in arrays.files:
            value = arrays[key]
            data.set(key, int(value) if value.ndim == 0 else torch.from_numpy(value))
    found = {}
    for name in names:
        found |= getattr(m, name)(config).calculate_metric(data)
    return {name: float(value) for name, value in found.items()}

asked = json.load(sys.stdin)
with open(asked["out"], "w") as out:
    json.dump([run(*job) for job in asked["jobs"]], out)
"""
ACCURACY = ("Recall", "MRR", "NDCG", "Hit", "Precision", "MAP")
CATALOGUE = {"itemcoverage": "coverage", "giniindex": "gini"}


def ask_recbole(jobs: list[tuple[str, tuple[str, ...], tuple[int, ...]]], folder: Path) -> list:
    out = folder / "found.json"
    done = subprocess.run(
        [sys.executable, "-c", RECBOLE_SCRIPT],
        input=json.dumps({"jobs": jobs, "out": str(out)}),
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(out.read_text()))


@pytest.mark.recbole
def test_recbole(tmp_path: Path) -> None:
    """RecBole is given our lists, since it would break ties by chance."""
    cases = [make_case(**param.values[0]) for param in CASES]  # type: ignore[arg-type]
    jobs: list[tuple[str, tuple[str, ...], tuple[int, ...]]] = []
    for number, case in enumerate(cases):
        complete = (case.items >= 0).all()
        names = (*ACCURACY, "ItemCoverage", "GiniIndex") if complete else ACCURACY
        np.savez(tmp_path / f"{number}.npz", **recbole_inputs(case))
        jobs.append((str(tmp_path / f"{number}.npz"), names, KS))
    guess, stars = np.random.default_rng(1).uniform(1, 5, (2, 500, 1))
    np.savez(tmp_path / "ratings.npz", **{"rec.score": guess, "data.label": stars})
    jobs.append((str(tmp_path / "ratings.npz"), ("RMSE", "MAE"), KS))
    *rankings, ratings = ask_recbole(jobs, tmp_path)
    for case, theirs in zip(cases, rankings, strict=True):
        ours = case.result.summary()
        for name, value in theirs.items():
            metric, k = name.split("@")
            assert ours[f"{CATALOGUE.get(metric, metric)}@{k}"] == pytest.approx(value, abs=1e-9)
    assert sum(len(theirs) for theirs in rankings) == 8 * 18 + 2 * 6
    ours = errors((guess - stars).ravel())
    assert ratings == pytest.approx({"rmse": ours.rmse, "mae": ours.mae}, abs=1e-9)


def errors(difference: NDArray[np.float64]) -> RatingResult:
    """One rating a user."""
    each = np.arange(len(difference))
    return RatingResult(each, np.ones_like(each), difference**2, np.abs(difference))


def recbole_inputs(case: Case) -> dict[str, NDArray[np.generic]]:
    relevant = case.relevant()
    hits = np.take_along_axis(relevant, case.items, axis=1) & (case.items >= 0)
    positives = relevant.sum(axis=1, keepdims=True)
    return {
        "rec.topk": np.concatenate([hits, positives], axis=1).astype(np.int64),
        "rec.items": case.items.astype(np.int64),
        "data.num_items": np.array(case.scores.shape[1]),
    }

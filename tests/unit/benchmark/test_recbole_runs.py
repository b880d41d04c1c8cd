"""RecBole itself, on toy worlds: rows, columns, stopping, figures, and what it is not told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from recsys.benchmark.recbole.model import RecBoleConfig, RecBoleModel
from recsys.config.experiment import EvaluationConfig
from recsys.data.sources import open_dataset
from recsys.data.split import Split, TrainingData
from recsys.data.splits import make_split
from recsys.errors import RecsysError
from recsys.evaluation.evaluate import Evaluator
from recsys.queries.query import Query
from recsys.queries.topk import top_k
from recsys.recommenders.closed_form.ease import Ease, EaseConfig
from recsys.testing.worlds import two_genre_world

pytestmark = [pytest.mark.recbole, pytest.mark.slow]

WORLD = two_genre_world()
DATA = TrainingData.of(WORLD.train, WORLD.valid, WORLD.catalogue)
QUERY = Query.known(WORLD.train)
EXACT = 1e-6
K = 10


@pytest.fixture(scope="module")
def ml100k():
    return make_split(open_dataset("ml-100k"), "ro", 2020)


def fit(model, options=None, test=None):
    made = RecBoleModel(RecBoleConfig(model, options or {}))
    made.test = test
    return made.fit(DATA)


@pytest.fixture(scope="module")
def ease():
    return fit("EASE", {"reg_weight": 20.0}, test=WORLD.test)


@pytest.fixture(scope="module")
def bpr():
    return fit("BPR", {"epochs": 3})


class TestScores:
    def test_every_row_and_column_is_where_it_belongs(self, ease):
        ours = Ease(EaseConfig(l2=20.0)).fit(DATA)
        np.testing.assert_allclose(ease.score(QUERY), ours.score(QUERY), atol=1e-5)
        assert WORLD.train.item_counts().min() == 0

    def test_popularity_is_a_column_a_movie(self):
        counts = WORLD.train.item_counts()
        expected = np.tile(counts / counts.max(), (len(QUERY), 1))
        # It counts a movie once a batch, sampled negatives included.
        one_by_one = {"train_neg_sample_args": None, "train_batch_size": 1}
        np.testing.assert_allclose(fit("Pop", one_by_one).score(QUERY), expected, atol=1e-6)

    def test_a_model_without_a_score_of_all_movies_is_asked_for_each(self):
        model = fit("NeuMF", {"epochs": 1, "mlp_hidden_size": "[8]", "eval_batch_size": 500})
        assert model.report.parameters == 2 * (64 + 64) * 61 + (128 * 8 + 8) + (64 + 8 + 1)
        assert len(np.unique(model.score(QUERY))) > 1000


class TestTraining:
    def test_the_report_is_of_this_fit(self, bpr, ease):
        assert bpr.report.epochs == 3
        assert bpr.report.parameters == 64 * (61 + 61)
        assert ease.report.epochs == 1
        warm = int((WORLD.train.item_counts() > 0).sum())
        assert ease.report.parameters == warm * (warm - 1)
        assert bpr.report.fit_seconds > 0
        assert bpr.report.peak_mib > 100
        assert not bpr.report.reference

    def test_the_best_epoch_is_kept(self, bpr):
        ours = Evaluator.on_valid(DATA, EvaluationConfig(ks=(10,))).ranking(bpr).means()
        for name, value in bpr.report.valid.items():
            assert ours[name] == pytest.approx(value, abs=6e-5), name

    def test_test_changes_nothing_but_the_reference(self, bpr):
        given = fit("BPR", {"epochs": 3}, test=WORLD.test)
        np.testing.assert_array_equal(given.score(QUERY), bpr.score(QUERY))
        assert given.report.valid == bpr.report.valid
        assert given.report.reference.keys() == bpr.report.valid.keys()

    def test_an_option_nobody_knows_is_an_error(self):
        with pytest.raises(RecsysError, match=r"EASE has no option reg_wieght"):
            fit("EASE", {"reg_wieght": 1.0})


@dataclass(frozen=True)
class CrossCheck:
    """The test figures of one fit, by two evaluators.

    Attributes:
        ours: "ndcg@10", "recall@10", "mrr@10", "hit@10", "precision@10" of the exported scores.
        theirs: RecBole's of the same scores, ties broken as ours are.
        native: RecBole's of its model asked anew, ties as its sort leaves them.
        tied: users with two equal scores among their first eleven: only they can make ``native``
            differ, in a model whose scores are not drawn anew each time.
    """

    ours: Mapping[str, float]
    theirs: Mapping[str, float]
    native: Mapping[str, float]
    tied: int

    @property
    def difference(self) -> float:
        """The largest between ours and theirs."""
        return max(abs(self.ours[name] - value) for name, value in self.theirs.items())


def cross_check(split: Split, config: RecBoleConfig) -> CrossCheck:
    """Fit once, evaluate twice: all items but those in train and valid, lists of ten.

    Raises:
        RecsysError: the fit failed.
    """
    model = RecBoleModel(config)
    model.test = split.test
    model.fit(split)
    evaluator = Evaluator.on_test(split, EvaluationConfig(ks=(K,)))
    ours = evaluator.ranking(model).means()
    theirs, native = model.report.reference, model.report.native
    tied = _tied(split, model.score(evaluator.query))
    return CrossCheck({name: ours[name] for name in theirs}, theirs, native, tied)


def _tied(split: Split, scores: np.ndarray) -> int:
    for part in (split.train, split.valid):
        scores[part.user, part.item] = -np.inf
    best = top_k(scores[np.unique(split.test.user)], K + 1).scores
    return int((best[:, 1:] == best[:, :-1]).any(axis=1).sum())


def require_equal(check: CrossCheck) -> None:
    assert set(check.ours) == {"recall@10", "mrr@10", "ndcg@10", "hit@10", "precision@10"}
    assert check.difference < EXACT
    if not check.tied:
        assert check.native == pytest.approx(check.ours, abs=EXACT)


class TestCrossCheck:
    """Both evaluators, same fit: equal wherever the order is the same, ties or not."""

    def test_pop_on_recbole_s_own_split(self, ml100k):
        check = cross_check(ml100k, RecBoleConfig("Pop"))
        require_equal(check)
        assert check.tied > 900

    def test_ease_on_recbole_s_own_split(self, ml100k):
        check = cross_check(ml100k, RecBoleConfig("EASE", {"reg_weight": 250.0}))
        require_equal(check)
        assert check.tied == 0
        assert check.ours["ndcg@10"] == pytest.approx(0.330, abs=0.005)

"""Permutation test: a fit to shuffled ratings must come to chance.

The other checks ask a model that is fitted, and cannot tell what it was given. Here one is fitted
with the same hyper-parameters where every movie has the ratings of another, and stars are exchanged
between ratings. A model that still finds test ratings was told of them by something else than
ratings to learn from.

================== =================================================================================
ndcg@10            mean over a sample of the users
others             the same where each user's list is evaluated by what users who rated about as
                   many movies are to find
personal           how far the first is above the second, in standard errors of the users'
                   differences: at most ``PERSONAL``
chance             NDCG@10 of lists that are alike for everybody, drawn at random; the mean of many
deviations         how far the first is above chance, in standard deviations of such lists: at most
                   ``DEVIATIONS``
explained          share of the variance of test ratings that predictions explain: at most
                   ``EXPLAINED``
================== =================================================================================

Who knows what a user is to find is caught by the one comparison. Who knows what many are to find is
caught by the other, which is coarse: a few movies have most of the ratings, and random lists vary.

Legend: U users, I movies, S sampled users.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.benchmark.checks import pairs
from recsys.benchmark.evaluating import with_timestamps
from recsys.benchmark.list_checks import ndcg, sample
from recsys.benchmark.metrics import Task
from recsys.benchmark.split_data import Lists, SplitData
from recsys.data.split import Split
from recsys.evaluation.evaluator import RankingEvaluator, RankingTask
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Predictor, Scorer
from recsys.recommenders.base import Recommender
from recsys.seeding import stream

SAMPLE: Final = 1000
DRAWS: Final = 50
_STEPS: Final = (-2, -1, 1, 2)
_ROUNDING: Final = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shuffled:
    """Split data whose ratings to learn from are shuffled.

    Attributes:
        data: those of test that are among them by chance are taken out of test.
        given: (I,) the row that the ratings of each movie are given to.
        before: the data as it was.
    """

    data: SplitData
    given: NDArray[np.int32]
    before: SplitData

    @classmethod
    def of(cls, data: SplitData, seed: int) -> Shuffled:
        """Exchange movies among those that are known, and stars within each part.

        Movies that are cold, on test or on valid, stay so.
        """
        split = data.split
        given = _exchanged(len(split.train.items), split, seed)
        rng = stream(seed, "null fit/stars")
        train, valid = (
            replace(part, item=given[part.item], rating=rng.permutation(part.rating))
            for part in (split.train, split.valid)
        )
        learnt = np.concatenate([pairs(train), pairs(valid)])
        test = split.test.select(~np.isin(pairs(split.test), learnt))
        split = replace(split, train=train, valid=valid, test=test)
        return cls(replace(data, split=split), given, data)

    def refit_on_train_valid(self) -> Shuffled:
        """See ``SplitData.refit_on_train_valid``."""
        return replace(self, data=self.data.refit_on_train_valid())

    def lists(self) -> Lists:
        """Those of the headline; what is given of held-out users is shuffled as well."""
        lists = next(iter(self.data.lists("test").values()))
        if self.data.choosing is None:
            return lists
        task, seen = lists.task, self._moved(lists.task.seen)
        query = replace(lists.query, histories=self._moved(lists.query.histories))
        return Lists(replace(task, truth=_without(task.truth, seen), seen=seen), query)

    def to_find(self) -> sp.csr_array:
        """(U, I) what the same lists are to hold, with what is known by chance."""
        return sp.csr_array(next(iter(self.before.lists("test").values())).task.truth)

    def _moved(self, ratings: sp.csr_array) -> sp.csr_array:
        """(U, I) with each column where its movie's ratings are given to."""
        coo = ratings.tocoo()
        return sp.csr_array((coo.data, (coo.row, self.given[coo.col])), shape=coo.shape)


def _exchanged(n_items: int, split: Split, seed: int) -> NDArray[np.int32]:
    """(I,) a permutation that leaves the cold movies of test, and keeps those of valid together."""
    given = np.arange(n_items, dtype=np.int32)
    rng = stream(seed, "null fit/movies")
    known = np.setdiff1d(given, np.concatenate([split.cold_items, split.cold_valid_items]))
    for rows in (known, split.cold_valid_items):
        given[rows] = rows[rng.permutation(len(rows))]
    return given


def _without(truth: sp.csr_array, seen: sp.csr_array) -> sp.csr_array:
    """(U, I) ratings to be found but those that are known."""
    coo, known = truth.tocoo(), seen.tocoo()
    key, of_known = (m.row.astype(np.int64) * m.shape[1] + m.col for m in (coo, known))
    kept = ~np.isin(key, of_known)
    return sp.csr_array((coo.data[kept], (coo.row[kept], coo.col[kept])), shape=coo.shape)


def values(model: Recommender, shuffled: Shuffled, tasks: Sequence[Task]) -> dict[str, float]:
    """What a model that was fitted to shuffled ratings is checked by."""
    found: dict[str, float] = {}
    if set(tasks) - {"rating"} and model.ranks:
        found |= _of_lists(model, shuffled.lists(), shuffled.to_find())
    if "rating" in tasks and model.predicts_ratings:
        found["explained"] = _explained(model, shuffled.data)
    return found


def _of_lists(scorer: Scorer, lists: Lists, to_find: sp.csr_array) -> dict[str, float]:
    users, task = sample(lists.task, SAMPLE)
    scores = scorer.score(lists.query.select(users))
    rated = _row_counts(task.seen) + _row_counts(to_find[users])
    order = np.argsort(rated, kind="stable")
    own, others = ndcg(task, scores), _by_others(task, scores, to_find[users], order)
    apart = own - others
    found, chance = float(own.mean()), _alike(task)
    return {
        "ndcg@10": found,
        "others": float(others.mean()),
        "personal": _times(float(apart.mean()), float(apart.std() / np.sqrt(len(apart)))),
        "chance": float(chance.mean()),
        "deviations": _times(found - float(chance.mean()), float(chance.std())),
    }


def _row_counts(ratings: object) -> NDArray[np.int64]:
    return np.asarray(np.diff(sp.csr_array(ratings).indptr), dtype=np.int64)


def _times(difference: float, deviation: float) -> float:
    """How many deviations; very many where there is a difference and nothing deviates."""
    return difference / max(deviation, _ROUNDING)


def _by_others(
    task: RankingTask,
    scores: NDArray[np.float32],
    to_find: sp.csr_array,
    order: NDArray[np.int64],
) -> Floats:
    """(S,) NDCG@10 of each user's list by what the next in (S,) order are to find; a mean.

    Of each of these what the user knows is taken out, as of their own: taken out of both, movies
    that many know would be fewer among what others are to find.
    """
    place = np.argsort(order)
    neighbours = (order[(place + step) % len(order)] for step in _STEPS)
    found = [_evaluated_by(task, scores, to_find[other]) for other in neighbours]
    return np.asarray(np.mean(found, axis=0))


def _evaluated_by(task: RankingTask, scores: NDArray[np.float32], to_find: sp.csr_array) -> Floats:
    """(S,) 0 where everything is known, as where nothing is found."""
    exchanged = replace(task, truth=_without(to_find, sp.csr_array(task.seen)))
    found = np.zeros(len(scores))
    found[RankingEvaluator(exchanged).users] = ndcg(exchanged, scores)
    return found


def _alike(task: RankingTask) -> Floats:
    """Means over users of random lists that are alike for everybody, one a draw."""
    rng = stream(0, "null fit/chance")
    shape = task.truth.shape
    draws = (np.broadcast_to(rng.random(shape[1], np.float32), shape) for _ in range(DRAWS))
    return np.array([ndcg(task, scores).mean() for scores in draws])


def _explained(predictor: Predictor, data: SplitData) -> float:
    """1 minus the mean squared error over the variance of test ratings."""
    test = data.split.test
    told = with_timestamps(predictor, test)
    error = evaluate_ratings(told, test, data.evaluator("test").query).rmse
    variance = float(np.var(test.rating, dtype=np.float64))
    return 1 - error**2 / variance if variance else 0.0

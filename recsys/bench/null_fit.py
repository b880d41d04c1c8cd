"""A fit to shuffled ratings, which must come to chance.

The other gates ask a model that is fitted, and cannot tell what it was given. Here one is fitted
with the same options where every movie has the ratings of another, and stars are exchanged between
ratings. Whoever still finds test ratings was told of them by something else than ratings to learn
from.

================== =================================================================================
null/ndcg@10       mean over a sample of the users
null/chance        the same of lists that are alike for everybody, drawn at random; the mean of many
null/deviations    how far the first is above the second, in standard deviations of such lists: at
                   most ``DEVIATIONS``
null/explained     share of the variance of test ratings that predictions explain: at most
                   ``EXPLAINED``
================== =================================================================================

Random lists that are alike for everybody vary more than any others, because a few movies have most
of the ratings: the gate is for leaks, and not for faint ones.

Legend: U users, I movies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bench.contender import Model, Task
from recsys.bench.gate_lists import ndcg, sample
from recsys.bench.gates import pairs
from recsys.bench.grounds import Asked, Ground
from recsys.bench.side_inputs import told_of_times
from recsys.data.splits import Split
from recsys.evaluation.blocks import Scorer
from recsys.evaluation.evaluator import RankingTask
from recsys.evaluation.rating import evaluate_ratings
from recsys.models.recommender import Predictor
from recsys.seeding import stream

DRAWS: Final = 100


@dataclass(frozen=True)
class Shuffled:
    """Ground whose ratings to learn from are shuffled.

    Attributes:
        ground: those of test that are among them by chance are taken out of test.
        given: (I,) the row that the ratings of each movie are given to.
    """

    ground: Ground
    given: NDArray[np.int32]

    @classmethod
    def of(cls, ground: Ground, seed: int) -> Shuffled:
        """Exchange movies among those that are known, and stars within each part.

        Movies that are cold, on test or on valid, stay so.
        """
        split = ground.split
        given = _exchanged(len(split.train.items), split, seed)
        rng = stream(seed, "null fit/stars")
        train, valid = (
            replace(part, item=given[part.item], rating=rng.permutation(part.rating))
            for part in (split.train, split.valid)
        )
        learnt = np.concatenate([pairs(train), pairs(valid)])
        test = split.test.select(~np.isin(pairs(split.test), learnt))
        return cls(
            replace(ground, split=replace(split, train=train, valid=valid, test=test)), given
        )

    @property
    def refitted(self) -> Shuffled:
        """See ``Ground.refitted``."""
        return replace(self, ground=self.ground.refitted)

    def asked(self) -> Asked:
        """The lists of the headline; what newcomers tell of themselves is shuffled as well."""
        asked = next(iter(self.ground.asked("test").values()))
        if self.ground.choosing is None:
            return asked
        task, seen = asked.task, self._moved(asked.task.seen)
        query = replace(asked.query, histories=self._moved(asked.query.histories))
        return Asked(replace(task, truth=_without(task.truth, seen), seen=seen), query)

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


def values(model: Model, shuffled: Shuffled, tasks: Sequence[Task]) -> dict[str, float]:
    """What a model that was fitted to shuffled ratings is checked by."""
    found: dict[str, float] = {}
    if set(tasks) - {"rating"}:
        found |= _of_lists(cast(Scorer, model), shuffled.asked())
    if "rating" in tasks:
        found["explained"] = _explained(cast(Predictor, model), shuffled.ground)
    return {f"null/{name}": value for name, value in found.items()}


def _of_lists(scorer: Scorer, asked: Asked) -> dict[str, float]:
    users, task = sample(asked.task)
    found = float(ndcg(task, scorer.score(asked.query.select(users))).mean())
    chance = _alike(task)
    deviation = float(chance.std())
    return {
        "ndcg@10": found,
        "chance": float(chance.mean()),
        "deviations": (found - float(chance.mean())) / deviation if deviation else 0.0,
    }


def _alike(task: RankingTask) -> NDArray[np.float64]:
    """Means over users of random lists that are alike for everybody, one a draw."""
    rng = stream(0, "null fit/chance")
    shape = task.truth.shape
    draws = (np.broadcast_to(rng.random(shape[1], np.float32), shape) for _ in range(DRAWS))
    return np.array([ndcg(task, scores).mean() for scores in draws])


def _explained(predictor: Predictor, ground: Ground) -> float:
    """1 minus the mean squared error over the variance of test ratings."""
    test = ground.split.test
    told = told_of_times(predictor, test)
    error = evaluate_ratings(told, test, ground.judge("test").query).rmse
    variance = float(np.var(test.rating, dtype=np.float64))
    return 1 - error**2 / variance if variance else 0.0

"""Two evaluators on one model: RecBole's and ours must find the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.bench.recbole.model import RecBoleConfig, RecBoleModel
from recsys.config.experiment import EvaluationConfig
from recsys.data.catalogue import Catalogue
from recsys.data.splits import Split
from recsys.experiment.measure import Judge
from recsys.models.topk import top_k

_K = 10


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


def cross_check(split: Split, catalogue: Catalogue, config: RecBoleConfig) -> CrossCheck:
    """Fit once, judge twice: all items but those in train and valid, lists of ten.

    Raises:
        RecsysError: the fit failed.
    """
    model = RecBoleModel(config)
    model.fit(split.train, split.valid, catalogue, test=split.test)
    judge = Judge(split, "test", EvaluationConfig(ks=(_K,)))
    ours = (judge.overall(model) or judge.ranking(model)).means()
    theirs, native = model.report.reference, model.report.native
    tied = _tied(split, model.score(judge.query))
    return CrossCheck({name: ours[name] for name in theirs}, theirs, native, tied)


def _tied(split: Split, scores: NDArray[np.float32]) -> int:
    for part in (split.train, split.valid):
        scores[part.user, part.item] = -np.inf
    best = top_k(scores[np.unique(split.test.user)], _K + 1).scores
    return int((best[:, 1:] == best[:, :-1]).any(axis=1).sum())

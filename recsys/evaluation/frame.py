"""Evaluations as a frame, with paired statistics as a method.

Legend: Q users that are evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recsys.errors import ConfigError, nearest
from recsys.evaluation.evaluate import Evaluation
from recsys.evaluation.statistics import compare, holm

RMSE = "rmse"


class EvaluationFrame(pd.DataFrame):
    """One row a model, one column a metric; NaN where a model does not answer.

    What every user's figures were is kept beside it, for ``paired``.
    """

    _metadata = ["evaluations"]  # noqa: RUF012 - how pandas asks for it

    evaluations: dict[str, Evaluation]

    @property
    def _constructor(self) -> type[EvaluationFrame]:
        return EvaluationFrame

    @classmethod
    def of(cls, evaluations: Sequence[Evaluation]) -> EvaluationFrame:
        """The frame of some evaluations on one split.

        Raises:
            ConfigError: two of them have one name.
        """
        by_name = {one.model: one for one in evaluations}
        if len(by_name) < len(evaluations):
            raise ConfigError(
                f"two models have one name: {', '.join(one.model for one in evaluations)}",
                hint="set model.name before they are evaluated",
            )
        frame = cls([_metrics(one) for one in evaluations], index=pd.Index(by_name, name="model"))
        frame.evaluations = by_name
        return frame

    def paired(self, metric: str = "ndcg@10", *, seed: int = 0) -> pd.DataFrame:
        """Every pair of models, user by user.

        Args:
            metric: of the lists, such as "ndcg@10"; or "rmse", whose pairs are the users' mean
                squared errors in stars squared.
            seed: of the bootstrap.

        Returns:
            a frame with the columns first, second, difference (of the means over users), low and
            high (bootstrap interval of 95 % over users), p (paired t-test) and p_holm (corrected
            for all pairs). One split alone: how the split was drawn is not in it.

        Raises:
            ConfigError: no two models have the metric, or the frame was joined from others.
        """
        evaluations = getattr(self, "evaluations", None)
        if evaluations is None:
            raise ConfigError(
                "this frame does not hold the figures of every user",
                hint="ask the one that recsys.evaluate gave",
            )
        each = {name: _of_users(one, metric) for name, one in evaluations.items()}
        values = {name: found for name, found in each.items() if found is not None}
        if len(values) < 2:
            known = [c for c in self.columns if "@" in str(c)] + [RMSE]
            close = ", ".join(nearest(metric, known) or known)
            raise ConfigError(
                f"fewer than two models have {metric!r} for every user", hint=f"there are: {close}"
            )
        pairs = list(combinations(values, 2))
        tests = {p: compare(values[p[0]], values[p[1]], seed=seed) for p in pairs}
        corrected = holm({pair: found.t_p for pair, found in tests.items()})
        columns = ["first", "second", "difference", "low", "high", "p", "p_holm"]
        rows = [
            (*pair, found.difference, found.low, found.high, found.t_p, corrected[pair])
            for pair, found in tests.items()
        ]
        return pd.DataFrame(rows, columns=columns)


def _metrics(one: Evaluation) -> dict[str, Any]:
    """The figures of ranking and rating by name, those of other groups by "group/name"."""
    return {
        name if group in ("ranking", "rating") else f"{group}/{name}": value
        for group, figures in one.summaries().items()
        for name, value in figures.items()
    }


def _of_users(one: Evaluation, metric: str) -> NDArray[np.float64] | None:
    """(Q,) values of a metric, in ascending order of user."""
    if metric == RMSE:
        return None if one.rating is None else np.asarray(one.rating.squared / one.rating.counts)
    return None if one.ranking is None else one.ranking.per_user.get(metric)

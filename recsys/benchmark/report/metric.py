"""The figures that are reported, and where they stand in a document."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from recsys.benchmark.contender import Task
from recsys.benchmark.fold_in import HEADLINE_LIKES, LIKES
from recsys.evaluation.report import ResultRow


@dataclass(frozen=True)
class Metric:
    """One figure.

    Attributes:
        path: a group of ``ResultRow`` and an entry of it: "ranking.ndcg@10".
        title: its column.
        digits: decimals.
        higher_is_better: which way is up.
        per_user: the key of its values a user in ``Run.per_user``; "" where there are none.
        root_of_squares: whether those are mean squares whose root this is.
    """

    path: str
    title: str
    digits: int = 4
    higher_is_better: bool = True
    per_user: str = ""
    root_of_squares: bool = False

    def of(self, row: ResultRow) -> float:
        """Its value, NaN where the row has none."""
        group, _, entry = self.path.partition(".")
        found = getattr(row, group)
        if isinstance(found, BaseModel):
            found = found.model_dump()
        value = (found or {}).get(entry)
        return math.nan if value is None else float(value)


_AT_10 = {"ndcg": "NDCG", "recall": "Recall", "mrr": "MRR", "hit": "Hit", "precision": "Precision"}

RANKING = tuple(
    Metric(f"ranking.{name}@10", f"{title}@10", per_user=f"{name}@10")
    for name, title in _AT_10.items()
)
OVERALL = tuple(
    Metric(f"overall.{name}@10", f"{_AT_10[name]}@10, all movies", per_user=f"overall/{name}@10")
    for name in ("ndcg", "recall")
)
FOLD_IN = tuple(
    Metric(
        f"ranking.{name}@10/likes={n}",
        f"{_AT_10[name]}@10, {n} like{'s' if n > 1 else ''}",
        per_user=key,
    )
    for name in ("ndcg", "recall")
    for n in LIKES
    for key in (f"{name}@10/likes={n}",)
    if name == "ndcg" or n == HEADLINE_LIKES
)
RATING = (
    Metric(
        "rating.rmse",
        "RMSE",
        higher_is_better=False,
        per_user="squared_error",
        root_of_squares=True,
    ),
    Metric("rating.mae", "MAE", higher_is_better=False),
    Metric("rating.level_nll", "NLL of levels", higher_is_better=False),
    Metric("rating.pit_80", "PIT 80 %", 3),
    Metric("rating.nll", "NLL, Gaussian", higher_is_better=False),
    Metric("rating.coverage_80", "covered by 80 %", 3),
)
METRICS: Mapping[Task, tuple[Metric, ...]] = MappingProxyType(
    {"warm": RANKING, "rating": RATING, "cold": (*RANKING[:2], *OVERALL), "fold-in": FOLD_IN}
)
"""What is reported of a task."""
HEADLINE: Mapping[Task, Metric] = MappingProxyType(
    {
        "warm": RANKING[0],
        "rating": RATING[0],
        "cold": RANKING[0],
        "fold-in": next(m for m in FOLD_IN if m.path.endswith(f"ndcg@10/likes={HEADLINE_LIKES}")),
    }
)
"""What contenders are compared by."""
BESIDE: Mapping[Task, tuple[Metric, ...]] = MappingProxyType(
    {
        "warm": RANKING[1:2],
        "rating": RATING[1:2],
        "cold": OVERALL[:1],
        "fold-in": (FOLD_IN[0], FOLD_IN[len(LIKES) - 1]),
    }
)
"""What stands beside the headline where there is room for little."""
FIT_SECONDS = Metric("seconds.fit", "fit, s", 2, higher_is_better=False)
SCORE_SECONDS = Metric("seconds.score", "score all users, s", 2, higher_is_better=False)

"""The figures that are reported of each task, and the one that models are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from recsys.benchmark.held_out_users import GIVEN, HEADLINE_GIVEN

Task = Literal["warm", "cold", "fold-in", "rating"]
TASKS: Final[tuple[Task, ...]] = ("warm", "cold", "fold-in", "rating")


@dataclass(frozen=True)
class Metric:
    """One figure of a run.

    Attributes:
        path: its name in a document: "ranking.ndcg@10".
        title: its column.
        digits: decimals.
        sign: 1 where higher is better, -1 where lower is.
    """

    path: str
    title: str
    digits: int = 4
    sign: Literal[1, -1] = 1

    @property
    def per_user(self) -> str:
        """The key of its values a user in ``Run.per_user``."""
        if self.is_root:
            return "squared_error"
        return self.path.removeprefix("ranking.").replace("overall.", "overall/")

    @property
    def is_root(self) -> bool:
        """Whether the values of users are mean squares whose root this is."""
        return self.path == "rating.rmse"


_AT_10: Final = {
    "ndcg": "NDCG",
    "recall": "Recall",
    "mrr": "MRR",
    "hit": "Hit",
    "precision": "Precision",
}
RANKING: Final = tuple(Metric(f"ranking.{n}@10", f"{title}@10") for n, title in _AT_10.items())
OVERALL: Final = tuple(
    Metric(f"overall.{n}@10", f"{_AT_10[n]}@10, all movies") for n in ("ndcg", "recall")
)
FOLD_IN: Final = (
    *(Metric(f"ranking.ndcg@10/given-{n}", f"NDCG@10, given-{n}") for n in GIVEN),
    Metric(f"ranking.recall@10/given-{HEADLINE_GIVEN}", f"Recall@10, given-{HEADLINE_GIVEN}"),
)
RATING: Final = (
    Metric("rating.rmse", "RMSE", sign=-1),
    Metric("rating.mae", "MAE", sign=-1),
    Metric("rating.level_nll", "NLL of levels", sign=-1),
    Metric("rating.pit_80", "PIT 80 %", 3),
    Metric("rating.nll", "NLL, Gaussian", sign=-1),
    Metric("rating.coverage_80", "covered by 80 %", 3),
)
METRICS: Final[Mapping[Task, tuple[Metric, ...]]] = MappingProxyType(
    {"warm": RANKING, "rating": RATING, "cold": (*RANKING[:2], *OVERALL), "fold-in": FOLD_IN}
)
"""What is reported of a task."""
HEADLINE: Final[Mapping[Task, Metric]] = MappingProxyType(
    {
        "warm": RANKING[0],
        "rating": RATING[0],
        "cold": RANKING[0],
        "fold-in": FOLD_IN[GIVEN.index(HEADLINE_GIVEN)],
    }
)
"""What models are compared by on test, and hyper-parameters are chosen by on valid."""
SECONDARY: Final[Mapping[Task, tuple[Metric, ...]]] = MappingProxyType(
    {
        "warm": RANKING[1:2],
        "rating": RATING[1:2],
        "cold": OVERALL[:1],
        "fold-in": (FOLD_IN[0], FOLD_IN[len(GIVEN) - 1]),
    }
)
"""What stands beside the headline where there is room for little."""
FIT_SECONDS: Final = "seconds.fit"

"""Whether one contender is better than another: in pairs, corrected, and by two measures.

Where a protocol draws five test parts or more, the pairs of the tests are test parts: two
contenders' figures on the same one, each the mean of the runs on it; the t-test is corrected for
what the parts share. Where it draws fewer, the pairs are users, each with the mean of the parts;
where documents do not tell who is who, every part must show a difference by itself. The interval is
of users always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from recsys.bench.fold_in import COLD_USERS
from recsys.bench.report.judged import Floats, Judged, user_pairs
from recsys.bench.report.load import split_of
from recsys.bench.report.metric import Metric
from recsys.evaluation.statistics import (
    PairedComparison,
    bootstrap_interval,
    compare,
    holm,
    resampled_t_p,
)

Verdict = Literal["better", "worse", "no difference shown"]

LEVEL = 0.05
ENOUGH_PARTS = 5
TEST_TO_TRAIN: Mapping[str, float] = MappingProxyType(
    {
        "ro": 1 / 8,
        "random-90-10": 0.1 / 0.9,
        "cold-items": 0.2 / 0.72,
        COLD_USERS: 0.2 / 0.72,
        **{f"u{fold}": 0.2 / 0.8 for fold in range(1, 6)},
    }
)
"""Ratings of test to those learnt from, by split."""
# Nothing is known of a split that is not listed, and the largest ratio never makes a claim easier.
_LARGEST = max(TEST_TO_TRAIN.values())
_SEED = 0


@dataclass(frozen=True)
class Comparison:
    """One contender against another, within a family of comparisons.

    Attributes:
        first: the contender that is spoken of.
        second: the one it is compared with.
        n: pairs of the tests.
        unit: what is paired, "test parts" or "users".
        difference: of the metric, first minus second, on the test parts both were judged on.
        interval: 95 % bootstrap interval of the mean difference over users; None without values a
            user. Of RMSE it is that of the mean squares over the sum of both RMSEs, since
            a − b = (a² − b²) / (a + b).
        t_p: p of the t-test that decides, corrected by Holm where the family is complete: of test
            parts the corrected resampled one, of users the paired one.
        wilcoxon_p: likewise of Wilcoxon's signed-rank test.
        higher_is_better: which way is up.
    """

    first: str
    second: str
    n: int
    unit: Literal["test parts", "users"]
    difference: float
    interval: tuple[float, float] | None
    t_p: float
    wilcoxon_p: float
    higher_is_better: bool

    @property
    def verdict(self) -> Verdict:
        """What may be said: a difference only where the t-test and the interval both show it."""
        if self.interval is None or not self.t_p < LEVEL:
            return "no difference shown"
        low, high = self.interval
        if low <= 0 <= high or (low > 0) != (self.difference > 0):
            return "no difference shown"
        return "better" if (self.difference > 0) == self.higher_is_better else "worse"


def compare_pair(
    first: tuple[str, Mapping[str, Judged]],
    second: tuple[str, Mapping[str, Judged]],
    metric: Metric,
) -> Comparison | None:
    """Two contenders on the parts they share, uncorrected; None where they share none.

    Raises:
        DataError: they were judged on different users of one part.
    """
    (name, of_first), (other, of_second) = first, second
    parts = [part for part in of_first if part in of_second]
    if not parts:
        return None
    values = np.array([[of_first[p].value, of_second[p].value] for p in parts])
    pairs = user_pairs(
        [of_first[part] for part in parts], [of_second[part] for part in parts], (name, other)
    )
    interval = _interval(pairs, float(values.mean(axis=0).sum()), metric)
    tested = _tests(values, pairs)
    of_parts = len(parts) >= ENOUGH_PARTS
    return Comparison(
        first=name,
        second=other,
        n=min((found.n for found in tested), default=len(parts)),
        unit="users" if tested and not of_parts else "test parts",
        difference=float(np.mean(values[:, 0] - values[:, 1])),
        interval=interval,
        t_p=_resampled(parts, values) if of_parts else _largest(found.t_p for found in tested),
        wilcoxon_p=_largest(found.wilcoxon_p for found in tested),
        higher_is_better=metric.higher_is_better,
    )


def _largest(p_values: Iterable[float]) -> float:
    """1 where nothing could be tested."""
    return max(p_values, default=1.0)


def _tests(values: Floats, pairs: Sequence[tuple[Floats, Floats]]) -> list[PairedComparison]:
    """What must show a difference: one test, or one a part where users are not told."""
    if len(values) >= ENOUGH_PARTS:
        return [compare(values[:, 0], values[:, 1], seed=_SEED)]
    return [compare(one, two, seed=_SEED) for one, two in pairs if len(one) > 1]


def _resampled(parts: Sequence[str], values: Floats) -> float:
    """What the t-test over test parts shows; of parts of several splits the largest ratio holds."""
    ratio = max(TEST_TO_TRAIN.get(split_of(part), _LARGEST) for part in parts)
    return resampled_t_p(values[:, 0] - values[:, 1], ratio)


def _interval(
    pairs: Sequence[tuple[Floats, Floats]], sum_of_means: float, metric: Metric
) -> tuple[float, float] | None:
    found = [bootstrap_interval(one - two, seed=_SEED) for one, two in pairs if len(one) > 1]
    if not found:
        return None
    low, high = np.mean(found, axis=0) / (sum_of_means if metric.root_of_squares else 1.0)
    return float(low), float(high)


def against(
    reference: str,
    others: Iterable[str],
    figures: Mapping[str, Mapping[str, Judged]],
    metric: Metric,
) -> list[Comparison]:
    """One contender against others as one family: p-values are corrected by Holm."""
    found = [
        comparison
        for other in others
        if other != reference
        and (
            comparison := compare_pair(
                (reference, figures[reference]), (other, figures[other]), metric
            )
        )
    ]
    t_p = holm({c.second: c.t_p for c in found})
    wilcoxon = holm({c.second: c.wilcoxon_p for c in found})
    return [replace(c, t_p=t_p[c.second], wilcoxon_p=wilcoxon[c.second]) for c in found]


def agreed(families: Mapping[str, Sequence[Comparison]]) -> dict[str, tuple[Comparison, ...]]:
    """Families with one verdict a pair: one that is in two has the larger p-values in both.

    Args:
        families: each corrected by Holm, by the contender that is compared with the others.
    """
    found: dict[frozenset[str], list[Comparison]] = {}
    for family in families.values():
        for one in family:
            found.setdefault(_pair(one), []).append(one)
    return {
        name: tuple(_most_cautious(one, found[_pair(one)]) for one in family)
        for name, family in families.items()
    }


def _pair(comparison: Comparison) -> frozenset[str]:
    return frozenset((comparison.first, comparison.second))


def _most_cautious(comparison: Comparison, of_pair: Sequence[Comparison]) -> Comparison:
    return replace(
        comparison,
        t_p=max(c.t_p for c in of_pair),
        wilcoxon_p=max(c.wilcoxon_p for c in of_pair),
    )

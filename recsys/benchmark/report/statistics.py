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
from functools import cached_property
from itertools import combinations
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from recsys.benchmark.fold_in import COLD_USERS
from recsys.benchmark.report.judged import Floats, Judged, user_pairs
from recsys.benchmark.report.load import split_of
from recsys.benchmark.report.metric import Metric
from recsys.evaluation.statistics import bootstrap_interval, holm, paired_p, resampled_t_p

Named = tuple[str, Mapping[str, Judged]]
"""A contender's name, and its figures by test part."""

Verdict = Literal["better", "worse", "no difference shown"]

LEVEL = 0.05
ENOUGH_PARTS = 5
TEST_TO_TRAIN: Mapping[str, float] = MappingProxyType(
    {
        "ro": 1 / 8,
        "random-90-10": 0.1 / 0.81,
        "cold-items": 0.2 / 0.72,
        COLD_USERS: 0.2 / 0.648,
        **{f"u{fold}": 0.2 / 0.72 for fold in range(1, 6)},
    }
)
"""Ratings of test to those learnt from, by who learns from the fewest; by split. Of cold items,
whose number of ratings is drawn, it is about the mean."""
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


class _PValues(NamedTuple):
    """What the tests of one pair show, uncorrected; see ``Comparison``."""

    n: int
    unit: Literal["test parts", "users"]
    t_p: float
    wilcoxon_p: float


@dataclass(frozen=True)
class _Pair:
    """Two contenders on the test parts they share."""

    first: Named
    second: Named

    @cached_property
    def parts(self) -> list[str]:
        return [part for part in self.first[1] if part in self.second[1]]

    @cached_property
    def values(self) -> Floats:
        """(P, 2) figures of both."""
        return np.array([[self.first[1][p].value, self.second[1][p].value] for p in self.parts])

    @cached_property
    def of_users(self) -> list[tuple[Floats, Floats]]:
        one, other = ([side[1][p] for p in self.parts] for side in (self.first, self.second))
        found = user_pairs(one, other, (self.first[0], self.second[0]))
        return [(mine, theirs) for mine, theirs in found if len(mine) > 1]

    def p_values(self) -> _PValues:
        """Over test parts where there are enough; else over users, and every part must show it."""
        n_parts = len(self.parts)
        if n_parts >= ENOUGH_PARTS:
            difference = self.values[:, 0] - self.values[:, 1]
            t_p = _resampled(self.parts, difference)
            return _PValues(n_parts, "test parts", t_p, paired_p(difference)[1])
        if not self.of_users:
            return _PValues(n_parts, "test parts", 1.0, 1.0)
        t_p, wilcoxon_p = np.max([paired_p(one - two) for one, two in self.of_users], axis=0)
        n_users = min(len(one) for one, _ in self.of_users)
        return _PValues(n_users, "users", float(t_p), float(wilcoxon_p))


def compare_pair(first: Named, second: Named, metric: Metric) -> Comparison | None:
    """Two contenders on the parts they share, uncorrected; None where they share none.

    Raises:
        DataError: they were judged on different users of one part.
    """
    pair = _Pair(first, second)
    if not pair.parts:
        return None
    tested = pair.p_values()
    return Comparison(
        first=first[0],
        second=second[0],
        n=tested.n,
        unit=tested.unit,
        difference=float(np.mean(pair.values[:, 0] - pair.values[:, 1])),
        interval=_interval(pair.of_users, float(pair.values.mean(axis=0).sum()), metric),
        t_p=tested.t_p,
        wilcoxon_p=tested.wilcoxon_p,
        higher_is_better=metric.higher_is_better,
    )


def _resampled(parts: Sequence[str], difference: Floats) -> float:
    """What the t-test over test parts shows; of parts of several splits the largest ratio holds."""
    ratio = max(TEST_TO_TRAIN.get(split_of(part), _LARGEST) for part in parts)
    return resampled_t_p(difference, ratio)


def _interval(
    pairs: Sequence[tuple[Floats, Floats]], sum_of_means: float, metric: Metric
) -> tuple[float, float] | None:
    found = [bootstrap_interval(one - two, seed=_SEED) for one, two in pairs]
    if not found:
        return None
    low, high = np.mean(found, axis=0) / (sum_of_means if metric.root_of_squares else 1.0)
    return float(low), float(high)


def against(
    reference: str,
    others: Iterable[str],
    figures: Mapping[str, Mapping[str, Judged]],
    metric: Metric,
    *,
    picked: bool = False,
) -> list[Comparison]:
    """One contender against others, its p-values corrected by Holm.

    Args:
        reference: the one.
        others: names; the reference may be among them.
        figures: of each, by test part.
        metric: what is compared.
        picked: whether the reference was picked by these very figures. Any pair might have been
            looked at then, and the p-values that decide are corrected for all pairs.
    """
    names = [name for name in others if name != reference]
    sides = {name: (name, figures[name]) for name in (reference, *names)}
    compared = ((name, compare_pair(sides[reference], sides[name], metric)) for name in names)
    found = {name: comparison for name, comparison in compared if comparison}
    t_raw = {_names(c): c.t_p for c in found.values()}
    if picked:
        of_others = (_Pair(sides[one], sides[two]) for one, two in combinations(names, 2))
        t_raw |= {
            frozenset((p.first[0], p.second[0])): p.p_values().t_p for p in of_others if p.parts
        }
    t_p, wilcoxon_p = holm(t_raw), holm({_names(c): c.wilcoxon_p for c in found.values()})
    return [
        replace(c, t_p=t_p[_names(c)], wilcoxon_p=wilcoxon_p[_names(c)]) for c in found.values()
    ]


def decided(
    families: Mapping[str, Sequence[Comparison]], planned: str
) -> dict[str, tuple[Comparison, ...]]:
    """Families with one verdict a pair: who was to be compared from the start decides.

    Args:
        families: each corrected by Holm, by the contender that is compared with the others.
        planned: the one that no figure has picked.
    """
    p_of = {_names(c): (c.t_p, c.wilcoxon_p) for c in families.get(planned, ())}
    return {name: tuple(_with(c, p_of) for c in family) for name, family in families.items()}


def _with(comparison: Comparison, p_of: Mapping[frozenset[str], tuple[float, float]]) -> Comparison:
    t_p, wilcoxon_p = p_of.get(_names(comparison), (comparison.t_p, comparison.wilcoxon_p))
    return replace(comparison, t_p=t_p, wilcoxon_p=wilcoxon_p)


def _names(comparison: Comparison) -> frozenset[str]:
    return frozenset((comparison.first, comparison.second))

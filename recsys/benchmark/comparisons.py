"""Whether one model is better than another: in pairs, corrected, and by two measures.

Where a protocol draws five test parts or more, the pairs of the tests are test parts: two models'
figures on the same one, each the mean of the runs on it; the t-test is corrected for what the parts
share. Where it draws fewer, the pairs are users, each with the mean of the parts; where documents
do not tell who is who, every part must show a difference by itself. The interval is of users
always.

Legend: P test parts, U users.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.held_out_users import COLD_USERS
from recsys.benchmark.metrics import Metric
from recsys.benchmark.results import FIXED_TESTS, ModelDocument, Run
from recsys.errors import DataError
from recsys.evaluation.statistics import bootstrap_interval, holm, resampled_t_p, wilcoxon_p

Floats = NDArray[np.float64]
Verdict = Literal["better", "worse", "no difference shown"]

LEVEL: Final = 0.05
ENOUGH_PARTS: Final = 5
TEST_TO_TRAIN: Final[Mapping[str, float]] = MappingProxyType(
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
_LARGEST: Final = max(TEST_TO_TRAIN.values())


class PartFigure(NamedTuple):
    """One model on one test part.

    Attributes:
        value: of the metric, the mean of its runs on this part.
        users: (U,) rows of the users in ``per_user``, or None where they are not told.
        per_user: (U,) values, the mean of the runs; None where there are none. They are such that
            their mean is the metric, or its square.
    """

    value: float
    users: NDArray[np.int64] | None
    per_user: Floats | None


Figures = Mapping[str, PartFigure]
"""Of one model, by test part; parts on which it has none are left out."""


def figures_of(document: ModelDocument, metric: Metric) -> dict[str, PartFigure]:
    """A model's figures by test part, with the values of users."""
    by_part: dict[str, list[Run]] = {}
    for run in document.runs:
        if metric.path in run.metrics:
            by_part.setdefault(run.part, []).append(run)
    return {part: _mean(document, runs, metric) for part, runs in by_part.items()}


def _mean(document: ModelDocument, runs: Sequence[Run], metric: Metric) -> PartFigure:
    value = float(np.mean([run.metrics[metric.path] for run in runs]))
    vectors = [found for run in runs if (found := _of_users(run, metric)) is not None]
    if len(vectors) < len(runs):
        return PartFigure(value, None, None)
    if len({len(vector) for vector in vectors}) > 1:
        raise DataError(
            f"{document.name} was evaluated on different users by runs on one test part",
            hint=f"delete its document of {document.protocol} and run the benchmark again",
        )
    users = runs[0].users
    rows = None if users is None else users.values().astype(np.int64)
    of_others = rows is not None and len(rows) != len(vectors[0])
    return PartFigure(value, None if of_others else rows, np.mean(vectors, axis=0))


def _of_users(run: Run, metric: Metric) -> Floats | None:
    found = run.per_user.get(metric.per_user)
    if found is None:
        return None
    values = found.values().astype(np.float64)
    if not metric.is_root or "n_ratings" not in run.per_user:
        return values
    counts = run.per_user["n_ratings"].values().astype(np.float64)
    return np.asarray(values * counts / counts.mean())


@dataclass(frozen=True)
class Comparison:
    """One model against another, within a family of comparisons.

    Attributes:
        first: the model that is spoken of.
        second: the one it is compared with.
        n: pairs of the tests.
        unit: what is paired, "test parts" or "users".
        difference: of the metric, first minus second, on the test parts both were evaluated on.
        interval: 95 % bootstrap interval of the mean difference over users; None without values a
            user. Of RMSE it is that of the mean squares over the sum of both RMSEs, since
            a − b = (a² − b²) / (a + b).
        t_p: p of the t-test that decides, corrected by Holm where the family is complete: of test
            parts the corrected resampled one, of users the paired one.
        wilcoxon_p: likewise of Wilcoxon's signed-rank test.
        sign: of the metric.
    """

    first: str
    second: str
    n: int
    unit: Literal["test parts", "users"]
    difference: float
    interval: tuple[float, float] | None
    t_p: float
    wilcoxon_p: float
    sign: int

    @property
    def pair(self) -> frozenset[str]:
        """Both names."""
        return frozenset((self.first, self.second))

    @property
    def verdict(self) -> Verdict:
        """What may be said: a difference only where the t-test and the interval both show it."""
        if self.interval is None or not self.t_p < LEVEL:
            return "no difference shown"
        low, high = self.interval
        if low <= 0 <= high or (low > 0) != (self.difference > 0):
            return "no difference shown"
        return "better" if self.sign * self.difference > 0 else "worse"


@dataclass(frozen=True)
class Pair:
    """Two models on the test parts they share, by one metric.

    Attributes:
        names: of both.
        figures: of both.
        metric: the metric.
    """

    names: tuple[str, str]
    figures: tuple[Figures, Figures]
    metric: Metric

    @cached_property
    def parts(self) -> list[str]:
        """Those that both were evaluated on."""
        return [part for part in self.figures[0] if part in self.figures[1]]

    @cached_property
    def values(self) -> Floats:
        """(P, 2) figures of both."""
        return np.array([[found[part].value for found in self.figures] for part in self.parts])

    @cached_property
    def of_users(self) -> list[tuple[Floats, Floats]]:
        """Aligned values of users: one pair of vectors, or one a part where users are not told.

        The mean of the intervals of single parts is wider than the interval of users over all
        parts: not knowing who is who never makes a claim easier. Empty without values of users.

        Raises:
            DataError: both were evaluated on different users of one part.
        """
        rows, pairs = [], []
        for part in self.parts:
            one, two = (found[part] for found in self.figures)
            if one.per_user is None or two.per_user is None:
                return []
            if len(one.per_user) != len(two.per_user):
                raise DataError(
                    f"{' and '.join(self.names)} were evaluated on {len(one.per_user)} and "
                    f"{len(two.per_user)} users of one test part",
                    hint="delete the older document and run the benchmark again",
                )
            rows.append(one.users if one.users is not None else two.users)
            pairs.append((one.per_user, two.per_user))
        told = [found for found in rows if found is not None]
        if len(pairs) > 1 and len(told) == len(pairs):
            first, second = zip(*pairs, strict=True)
            pairs = [(_by_user(told, first), _by_user(told, second))]
        return [pair for pair in pairs if len(pair[0]) > 1]

    @cached_property
    def differences(self) -> tuple[Literal["test parts", "users"], list[Floats]]:
        """What is tested: differences of test parts where there are enough, else of users.

        Of users there are several vectors where parts do not tell who is who: every part must show
        a difference by itself.
        """
        if len(self.parts) >= ENOUGH_PARTS:
            return "test parts", [self.values[:, 0] - self.values[:, 1]]
        if not self.of_users:
            return "test parts", []
        return "users", [one - two for one, two in self.of_users]

    @cached_property
    def t_p(self) -> float:
        """Of the t-test, uncorrected: over test parts the resampled one."""
        unit, differences = self.differences
        splits = [p if p in FIXED_TESTS else p.rpartition(" ")[0] for p in self.parts]
        drawn = max(TEST_TO_TRAIN.get(split, _LARGEST) for split in splits)
        ratio = drawn if unit == "test parts" else 0.0
        return max((resampled_t_p(found, ratio) for found in differences), default=1.0)

    def compared(self) -> Comparison:
        """The comparison, uncorrected."""
        means = self.values.mean(axis=0)
        difference = float(np.mean(self.values[:, 0] - self.values[:, 1]))
        interval = self._interval(float(means.sum()))
        unit, differences = self.differences
        return Comparison(
            first=self.names[0],
            second=self.names[1],
            n=min(map(len, differences), default=len(self.parts)),
            unit=unit,
            difference=difference,
            interval=interval,
            t_p=self.t_p,
            wilcoxon_p=max(map(wilcoxon_p, differences), default=1.0),
            sign=self.metric.sign,
        )

    def _interval(self, sum_of_means: float) -> tuple[float, float] | None:
        found = [bootstrap_interval(one - two, seed=0) for one, two in self.of_users]
        if not found:
            return None
        low, high = np.mean(found, axis=0) / (sum_of_means if self.metric.is_root else 1.0)
        return float(low), float(high)


def _by_user(rows: Sequence[NDArray[np.int64]], values: Sequence[Floats]) -> Floats:
    """(U,) what each user contributes, scaled so that the mean is the mean of the parts' means."""
    users, place = np.unique(np.concatenate(rows), return_inverse=True)
    shares = np.concatenate([of_part / len(of_part) for of_part in values])
    return np.asarray(np.bincount(place, shares) * len(users) / len(values))


def against(
    reference: str, figures: Mapping[str, Figures], metric: Metric, *, picked: bool = False
) -> list[Comparison]:
    """One model against all others, its p-values corrected by Holm.

    Args:
        reference: the one.
        figures: of all, the reference among them.
        metric: what is compared.
        picked: whether the reference was picked by these very figures. Any pair might have been
            looked at then, and the p-values that decide are corrected for all pairs.
    """
    names = [name for name in figures if name != reference]
    pairs = [_pair(reference, name, figures, metric) for name in names]
    found = [pair.compared() for pair in pairs if pair.parts]
    t_raw = {comparison.pair: comparison.t_p for comparison in found}
    if picked:
        others = (_pair(one, two, figures, metric) for one, two in combinations(names, 2))
        t_raw |= {frozenset(pair.names): pair.t_p for pair in others if pair.parts}
    t_p, signed = holm(t_raw), holm({c.pair: c.wilcoxon_p for c in found})
    return [replace(c, t_p=t_p[c.pair], wilcoxon_p=signed[c.pair]) for c in found]


def _pair(one: str, two: str, figures: Mapping[str, Figures], metric: Metric) -> Pair:
    return Pair((one, two), (figures[one], figures[two]), metric)


def decided(
    families: Mapping[str, Iterable[Comparison]], planned: str
) -> dict[str, tuple[Comparison, ...]]:
    """Families with one verdict a pair: who was to be compared from the start decides.

    Args:
        families: each corrected by Holm, by the model that is compared with the others.
        planned: the one that no figure has picked.
    """
    p_of = {c.pair: (c.t_p, c.wilcoxon_p) for c in families.get(planned, ())}

    def decide(c: Comparison) -> Comparison:
        t_p, signed = p_of.get(c.pair, (c.t_p, c.wilcoxon_p))
        return replace(c, t_p=t_p, wilcoxon_p=signed)

    return {name: tuple(map(decide, family)) for name, family in families.items()}

"""Whether a difference between two models is more than luck.

Two models are compared in pairs: the same users, or the same seeds, in the same order. Splits of
MovieLens-100K differ by more than most models do, so unpaired numbers prove nothing.

Legend: N pairs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from recsys.errors import DataError
from recsys.evaluation.metrics import Floats
from recsys.seeding import stream

K = TypeVar("K")
"""What p-values are of."""

_AT_A_TIME = 2**18
"""Values drawn at once: what stays in the cache is faster than few large draws."""


@dataclass(frozen=True)
class PairedComparison:
    """What two paired vectors say about the difference of their means.

    Attributes:
        n: number of pairs.
        difference: mean of first minus second.
        low: lower end of the bootstrap interval of that mean.
        high: upper end.
        t_p: two-sided p of the paired t-test; 1 where every pair is equal.
        wilcoxon_p: two-sided p of Wilcoxon's signed-rank test, equal pairs left out; 1 where every
            pair is equal.
    """

    n: int
    difference: float
    low: float
    high: float
    t_p: float
    wilcoxon_p: float


def compare(
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    *,
    seed: int,
    level: float = 0.95,
) -> PairedComparison:
    """Compare two (N,) vectors pair by pair.

    Args:
        first: values of one model, per user or per seed.
        second: values of the other, aligned with ``first``.
        seed: root seed of the bootstrap.
        level: coverage of the bootstrap interval.

    Raises:
        DataError: lengths differ, there are fewer than two pairs, or a value is not finite.
    """
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise DataError(f"{first.shape} and {second.shape} are not two or more pairs")
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(difference))
    if len(bad):
        raise DataError(f"{len(bad)} pairs are not finite", rows=[f"pair {p}" for p in bad])
    low, high = bootstrap_interval(difference, seed=seed, level=level)
    t_p, signed = resampled_t_p(difference, 0.0), wilcoxon_p(difference)
    return PairedComparison(len(first), float(difference.mean()), low, high, t_p, signed)


def wilcoxon_p(difference: Floats) -> float:
    """Two-sided p of Wilcoxon's signed-rank test of (N,) differences; 1 where all are 0."""
    return float(stats.wilcoxon(difference).pvalue) if difference.any() else 1.0


def resampled_t_p(difference: Floats, test_to_train: float) -> float:
    """Two-sided p of the corrected resampled t-test; 1 where every difference is 0.

    Test parts that are drawn again and again from the same ratings, or are folds of them, share
    what is learnt from, so that their differences vary less than those of fresh ratings would. With
    J differences d, t = mean(d) / (sd(d) √(1/J + n_test/n_train)) has J − 1 degrees of freedom.

    Paper: Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003,
    the corrected resampled t-test.

    Args:
        difference: (N,) one model minus the other, N = J test parts.
        test_to_train: n_test / n_train, in ratings; at 0 this is the paired t-test.
    """
    if not difference.any():
        return 1.0
    n = len(difference)
    deviation = float(difference.std(ddof=1))
    if not deviation:
        return 0.0
    t = float(difference.mean()) / (deviation * math.sqrt(1 / n + test_to_train))
    return float(2 * stats.t.sf(abs(t), n - 1))


def bootstrap_interval(
    values: Floats, *, seed: int, level: float = 0.95, resamples: int = 2000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of (N,) values (Efron 1979).

    The same seed gives the same interval.
    """
    rng = stream(seed, "bootstrap")
    n = len(values)
    rows = max(1, _AT_A_TIME // n)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    means = np.concatenate([values[rng.integers(n, size=(size, n))].mean(axis=1) for size in sizes])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(p_values: Mapping[K, float]) -> dict[K, float]:
    """Adjusted p-values that keep the chance of any false claim in the family at the level.

    The i-th smallest of m is max_{j ≤ i} min(1, (m - j + 1) p_(j)) (Holm, Scand. J. Stat. 1979).
    """
    ascending = sorted(p_values, key=lambda name: p_values[name])
    adjusted: dict[K, float] = {}
    floor = 0.0
    for place, name in enumerate(ascending):
        floor = max(floor, min(1.0, (len(ascending) - place) * p_values[name]))
        adjusted[name] = floor
    return {name: adjusted[name] for name in p_values}

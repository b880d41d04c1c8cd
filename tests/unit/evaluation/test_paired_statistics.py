from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recsys.errors import DataError
from recsys.evaluation.statistics import bootstrap_interval, compare, holm, resampled_t_p

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(0.3, 1, 200), RNG.normal(0, 1, 200)


def test_p_values_are_scipys() -> None:
    found = compare(FIRST, SECOND, seed=1)
    assert found.n == 200
    assert found.difference == pytest.approx(FIRST.mean() - SECOND.mean())
    assert found.t_p == pytest.approx(stats.ttest_rel(FIRST, SECOND).pvalue, rel=1e-9)
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(FIRST, SECOND).pvalue, rel=1e-9)


def test_the_resampled_test_is_the_paired_one_with_a_larger_variance() -> None:
    difference = (FIRST - SECOND)[:10]
    t = difference.mean() / (difference.std(ddof=1) * np.sqrt(1 / 10 + 1 / 8))
    assert resampled_t_p(difference, 1 / 8) == pytest.approx(2 * stats.t.cdf(-abs(t), 9), rel=1e-9)
    assert resampled_t_p(-difference, 1 / 8) == resampled_t_p(difference, 1 / 8)
    plain = stats.ttest_1samp(difference, 0).pvalue
    assert resampled_t_p(difference, 0.0) == pytest.approx(plain, rel=1e-9)
    assert resampled_t_p(np.zeros(10), 1 / 8) == 1


def test_swapping_the_models_flips_the_sign_only() -> None:
    there, back = compare(FIRST, SECOND, seed=1), compare(SECOND, FIRST, seed=1)
    assert (back.difference, back.t_p) == pytest.approx((-there.difference, there.t_p))
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_interval_is_that_of_the_normal_approximation() -> None:
    difference = FIRST - SECOND
    low, high = bootstrap_interval(difference, seed=3, level=0.9)
    margin = 1.6449 * difference.std() / np.sqrt(200)
    assert low == pytest.approx(difference.mean() - margin, abs=0.02)
    assert high == pytest.approx(difference.mean() + margin, abs=0.02)


def test_interval_is_seeded() -> None:
    assert bootstrap_interval(FIRST, seed=3) == bootstrap_interval(FIRST, seed=3)
    assert bootstrap_interval(FIRST, seed=3) != bootstrap_interval(FIRST, seed=4)


def test_equal_models_do_not_differ() -> None:
    found = compare(FIRST, FIRST, seed=0)
    assert (found.difference, found.low, found.high) == (0, 0, 0)
    assert (found.t_p, found.wilcoxon_p) == (1, 1)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones(3), np.ones(4), "pairs"),
        (np.ones(1), np.zeros(1), "pairs"),
        (np.ones((2, 2)), np.zeros((2, 2)), "pairs"),
        (np.array([1, np.nan, 2]), np.zeros(3), "1 pairs are not finite"),
    ],
)
def test_what_cannot_be_compared(first: np.ndarray, second: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        compare(first, second, seed=0)


def test_holm_by_hand() -> None:
    # Ascending .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04, and never falls again.
    adjusted = holm({"c": 0.03, "a": 0.01, "d": 0.04, "b": 0.02})
    assert adjusted == pytest.approx({"c": 0.06, "a": 0.04, "d": 0.06, "b": 0.06})
    assert list(adjusted) == ["c", "a", "d", "b"]


def test_holm_stays_a_probability() -> None:
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({"a": 0.04}) == {"a": 0.04}
    assert holm({}) == {}

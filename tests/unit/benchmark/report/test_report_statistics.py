from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recsys.benchmark.comparisons import (
    TEST_TO_TRAIN,
    Comparison,
    Pair,
    PartFigure,
    _by_user,
    against,
    decided,
    figures_of,
)
from recsys.benchmark.leaderboard import leaderboards, over_parts, wide
from recsys.benchmark.metrics import HEADLINE, RATING
from recsys.benchmark.protocols import PROTOCOLS, SplitSeed
from recsys.benchmark.results import read
from recsys.benchmark.split_data import BenchmarkData, configuration
from recsys.data.sources import open_dataset
from recsys.errors import DataError
from recsys.evaluation.statistics import holm

NDCG = HEADLINE["warm"]


def compare_pair(first, second, metric=NDCG):
    pair = Pair((first[0], second[0]), (first[1], second[1]), metric)
    return pair.compared() if pair.parts else None


def compared(first, second, metric=NDCG):
    sides = [(document.name, figures_of(document, metric)) for document in (first, second)]
    return compare_pair(*sides, metric)


def parts(values, per_user, split="part"):
    """Test parts on which all users are evaluated, in one order."""
    users = np.arange(np.shape(per_user)[1])
    pairs = zip(values, per_user, strict=True)
    return {f"{split} {n}": PartFigure(v, users, np.asarray(u)) for n, (v, u) in enumerate(pairs)}


def of_values(first, second, names):
    """Two models on test parts of these names."""
    sides = [
        {name: PartFigure(v, None, None) for name, v in zip(names, values, strict=True)}
        for values in (first, second)
    ]
    return compare_pair(("first", sides[0]), ("second", sides[1]), NDCG)


def resampled(differences, ratio):
    """Nadeau and Bengio's formula, written out."""
    t = np.mean(differences) / np.sqrt(np.var(differences, ddof=1) * (1 / len(differences) + ratio))
    return 2 * stats.t.cdf(-abs(t), len(differences) - 1)


FIRST = np.array([0.31, 0.33, 0.30, 0.34, 0.325, 0.30])
SECOND = np.array([0.30, 0.305, 0.301, 0.32, 0.31, 0.295])


@pytest.mark.parametrize(
    ("split", "ratio"),
    [
        ("ro", 0.125),
        ("random-90-10", 10 / 81),
        ("cold-items", 5 / 18),
        ("cold-users", 25 / 81),
        ("toy", max(TEST_TO_TRAIN.values())),
        ("a split of two", max(TEST_TO_TRAIN.values())),
    ],
)
def test_test_parts_of_the_same_ratings_are_corrected_for_what_they_share(split, ratio) -> None:
    found = of_values(FIRST, SECOND, [f"{split} {seed}" for seed in range(2020, 2026)])
    assert found.t_p == pytest.approx(resampled(FIRST - SECOND, ratio), rel=1e-9)
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(FIRST - SECOND).pvalue, rel=1e-9)


@pytest.mark.ml100k
@pytest.mark.parametrize("split", [*TEST_TO_TRAIN])
def test_the_ratios_are_those_of_the_splits(split) -> None:
    config = configuration(replace(PROTOCOLS["ml-ro"], bases=("default",)))
    dataset = open_dataset(config.data.name, None, config.data.on_bad_row)
    material = BenchmarkData(dataset, config.evaluation)
    splits = [material.split(SplitSeed(split, seed)).split for seed in range(2020, 2030)]
    ratio = np.mean([len(split.test) / len(split.train) for split in splits])
    assert 0.94 < ratio / TEST_TO_TRAIN[split] < 1.01


def test_folds_are_corrected_by_five_eighteenths_and_mixed_parts_by_the_largest_ratio() -> None:
    folds = [f"u{fold}" for fold in range(1, 6)]
    found = of_values(FIRST[:5], SECOND[:5], folds)
    assert found.t_p == pytest.approx(resampled((FIRST - SECOND)[:5], 5 / 18), rel=1e-9)
    found = of_values(FIRST, SECOND, [*folds, "ro 2020"])
    assert found.t_p == pytest.approx(resampled(FIRST - SECOND, 5 / 18), rel=1e-9)


@pytest.mark.filterwarnings("ignore:Exact p-value", "ignore:Sample size too small")
@given(
    st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=5, max_size=12),
    st.sampled_from([*TEST_TO_TRAIN, "toy"]),
)
def test_the_correction_never_makes_a_claim_easier(pairs, split) -> None:
    first, second = np.array(pairs).T / 1000
    # Differences that are equal but for rounding have no p to speak of.
    first[0] += 0.5
    found = of_values(first, second, [f"{split} {seed}" for seed in range(len(pairs))])
    assert stats.ttest_rel(first, second).pvalue <= found.t_p * (1 + 1e-9)
    assert found.t_p <= 1


def test_the_t_test_over_users_is_not_corrected() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(0.3, 0.1, (2, 40))
    sides = [parts([side.mean()], [side], "ro") for side in (one, other)]
    found = compare_pair(("one", sides[0]), ("other", sides[1]), NDCG)
    assert found.unit == "users"
    assert found.t_p == pytest.approx(stats.ttest_rel(one, other).pvalue, rel=1e-9)


def test_a_difference_that_seeds_and_users_agree_on_is_shown(make_document) -> None:
    good, bad = make_document("p", "good", 0.34), make_document("p", "bad", 0.30)
    found = compared(good, bad)
    assert (found.n, found.unit) == (10, "test parts")
    assert found.difference == pytest.approx(0.04, abs=0.002)
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.verdict == "better"
    assert compared(bad, good).verdict == "worse"
    assert compared(bad, good).difference == -found.difference


def test_equals_are_not_told_apart(make_document) -> None:
    one = make_document("p", "one", 0.3, noise=0.0)
    other = make_document("p", "other", 0.3, noise=0.0)
    found = compared(one, other)
    assert (found.difference, found.t_p, found.wilcoxon_p) == (0.0, 1.0, 1.0)
    assert found.verdict == "no difference shown"


def test_one_test_part_for_all_seeds_pairs_users(make_document) -> None:
    of_seeds = make_document("p", "ours", 0.34, split="global-time", seeds=(2020, 2021, 2022))
    single = make_document("p", "ease", 0.30, split="global-time", seeds=(2020,))
    found = compared(of_seeds, single)
    assert (found.n, found.unit) == (200, "users")
    assert found.verdict == "better"
    expected = np.mean([run.per_user["ndcg@10"].values() for run in of_seeds.runs], axis=0)
    np.testing.assert_allclose(
        figures_of(of_seeds, NDCG)["global-time"].per_user, expected, rtol=1e-6
    )


def test_few_splits_pair_users_and_five_folds_pair_folds(make_document) -> None:
    few = [make_document("p", name, 0.3, seeds=(2020, 2021)) for name in ("a", "b")]
    assert compared(*few).unit == "users"
    folds = [f"u{k}" for k in range(1, 6)]
    more = [
        make_document("p", name, 0.8, task="rating", folds=folds, seeds=seeds)
        for name, seeds in (("a", (2020, 2021)), ("b", (2020,)))
    ]
    found = compared(*more, metric=RATING[0])
    assert (found.n, found.unit) == (5, "test parts")


def test_seeds_alone_show_nothing_where_users_disagree() -> None:
    per_user = np.linspace(-0.5, 0.502, 40)
    first = parts([0.301 + 0.0001 * n for n in range(8)], [per_user] * 8)
    second = parts([0.3] * 8, np.zeros((8, 40)))
    found = compare_pair(("first", first), ("second", second), NDCG)
    assert found.t_p < 0.001
    assert found.interval[0] < 0 < found.interval[1]
    assert found.verdict == "no difference shown"


def test_users_alone_show_nothing_where_seeds_disagree() -> None:
    gains = [0.1, -0.08, 0.09, -0.07, 0.03]
    first = parts(gains, [np.full(50, gain) for gain in gains])
    second = parts([0.0] * 5, np.zeros((5, 50)))
    found = compare_pair(("first", first), ("second", second), NDCG)
    assert found.interval[0] > 0
    assert found.t_p > 0.5
    assert found.verdict == "no difference shown"


def test_a_user_is_followed_through_the_parts_they_are_evaluated_in() -> None:
    rows = [np.array([0, 1]), np.array([1, 2])]
    values = [np.array([1.0, 2.0]), np.array([4.0, 6.0])]
    one = {f"{n}": PartFigure(float(v.mean()), rows[n], v) for n, v in enumerate(values)}
    none = {part: PartFigure(0.0, of_one.users, np.zeros(2)) for part, of_one in one.items()}
    found = compare_pair(("one", one), ("none", none), NDCG)
    assert (found.n, found.unit) == (3, "users")
    assert found.interval[0] < found.difference < found.interval[1]
    # User 1 is in both parts, which weigh a half each.
    np.testing.assert_allclose(_by_user(rows, values), [0.75, 4.5, 4.5])


@given(st.lists(st.sets(st.integers(0, 6), min_size=1), min_size=1, max_size=4))
def test_users_mean_is_the_mean_of_the_parts_however_they_overlap(parts_of_users) -> None:
    rows = [np.array(sorted(users)) for users in parts_of_users]
    values = [np.sin(users + 3.0 * n) for n, users in enumerate(rows)]
    expected = np.mean([of_part.mean() for of_part in values])
    assert _by_user(rows, values).mean() == pytest.approx(expected)


def test_not_knowing_who_is_who_makes_the_interval_no_narrower(make_document) -> None:
    told = [make_document("p", name, 0.3, noise=0.1) for name in ("a", "b")]
    untold = [make_document("p", n, 0.3, noise=0.1, with_users=False) for n in ("a", "b")]
    low, high = compared(*told).interval
    wide_low, wide_high = compared(*untold).interval
    assert wide_high - wide_low > 2 * (high - low)


def test_where_users_are_not_told_every_one_of_few_parts_must_show_it(make_document) -> None:
    def few(name, worth):
        return make_document("p", name, worth, seeds=(2020, 2021), with_users=False)

    found = compared(few("good", 0.34), few("bad", 0.30))
    assert (found.n, found.unit, found.verdict) == (200, "users", "better")
    first = parts([0.34, 0.30], [np.full(50, 0.34) + np.arange(50) / 1e4, np.full(50, 0.3)])
    second = parts([0.30, 0.30], np.full((2, 50), 0.30))
    anonymous = [
        {part: PartFigure(j.value, None, j.per_user) for part, j in of_one.items()}
        for of_one in (first, second)
    ]
    found = compare_pair(("first", anonymous[0]), ("second", anonymous[1]), NDCG)
    assert found.t_p == 1.0


def test_of_stars_the_lower_error_is_better_and_the_interval_is_in_stars(make_document) -> None:
    low, high = (make_document("p", n, w, task="rating") for n, w in (("a", 0.81), ("b", 0.9)))
    found = compared(low, high, metric=RATING[0])
    assert found.difference < 0
    assert found.verdict == "better"
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.01


def test_without_values_of_users_nothing_is_claimed(make_document) -> None:
    found = compared(
        make_document("p", "a", 0.4, per_user=False), make_document("p", "b", 0.3, per_user=False)
    )
    assert found.t_p < 1e-6
    assert found.interval is None
    assert found.verdict == "no difference shown"


def test_no_common_part_is_no_comparison(make_document) -> None:
    early, late = (make_document("p", n, 0.3, seeds=s) for n, s in (("a", (1, 2)), ("b", (3, 4))))
    assert compared(early, late) is None


def test_different_users_of_one_part_are_an_error() -> None:
    one, other = parts([0.3], np.zeros((1, 10))), parts([0.3], np.zeros((1, 11)))
    with pytest.raises(DataError, match="10 and 11 users"):
        compare_pair(("one", one), ("other", other), NDCG)


def test_p_values_of_a_family_are_corrected_together(make_document) -> None:
    documents = {n: make_document("p", n, w) for n, w in (("a", 0.31), ("b", 0.3), ("c", 0.308))}
    figures = {name: figures_of(document, NDCG) for name, document in documents.items()}
    found = {c.second: c for c in against("a", figures, NDCG)}
    raw = {n: compared(documents["a"], documents[n]) for n in ("b", "c")}
    assert {n: c.t_p for n, c in found.items()} == holm({n: c.t_p for n, c in raw.items()})
    assert found["b"].wilcoxon_p >= raw["b"].wilcoxon_p


def test_p_values_of_who_was_picked_are_corrected_for_all_pairs(make_document) -> None:
    worths = {"a": 0.31, "b": 0.306, "c": 0.305, "d": 0.304}
    documents = {n: make_document("p", n, w, noise=0.02) for n, w in worths.items()}
    figures = {name: figures_of(document, NDCG) for name, document in documents.items()}
    found = {c.second: c for c in against("a", figures, NDCG, picked=True)}
    raw = {
        frozenset((one, two)): compared(documents[one], documents[two])
        for one, two in combinations(documents, 2)
    }
    assert len(raw) == 6
    all_pairs = holm({pair: c.t_p for pair, c in raw.items()})
    expected = {name: all_pairs[frozenset(("a", name))] for name in found}
    assert {name: c.t_p for name, c in found.items()} == expected
    planned = {c.second: c for c in against("a", figures, NDCG)}
    assert all(planned[name].wilcoxon_p == c.wilcoxon_p for name, c in found.items())
    assert all(planned[name].t_p <= found[name].t_p for name in found)
    assert any(planned[name].t_p < found[name].t_p for name in found)


def test_a_pair_of_two_families_is_decided_by_who_was_planned() -> None:
    def one(first, second, difference, *p_values):
        ends = (difference - 0.005, difference + 0.005)
        return Comparison(first, second, 10, "test parts", difference, ends, *p_values, 1)

    families = {
        "a": [one("a", "b", 0.01, 0.04, 0.3), one("a", "c", 0.02, 0.01, 0.01)],
        "b": [one("b", "a", -0.01, 0.06, 0.1), one("b", "c", 0.01, 0.02, 0.02)],
    }
    assert decided(families, "a") == {
        "a": (one("a", "b", 0.01, 0.04, 0.3), one("a", "c", 0.02, 0.01, 0.01)),
        "b": (one("b", "a", -0.01, 0.04, 0.3), one("b", "c", 0.01, 0.02, 0.02)),
    }
    assert decided(families, "c") == {name: tuple(family) for name, family in families.items()}


def test_our_family_is_planned_and_the_baselines_is_picked(bench) -> None:
    # All are close, so that Holm gives the pair another p in each family.
    worths = {"joint": 0.3, "ease": 0.302, "a": 0.2985, "b": 0.2985, "c": 0.2985}
    for name, worth in worths.items():
        family = "ours" if name == "joint" else "classic"
        bench.add("ml-ro", name, worth, family=family, noise=0.02)
    (found,) = leaderboards(read(bench.folder))
    there, back = found.versus("ease", "joint"), found.versus("joint", "ease")
    figures = {s.name: figures_of(s.document, NDCG) for s in found.rows}
    planned = {c.second: c for c in against("joint", figures, NDCG)}
    picked = {c.second: c for c in against("ease", figures, NDCG, picked=True)}
    assert planned["ease"].t_p != picked["joint"].t_p
    assert there.t_p == back.t_p == planned["ease"].t_p
    assert there.wilcoxon_p == back.wilcoxon_p == planned["ease"].wilcoxon_p
    assert found.versus("ease", "a").t_p == picked["a"].t_p


def test_the_spread_is_over_test_parts_or_over_the_trainings_of_one(make_document) -> None:
    def means(document):
        return np.array([run.metrics["rating.rmse"] for run in document.runs])

    folds = ["u1", "u2", "u3"]
    found = make_document("p", "a", 0.9, task="rating", folds=folds, seeds=(2020, 2021), noise=0.1)
    of_folds = means(found).reshape(2, 3).mean(axis=0)
    if [run.split.name for run in found.runs[:2]] == ["u1", "u1"]:
        of_folds = means(found).reshape(3, 2).mean(axis=1)
    expected = (means(found).mean(), of_folds.std(ddof=1))
    assert over_parts(wide([found]), "rating.rmse", None) == pytest.approx(expected)
    found = make_document("p", "a", 0.9, task="rating", folds=["u1"], seeds=(2020, 2021, 2022))
    spread = over_parts(wide([found]), "rating.rmse", None)[1]
    assert spread == pytest.approx(means(found).std(ddof=1))


def test_the_interval_must_lie_on_the_side_of_the_difference() -> None:
    odd = Comparison("a", "b", 10, "test parts", 0.01, (-0.02, -0.01), 0.001, 0.001, 1)
    assert odd.verdict == "no difference shown"


def test_the_best_is_compared_with_all_even_if_it_is_neither_ours_nor_a_baseline(bench) -> None:
    for name, worth, family in (("joint", 0.3, "ours"), ("wide", 0.4, "ours"), ("ease", 0.2, "x")):
        bench.add("ml-ro", name, worth, family=family)
    (found,) = leaderboards(read(bench.folder))
    assert (found.best.name, found.ours.name, found.baseline.name) == ("wide", "joint", "ease")
    assert set(found.comparisons) == {"wide", "joint", "ease"}
    assert [row.name for row in found.level] == ["wide"]


def test_equal_means_stand_in_the_order_of_their_names(bench) -> None:
    for name in ("b", "c", "a"):
        bench.add("ml-ro", name, 0.3, noise=0.0)
    (found,) = leaderboards(read(bench.folder))
    assert found.names == ["a", "b", "c"]
    assert len(found.level) == 3


def test_oracles_are_nobodys_baselines(bench) -> None:
    bench.add("ml-cold", "joint", 0.3, family="ours", task="cold", split="cold-items")
    bench.add("ml-cold", "true-popularity", 0.5, family="oracle", task="cold", split="cold-items")
    (found,) = leaderboards(read(bench.folder))
    assert found.task == "cold"
    assert found.best.name == "joint"
    assert found.baseline is None
    assert [row.name for row in found.oracles] == ["true-popularity"]
    assert found.comparisons == {"joint": ()}

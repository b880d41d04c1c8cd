"""What a metric is, rather than examples of it."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recsys.evaluation.evaluator import RankingEvaluator, RankingResult, RankingTask
from recsys.evaluation.metrics import (
    PER_USER,
    coverage,
    gini,
    hits_of,
    novelty,
    recommendation_counts,
    roc_auc,
)
from recsys.evaluation.statistics import holm

NAMES = sorted(PER_USER)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[NDArray[np.int32], sp.csr_array]:
    """Lists of distinct items that may end early, and a truth with at least one item a user."""
    n_users, n_items = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    k = draw(st.integers(1, 12))
    lists = np.full((n_users, k), -1, dtype=np.int32)
    truth = np.zeros((n_users, n_items), dtype=bool)
    for user in range(n_users):
        order = draw(st.permutations(range(n_items)))
        length = draw(st.integers(0, min(k, n_items)))
        lists[user, :length] = order[:length]
        truth[user, sorted(draw(st.sets(st.integers(0, n_items - 1), min_size=1)))] = True
    return lists, sp.csr_array(truth)


def values(name: str, lists: NDArray[np.int32], truth: sp.csr_array) -> NDArray[np.float64]:
    return PER_USER[name](hits_of(lists, truth))


@pytest.mark.parametrize("name", NAMES)
@given(world=worlds())
def test_range(name: str, world: tuple[NDArray[np.int32], sp.csr_array]) -> None:
    found = values(name, *world)
    assert found.shape == (len(world[0]),)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("name", NAMES)
@given(world=worlds())
def test_worst_is_zero(name: str, world: tuple[NDArray[np.int32], sp.csr_array]) -> None:
    lists, truth = world
    misses = np.where(hits_of(lists, truth).hits, -1, lists).astype(np.int32)
    assert not values(name, misses, truth).any()


@pytest.mark.parametrize("name", NAMES)
@given(world=worlds())
def test_best_is_what_the_definition_allows(
    name: str, world: tuple[NDArray[np.int32], sp.csr_array]
) -> None:
    lists, truth = world
    k, n_relevant = lists.shape[1], np.diff(truth.indptr)
    ideal = np.full(lists.shape, -1, dtype=np.int32)
    for user, count in enumerate(np.minimum(n_relevant, k)):
        ideal[user, :count] = truth.indices[truth.indptr[user] :][:count]
    best = {
        "recall": np.minimum(n_relevant, k) / n_relevant,
        "precision": np.minimum(n_relevant, k) / k,
    }
    reached = values(name, ideal, truth)
    np.testing.assert_allclose(reached, best.get(name, np.ones(len(lists))), rtol=1e-12)
    assert (values(name, lists, truth) <= reached + 1e-12).all()


@pytest.mark.parametrize("name", NAMES)
@given(world=worlds(), data=st.data())
def test_moving_a_relevant_item_up_never_hurts(
    name: str, world: tuple[NDArray[np.int32], sp.csr_array], data: st.DataObject
) -> None:
    lists, truth = world
    hits = hits_of(lists, truth).hits
    up = [(u, j) for u, j in np.argwhere(hits) if j > 0 and not hits[u, j - 1]]
    if not up:
        return
    user, place = data.draw(st.sampled_from(up))
    better = lists.copy()
    better[user, [place - 1, place]] = better[user, [place, place - 1]]
    before, after = values(name, lists, truth)[user], values(name, better, truth)[user]
    assert after >= before
    if name in {"ndcg", "map"}:  # the two that look at every position
        assert after > before


@given(world=worlds())
def test_longer_lists_find_no_less(world: tuple[NDArray[np.int32], sp.csr_array]) -> None:
    found = hits_of(*world)
    for name in ("recall", "hit", "mrr"):
        by_length = [PER_USER[name](found.at(k)) for k in range(1, found.k + 1)]
        assert (np.diff(by_length, axis=0) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
@given(world=worlds(), seed=seeds)
def test_renaming_the_items_changes_nothing(
    name: str, world: tuple[NDArray[np.int32], sp.csr_array], seed: int
) -> None:
    lists, truth = world
    new_name = np.random.default_rng(seed).permutation(truth.shape[1]).astype(np.int32)
    renamed = np.where(lists >= 0, new_name[lists], -1).astype(np.int32)
    columns = sp.csr_array(truth.toarray()[:, np.argsort(new_name)])
    assert np.array_equal(values(name, lists, truth), values(name, renamed, columns))


def chance(name: str, k: int, n_items: int, relevant: int) -> float:
    """Expectation for lists drawn without replacement."""
    share = relevant / n_items
    if name in {"precision", "recall"}:
        return share if name == "precision" else k / n_items
    none = [comb(n_items - relevant, j) / comb(n_items, j) for j in range(k + 1)]
    if name == "hit":
        return 1 - none[k]
    if name == "mrr":
        return sum((none[j - 1] - none[j]) / j for j in range(1, k + 1))
    discount = 1 / np.log2(np.arange(2, k + 2))
    if name == "ndcg":
        return float(share * discount.sum() / discount[:relevant].sum())
    pair = share * (relevant - 1) / (n_items - 1)
    precision_at_hits = [(share + (j - 1) * pair) / j for j in range(1, k + 1)]
    return sum(precision_at_hits) / min(relevant, k)


@pytest.mark.parametrize("name", NAMES)
def test_random_scores_reach_chance_level(name: str) -> None:
    n_users, n_items, k, relevant = 6000, 30, 10, 4
    rng = np.random.default_rng(7)
    truth = np.zeros((n_users, n_items), dtype=bool)
    np.put_along_axis(
        truth,
        rng.permuted(np.tile(np.arange(n_items), (n_users, 1)), axis=1)[:, :relevant],
        True,
        axis=1,
    )
    task = RankingTask(sp.csr_array(truth), ks=(k,))
    found = RankingEvaluator(task).evaluate(rng.random((n_users, n_items))).per_user[f"{name}@{k}"]
    error = found.std() / np.sqrt(n_users)
    assert found.mean() == pytest.approx(chance(name, k, n_items, relevant), abs=4 * error)


def equal(first: RankingResult, second: RankingResult) -> bool:
    return first.catalogue == second.catalogue and all(
        np.array_equal(first.per_user[name], second.per_user[name]) for name in first.per_user
    )


def scored_world(seed: int) -> tuple[NDArray[np.float32], RankingTask]:
    """Few distinct scores, so that there are ties; some items cannot be scored."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 30)), int(rng.integers(2, 15)))
    scores = rng.integers(-4, 5, size=shape).astype(np.float32)
    scores[rng.random(shape) < 0.2] = -np.inf
    draw = rng.random(shape)
    truth, seen = draw < 0.2, draw > 0.8
    truth[0, 0], seen[0, 0] = True, False
    popularity = rng.integers(0, 5, shape[1])
    return scores, RankingTask(sp.csr_array(truth), sp.csr_array(seen), None, (1, 4), popularity)


@given(seed=seeds, block=st.integers(1, 40), cut=st.integers(1, 40))
def test_block_sizes_change_nothing(seed: int, block: int, cut: int) -> None:
    scores, task = scored_world(seed)
    in_blocks = RankingTask(task.truth, task.seen, None, task.ks, task.popularity, block)
    stream = (scores[start : start + cut] for start in range(0, len(scores), cut))
    whole = RankingEvaluator(task).evaluate(scores)
    assert equal(whole, RankingEvaluator(in_blocks).evaluate(stream))


@given(seed=seeds)
def test_only_the_order_of_scores_matters(seed: int) -> None:
    scores, task = scored_world(seed)
    evaluator = RankingEvaluator(task)
    whole = evaluator.evaluate(scores)
    finite = np.isfinite(scores)
    for transformed in (np.exp2(scores), 3 * scores - 7, np.sign(scores) * scores**2):
        kept = np.where(finite, transformed, -np.inf)
        assert equal(whole, evaluator.evaluate(kept))


@given(seed=seeds)
def test_candidates_are_a_smaller_catalogue(seed: int) -> None:
    scores, task = scored_world(seed)
    truth = task.truth.toarray()
    rows = np.flatnonzero(truth.any(axis=0) | (np.arange(truth.shape[1]) % 2 == 0))
    among = RankingTask(task.truth, task.seen, rows, task.ks, task.popularity)
    small = RankingTask(
        sp.csr_array(truth[:, rows]), sp.csr_array(task.seen.toarray()[:, rows]), None, task.ks
    )
    first = RankingEvaluator(among).evaluate(scores)
    second = RankingEvaluator(small).evaluate(scores[:, rows])
    assert first.means() == second.means()
    for name in ("coverage@4", "gini@4"):
        assert first.catalogue[name] == pytest.approx(second.catalogue[name], abs=1e-12)


counts = st.lists(st.integers(0, 50), min_size=1, max_size=20).map(np.array)


@given(counts=counts, scale=st.integers(1, 9))
def test_gini_is_an_inequality(counts: NDArray[np.int64], scale: int) -> None:
    found = gini(counts)
    assert -1e-12 <= found <= (len(counts) - 1) / len(counts) + 1e-12
    assert gini(counts * scale) == pytest.approx(found, abs=1e-12)
    assert gini(counts[::-1]) == found
    assert gini(np.full(len(counts), scale)) == pytest.approx(0, abs=1e-12)
    alone = np.zeros(len(counts), dtype=int)
    alone[0] = scale
    assert gini(alone) == pytest.approx((len(counts) - 1) / len(counts))
    if counts.sum():
        pairs = np.abs(counts[:, None] - counts).sum()
        assert found == pytest.approx(pairs / (2 * len(counts) * counts.sum()))


@given(counts=counts, popularity=st.data())
def test_novelty_is_bounded_by_the_rarest(
    counts: NDArray[np.int64], popularity: st.DataObject
) -> None:
    drawn = popularity.draw(
        st.lists(st.integers(0, 99), min_size=len(counts), max_size=len(counts)).map(np.array)
    )
    found = novelty(counts, drawn)
    assert 0 <= found <= np.log2(max(drawn.sum(), 1)) + 1e-12


@given(world=worlds())
def test_counts_add_up(world: tuple[NDArray[np.int32], sp.csr_array]) -> None:
    lists, truth = world
    found = recommendation_counts(lists, truth.shape[1])
    assert found.sum() == (lists >= 0).sum()
    assert coverage(found) == len(set(lists[lists >= 0])) / truth.shape[1]


@given(seed=seeds)
def test_auc_is_the_chance_to_order_a_pair_rightly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(0, 5, 20), rng.random(20) < 0.5
    truth[:2] = True, False
    gap = scores[truth][:, None] - scores[~truth]
    assert roc_auc(scores, truth) == pytest.approx(((gap > 0) + 0.5 * (gap == 0)).mean())
    assert roc_auc(-scores, truth) == pytest.approx(1 - roc_auc(scores, truth))


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_helps(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    assert all(p_values[name] <= adjusted[name] <= 1 for name in p_values)
    ascending = sorted(p_values, key=lambda name: p_values[name])
    assert [adjusted[n] for n in ascending] == sorted(adjusted.values())
    assert all(adjusted[n] <= min(1, len(p_values) * p_values[n]) + 1e-12 for n in ascending[:1])

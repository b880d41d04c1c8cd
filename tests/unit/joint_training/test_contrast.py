"""The contrastive loss against its formula, and the ranks that measure it against a sort."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.recommenders.joint.training.alignment import (
    chance_metrics,
    info_nce,
    own_ranks,
    retrieval_metrics,
    unit,
)

SEEDS = st.integers(0, 2**31)
SHORTEST = 1e-2
"""The length below which codes stay short."""


def codes(seed: int, movies: int = 5, dims: int = 3):
    random = np.random.default_rng(seed)
    return tuple(torch.from_numpy(random.normal(size=(movies, dims))) for _ in range(2))


def symmetric(seed: int, movies: int = 5):
    false = np.random.default_rng(seed + 1).random((movies, movies)) < 0.3
    return torch.from_numpy(false | false.T)


def nobody(movies: int):
    return torch.zeros(movies, movies, dtype=torch.bool)


def by_formula(anchor, target, false, temperature) -> float:
    """One direction after the other, one movie after the other."""
    terms = []
    for one, other in ((anchor, target), (target, anchor)):
        for i in range(len(one)):
            f = {
                j: np.exp(
                    one[i]
                    @ other[j]
                    / np.linalg.norm(one[i])
                    / np.linalg.norm(other[j])
                    / temperature
                )
                for j in range(len(other))
                if j == i or not false[i, j]
            }
            terms.append(-np.log(f[i] / sum(f.values())))
    return float(np.mean(terms))


@given(seed=SEEDS, temperature=st.floats(0.05, 2))
@example(seed=268435457, temperature=1.0)  # one of its codes is too short to be scaled
def test_the_loss_is_its_formula(seed, temperature):
    """Where codes are long enough to be scaled to length one."""
    anchor, target = codes(seed)
    assume(min(target.norm(dim=1).min(), anchor.norm(dim=1).min()) > SHORTEST)
    false = symmetric(seed)
    found = info_nce(anchor, target, false, temperature).item()
    assert found == pytest.approx(by_formula(anchor.numpy(), target.numpy(), false, temperature))


@given(seed=SEEDS)
@example(seed=268435457)  # one of its codes, a third as long, is too short
def test_neither_order_nor_direction_nor_length_counts(seed):
    """Where codes are long enough to be scaled to length one, before and after."""
    anchor, target = codes(seed)
    assume(target.norm(dim=1).min() / 3 > SHORTEST and anchor.norm(dim=1).min() > SHORTEST)
    false, order = symmetric(seed), torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    loss = info_nce(anchor, target, false, 0.2)
    for other in (
        info_nce(target, anchor, false, 0.2),
        info_nce(7 * anchor, target / 3, false, 0.2),
        info_nce(anchor[order], target[order], false[order][:, order], 0.2),
        info_nce(anchor, target, false | torch.eye(5, dtype=torch.bool), 0.2),
    ):
        torch.testing.assert_close(other, loss)


@given(seed=SEEDS, share=st.floats(0, 1))
def test_a_code_that_is_shorter_keeps_its_share_of_length_one(seed, share):
    code = unit(codes(seed)[0])
    short = share * SHORTEST * code
    torch.testing.assert_close(unit(short), share * code)


def test_codes_that_are_all_alike_cost_the_logarithm_of_the_batch():
    alike = torch.ones(6, 4)
    assert info_nce(alike, alike, nobody(6), 0.1).item() == pytest.approx(np.log(6))


def test_perfect_codes_cost_what_orthogonal_others_leave():
    perfect = torch.eye(6)
    found = info_nce(perfect, perfect, nobody(6), 0.5).item()
    assert found == pytest.approx(np.log(1 + 5 * np.exp(-2)))


def test_kin_are_not_pushed_apart():
    """Between two movies that are false, and nothing else, there is no loss and no gradient."""
    anchor, target = (c[:2].requires_grad_() for c in codes(0))
    loss = info_nce(anchor, target, ~nobody(2), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert not anchor.grad.any()
    apart, _ = (c[:2].requires_grad_() for c in codes(0))
    info_nce(apart, target.detach(), nobody(2), 0.1).backward()
    assert apart.grad.any()


def test_an_empty_code_has_a_small_gradient():
    anchor, target = codes(3)
    anchor[2] = 0
    anchor.requires_grad_()
    info_nce(anchor, target, nobody(5), 0.1).backward()
    assert torch.isfinite(anchor.grad).all()
    assert anchor.grad.abs().max() < 1e4


@given(seed=SEEDS)
def test_ranks_are_places_in_a_sort(seed):
    anchor, target = (unit(c) for c in codes(seed, movies=12))
    random = np.random.default_rng(seed)
    films = random.integers(0, 9, 12)
    pool = np.flatnonzero(random.random(12) < 0.8)
    queries = pool[: len(pool) // 2]
    ranks, counts = own_ranks(anchor, target, *map(torch.from_numpy, (films, queries, pool)))
    for row, rank, count in zip(queries, ranks, counts, strict=True):
        among = [j for j in pool if j == row or films[j] != films[row]]
        order = sorted(among, key=lambda j: -float(anchor[row] @ target[j]))
        assert (rank, count) == (order.index(row) + 1, len(among))


def test_codes_that_are_all_alike_find_nothing():
    alike, rows = unit(torch.ones(7, 3)), torch.arange(7)
    ranks, counts = own_ranks(alike, alike, rows, rows, rows)
    assert set(ranks) == set(counts) == {7}


def test_a_twin_that_comes_first_is_no_mistake():
    rows, films = torch.arange(3), torch.tensor([0, 0, 1])
    anchor = torch.eye(3)
    target = anchor[[1, 0, 2]]
    assert own_ranks(anchor, target, films, rows, rows)[0].tolist() == [2, 2, 1]
    assert own_ranks(anchor, target, rows, rows, rows)[0].tolist() == [3, 3, 1]


def test_many_queries_are_ranked_like_few():
    anchor, target = (unit(c) for c in codes(1, movies=1100))
    rows = torch.arange(1100)
    together, _ = own_ranks(anchor, target, rows, rows, rows)
    last, _ = own_ranks(anchor, target, rows, rows[1000:], rows)
    np.testing.assert_array_equal(together[1000:], last)


def test_metrics_of_ranks_by_hand():
    found = retrieval_metrics(np.array([1, 2, 10, 20]))
    assert found == {
        "recall@1": 0.25,
        "recall@10": 0.75,
        "mrr": pytest.approx((1 + 1 / 2 + 1 / 10 + 1 / 20) / 4),
    }


@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_chance_is_the_mean_over_every_order(counts):
    each = [retrieval_metrics(np.arange(1, count + 1)) for count in counts]
    expected = {name: np.mean([metrics[name] for metrics in each]) for name in each[0]}
    assert chance_metrics(np.array(counts)) == pytest.approx(expected)

"""What holds for every encoding, whatever the numbers."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="sharing is torch")
from laws import examples

from recsys.config.experiment import SharingConfig
from recsys.recommenders.joint.content import TASKS, Encoded
from recsys.recommenders.joint.sharing import (
    Adversary,
    Orthogonality,
    PenaltyContext,
    reversal_strength,
    reverse_gradient,
)

FAST = examples(60)
SEEDS = st.integers(0, 2**32)
TASK_SETS = st.lists(st.sampled_from(TASKS), min_size=1, unique=True)


@st.composite
def encodings(draw) -> Encoded:
    """In double precision: the laws are of the formula."""
    random = torch.Generator().manual_seed(draw(SEEDS))
    n, c, p = draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.integers(1, 5))

    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    return Encoded(normal(n, c), {task: normal(n, p) for task in TASKS}, normal(n, 1))


def config(encoded=None, **changes) -> SharingConfig:
    width = 1 if encoded is None else encoded.shared.shape[1]
    return SharingConfig(scheme="asp", shared_dim=width, discriminator_dim=5, **changes)


def asked_for(encoded, tasks, seed):
    """Every task asks for the first movie at least."""
    random = np.random.default_rng(seed)
    found = random.integers(0, 4, (len(tasks), len(encoded.shared)))
    found[:, 0] += 1
    return {t: torch.tensor(row, dtype=torch.float64) for t, row in zip(tasks, found, strict=True)}


def everybody(encoded, tasks=TASKS):
    return {task: torch.ones(len(encoded.shared), dtype=torch.float64) for task in tasks}


def overlap(encoded, tasks=TASKS) -> float:
    return Orthogonality(config())(encoded, PenaltyContext(everybody(encoded, tasks), 0.0)).item()


def transformed(encoded, shared, private) -> Encoded:
    return Encoded(
        shared(encoded.shared),
        {task: private(p) for task, p in encoded.private.items()},
        encoded.modality_weights,
    )


def rotation(width, seed):
    random = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(width, width, generator=random, dtype=torch.float64))[0]


@FAST
@given(encoded=encodings(), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_overlap_grows_with_the_square_of_each_side(encoded, a, b):
    scaled = transformed(encoded, lambda s: a * s, lambda p: b * p)
    assert overlap(scaled) == pytest.approx(a**2 * b**2 * overlap(encoded), rel=1e-9, abs=1e-12)


@FAST
@given(encoded=encodings(), seed=SEEDS)
def test_overlap_does_not_depend_on_the_axes(encoded, seed):
    q = rotation(encoded.shared.shape[1], seed)
    r = rotation(encoded.private["genre"].shape[1], seed + 1)
    turned = transformed(encoded, lambda s: s @ q, lambda p: p @ r)
    assert overlap(turned) == pytest.approx(overlap(encoded), rel=1e-9)


@FAST
@given(encoded=encodings(), seed=SEEDS, copies=st.integers(1, 3))
def test_overlap_does_not_depend_on_the_order_or_the_number_of_the_movies(encoded, seed, copies):
    order = np.random.default_rng(seed).permutation(copies * len(encoded.shared))
    rows = torch.from_numpy(order % len(encoded.shared))
    moved = transformed(encoded, lambda s: s[rows], lambda p: p[rows])
    assert overlap(moved) == pytest.approx(overlap(encoded), rel=1e-9)


@FAST
@given(encoded=encodings())
def test_what_is_orthogonal_has_no_overlap_and_nothing_has_less(encoded):
    assert overlap(encoded) >= 0
    basis = torch.linalg.qr(encoded.shared)[0]
    rest = transformed(encoded, lambda s: s, lambda p: p - basis @ (basis.T @ p))
    assert overlap(rest) == pytest.approx(0, abs=1e-18)


@FAST
@given(encoded=encodings(), tasks=TASK_SETS)
def test_overlap_is_a_sum_over_tasks(encoded, tasks):
    alone = sum(overlap(encoded, [task]) for task in tasks)
    assert overlap(encoded, tasks) == pytest.approx(alone, rel=1e-9)


@FAST
@given(strength=st.floats(0, 1), seed=SEEDS)
def test_reversal_is_the_identity_with_another_gradient(strength, seed):
    random = torch.Generator().manual_seed(seed)
    x, pull = torch.randn(2, 3, 4, generator=random)
    x.requires_grad_()
    y = reverse_gradient(x, strength)
    assert torch.equal(y, x)
    y.backward(pull)
    assert torch.equal(x.grad, -strength * pull)


@FAST
@given(p=st.floats(0, 1), q=st.floats(0, 1))
def test_the_ramp_rises_within_0_and_1(p, q):
    low, high = sorted((p, q))
    assert 0 <= reversal_strength(low) <= reversal_strength(high) <= 1
    expected = 2 / (1 + math.exp(-10 * p)) - 1
    assert reversal_strength(p) == pytest.approx(expected, abs=1e-12)


@FAST
@given(encoded=encodings(), tasks=TASK_SETS, seed=SEEDS, factor=st.floats(0.1, 100))
def test_every_task_counts_alike_however_often_it_asks(encoded, tasks, seed, factor):
    adversary = Adversary(config(encoded), 0).double()
    examples = asked_for(encoded, tasks, seed)
    louder = examples | {tasks[0]: factor * examples[tasks[0]]}
    one, two = (
        adversary(encoded, PenaltyContext(asked, 1.0)).item() for asked in (examples, louder)
    )
    assert one >= 0
    assert one == pytest.approx(two, rel=1e-9)


@FAST
@given(encoded=encodings(), tasks=TASK_SETS, seed=SEEDS)
def test_the_order_of_movies_and_tasks_is_nothing_to_the_discriminator(encoded, tasks, seed):
    adversary = Adversary(config(encoded), 0).double()
    examples = asked_for(encoded, tasks, seed)
    rows = torch.from_numpy(np.random.default_rng(seed).permutation(len(encoded.shared)))
    moved = transformed(encoded, lambda s: s[rows], lambda p: p)
    backwards = {task: examples[task][rows] for task in reversed(tasks)}
    one = adversary(encoded, PenaltyContext(examples, 1.0))
    two = adversary(moved, PenaltyContext(backwards, 1.0))
    assert one.item() == pytest.approx(two.item(), rel=1e-9)


@FAST
@given(encoded=encodings(), tasks=TASK_SETS, seed=SEEDS)
def test_no_discriminator_tells_apart_who_asks_for_the_same(encoded, tasks, seed):
    """Jensen: the mean cross-entropy over T tasks of equal demand is at least log T."""
    adversary = Adversary(config(encoded), seed).double()
    asked = asked_for(encoded, tasks[:1], seed)[tasks[0]]
    loss = adversary(encoded, PenaltyContext(dict.fromkeys(tasks, asked), 1.0)).item()
    assert loss >= math.log(len(tasks)) - 1e-9

"""Reversal, discriminator and orthogonality on encodings made by hand."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="sharing is torch")

from recsys.config.experiment import SharingConfig
from recsys.recommenders.joint.content import TASKS, Encoded
from recsys.recommenders.joint.sharing import (
    Adversary,
    Orthogonality,
    PenaltyContext,
    make_penalties,
    private_dim,
    reversal_strength,
    reverse_gradient,
)

N, C, P = 24, 4, 3


def config(**changes) -> SharingConfig:
    values = {"scheme": "asp", "shared_dim": C, "private_dim": P, "discriminator_dim": 8}
    return SharingConfig(**(values | changes))


def encodings(seed=0, tasks=TASKS) -> Encoded:
    random = torch.Generator().manual_seed(seed)
    shared = torch.randn(N, C, generator=random).requires_grad_()
    private = {t: torch.randn(N, P, generator=random).requires_grad_() for t in tasks}
    return Encoded(shared, private, torch.ones(N, 1))


def apart(tasks=TASKS):
    """Every task asks for movies of its own."""
    return {t: (torch.arange(N) % len(tasks) == n).float() for n, t in enumerate(tasks)}


def alike(tasks=TASKS):
    """All tasks ask for the same movies, one of them ten times as often."""
    asked = (torch.arange(N) % 3).float()
    return {t: asked * (10 if t == tasks[0] else 1) for t in tasks}


def learn(penalty, encoded, examples, steps=300):
    """The loss of a discriminator that was trained on its own."""
    optimiser = torch.optim.Adam(penalty.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        loss = penalty(encoded, PenaltyContext(examples, 1.0))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_reversal_is_nothing_forwards_and_a_factor_backwards(strength):
    x = encodings().shared
    y = reverse_gradient(x, strength)
    assert torch.equal(y, x)
    pull = torch.randn(N, C)
    y.backward(pull)
    assert torch.equal(x.grad, -strength * pull)


def test_the_ramp_rises_from_nothing_as_ganin_s_does():
    assert reversal_strength(0.0) == 0
    found = [reversal_strength(p / 10) for p in range(11)]
    assert found == pytest.approx([math.tanh(p / 2) for p in range(11)])
    assert found == sorted(found)
    assert found[-1] <= 1


@pytest.mark.parametrize("tasks", [TASKS, TASKS[:3], TASKS[1:3]])
def test_tasks_that_ask_for_the_same_movies_cannot_be_told_apart(tasks):
    """However often each of them does: the loss falls to the logarithm of their number."""
    losses = learn(Adversary(config(), 0), encodings(), alike(tasks))
    assert losses[-1] == pytest.approx(math.log(len(tasks)), abs=0.01)
    assert min(losses) > math.log(len(tasks)) - 1e-4


def test_tasks_that_ask_for_movies_of_their_own_are_told_apart():
    losses = learn(Adversary(config(), 0), encodings(), apart())
    assert losses[0] == pytest.approx(math.log(len(TASKS)), abs=0.3)
    assert losses[-1] < 0.1 * math.log(len(TASKS))


def test_a_step_down_the_gradient_makes_shared_encodings_harder_to_tell_apart():
    """And the discriminator, which the same step improves, better at it."""
    encoded, adversary = encodings(), Adversary(config(), 0)
    before = adversary(encoded, PenaltyContext(apart(), 1.0))
    before.backward()
    hidden = encoded._replace(shared=(encoded.shared - 0.1 * encoded.shared.grad).detach())
    assert adversary(hidden, PenaltyContext(apart(), 1.0)) > before
    with torch.no_grad():
        for parameter in adversary.parameters():
            parameter.sub_(0.1 * parameter.grad)
    assert adversary(encoded, PenaltyContext(apart(), 1.0)) < before


def test_the_discriminator_sees_what_is_shared_and_nothing_else():
    encoded = encodings()
    Adversary(config(), 0)(encoded, PenaltyContext(apart(), 1.0)).backward()
    assert encoded.shared.grad.any()
    assert all(private.grad is None for private in encoded.private.values())


@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
def test_reversal_turns_the_shared_gradient_and_leaves_the_discriminator_s(monkeypatch, progress):
    found = []
    for reverse in (reverse_gradient, lambda x, _strength: x):
        monkeypatch.setattr("recsys.recommenders.joint.sharing.reverse_gradient", reverse)
        encoded, adversary = encodings(), Adversary(config(), 0)
        loss = adversary(encoded, PenaltyContext(apart(), progress))
        loss.backward()
        found.append((loss, encoded.shared.grad, [p.grad for p in adversary.parameters()]))
    (loss, turned, own), (plain_loss, plain, plain_own) = found
    assert torch.equal(loss, plain_loss)
    strength = reversal_strength(progress)
    torch.testing.assert_close(turned, -strength * plain)
    assert all(torch.equal(a, b) for a, b in zip(own, plain_own, strict=True))


def test_the_discriminator_starts_from_a_stream_of_its_own():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = Adversary(config(), 0).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    same, other = Adversary(config(), 0).state_dict(), Adversary(config(), 1).state_dict()
    for name, value in one.items():
        assert torch.equal(value, same[name])
        assert torch.equal(value, other[name]) == name.endswith("bias")


@pytest.mark.parametrize("tasks", [TASKS, TASKS[:2], ("genre",)])
def test_orthogonality_is_between_what_is_shared_and_what_the_batch_s_tasks_keep(tasks):
    encoded, examples = encodings(), apart(tasks)
    loss = Orthogonality(config())(encoded, PenaltyContext(examples, 0.5))
    expected = sum(
        torch.linalg.matrix_norm(encoded.shared.T @ encoded.private[t]).item() ** 2 for t in tasks
    )
    assert loss.item() == pytest.approx(expected / N**2, rel=1e-5)
    loss.backward()
    for task, private in encoded.private.items():
        assert (private.grad is None) == (task not in tasks)
    assert encoded.shared.grad.any()


def test_nothing_in_common_costs_nothing():
    columns = torch.linalg.qr(torch.randn(N, C + P, dtype=torch.float64))[0]
    encoded = Encoded(columns[:, :C], dict.fromkeys(TASKS, columns[:, C:]), torch.ones(N, 1))
    assert Orthogonality(config())(encoded, PenaltyContext(apart(), 0.0)).item() == pytest.approx(
        0, abs=1e-20
    )
    same = encoded._replace(private=dict.fromkeys(TASKS, columns[:, :P]))
    assert Orthogonality(config())(same, PenaltyContext(apart(), 0.0)).item() > 1e-3


def test_with_nothing_private_there_is_nothing_in_common():
    assert Orthogonality(config())(encodings(tasks=()), PenaltyContext(apart(), 0.0)).item() == 0


@pytest.mark.parametrize(
    ("changes", "width"),
    [({"scheme": "fs"}, 0), ({"scheme": "sp"}, P), ({}, P), ({"private_dim": 0}, 0)],
)
def test_fully_shared_keeps_nothing_private(changes, width):
    assert private_dim(config(**changes)) == width


@pytest.mark.parametrize("scheme", ["fs", "sp"])
def test_only_adversarial_sharing_is_penalised(scheme):
    assert make_penalties(config(scheme=scheme), 0) == []
    found = make_penalties(config(adversarial=0.3, orthogonality=0.2), 0)
    assert {penalty.name: penalty.weight for penalty in found} == {
        "adversarial": 0.3,
        "orthogonality": 0.2,
    }
    assert make_penalties(config(adversarial=0, orthogonality=0), 0) == []

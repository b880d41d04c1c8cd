"""What tasks share, and what keeps shared and private apart.

FS: every task reads the shared encoder alone. SP: each task has a private encoder beside it
(Bousmalis et al., NIPS 2016; Liu, Qiu & Huang, ACL 2017). ASP: SP and two penalties,

- a task discriminator that tells from a movie's shared representation which task asked for it,
  behind gradient reversal (Ganin et al., JMLR 2016), so that the shared encoder learns to hide it;
- ``Σ_t ‖SᵀP_t‖²_F / I²``, so that a private encoder does not repeat what is shared (Liu et al.,
  eq. 9).

The encoders themselves are in the module ``content``. All tasks see the same movies here, so
what the discriminator has to go on is which movies a task asks for: ranking and rating ask for
popular ones, the genre task for all alike.

Legend: I movies, C shared and P private dimensions, T tasks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.config.experiment import SharingConfig
from recsys.recommenders.joint.content import TASKS, Encoded, Task
from recsys.recommenders.joint.weights import generator, linear

_RAMP = 10.0  # γ of Ganin et al.


class PenaltyContext(NamedTuple):
    """When, and for what, movies were encoded.

    Attributes:
        examples: task to (I,) how often a batch asks it for each movie; tasks absent from the batch
            are left out.
        progress: share of the training that is done.
    """

    examples: Mapping[Task, Tensor]
    progress: float


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """``x`` itself; its gradient comes back times ``−strength`` (Ganin et al., eq. 10)."""
    apply: Callable[[Tensor, float], Tensor] = _Reversal.apply
    return apply(x, strength)


def reversal_strength(progress: float) -> float:
    """How strongly the shared encoder is pushed away from the discriminator.

    ``2 / (1 + e^{−γp}) − 1`` (Ganin et al., section 5.2.2) with p the share of the training that is
    done.
    """
    return 2 / (1 + math.exp(-_RAMP * progress)) - 1


class Adversary(nn.Module):
    """A task discriminator on the shared space, behind gradient reversal.

    Args:
        config: sizes, weight, schedule.
        seed: root seed of the initial weights.
    """

    name = "adversarial"

    def __init__(self, config: SharingConfig, seed: int) -> None:
        super().__init__()
        self.config, self.weight = config, config.adversarial
        hidden, rng = config.discriminator_dim, generator(seed, "discriminator")
        self.hidden = linear(config.shared_dim, hidden, rng=rng)
        self.output = linear(hidden, len(TASKS), rng=rng)

    def forward(self, encoded: Encoded, context: PenaltyContext) -> Tensor:
        """Cross-entropy of the task that asked, each task counting alike."""
        strength = reversal_strength(context.progress)
        shared = reverse_gradient(encoded.shared, strength)
        logits = self.output(functional.relu(self.hidden(shared)))
        log_p = functional.log_softmax(logits, dim=1)
        losses = [
            -(asked / asked.sum().clamp(min=1e-12)) @ log_p[:, TASKS.index(task)]
            for task, asked in context.examples.items()
        ]
        return torch.stack(losses).mean()


class Orthogonality:
    """``Σ_t ‖SᵀP_t‖²_F / I²`` over the tasks of the batch."""

    name = "orthogonality"

    def __init__(self, config: SharingConfig) -> None:
        self.weight = config.orthogonality

    def __call__(self, encoded: Encoded, context: PenaltyContext) -> Tensor:
        """The other tasks' private encoders are left alone."""
        shared = encoded.shared
        overlaps = [
            ((shared.T @ encoded.private[task]) / len(shared)).square().sum()
            for task in context.examples
            if task in encoded.private
        ]
        return torch.stack(overlaps).sum() if overlaps else shared.new_zeros(())


Penalty = Adversary | Orthogonality
"""Something to be small beside the losses of the tasks."""


def private_dim(config: SharingConfig) -> int:
    """P: zero when everything is shared."""
    return 0 if config.scheme == "fs" else config.private_dim


def make_penalties(config: SharingConfig, seed: int) -> list[Penalty]:
    """The penalties of a scheme whose weight is not zero."""
    if config.scheme != "asp":
        return []
    everything: list[Penalty] = [Adversary(config, seed), Orthogonality(config)]
    return [penalty for penalty in everything if penalty.weight]

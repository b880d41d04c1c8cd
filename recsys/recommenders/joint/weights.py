"""Initial weights, each drawn from a stream of its own name.

So that adding a modality, a task or a penalty leaves all other initial weights as they were.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.seeding import seed_for


def generator(seed: int, name: str) -> torch.Generator:
    """A torch generator for one named purpose."""
    return torch.Generator().manual_seed(seed_for(seed, name))


def uniform(outputs: int, inputs: int, *, rng: torch.Generator) -> Tensor:
    """(outputs, inputs), uniform within ±1/√inputs."""
    bound = max(inputs, 1) ** -0.5
    return torch.empty(outputs, inputs).uniform_(-bound, bound, generator=rng)


def linear(inputs: int, outputs: int, *, rng: torch.Generator) -> nn.Linear:
    """A linear layer, uniform within ±1/√inputs; its bias is zero."""
    with torch.random.fork_rng(devices=[]):  # the constructor draws weights that are replaced here
        layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.copy_(uniform(outputs, inputs, rng=rng))
        layer.bias.zero_()
    return layer

"""Codes of two modalities pulled together where they are of one movie, pushed apart where not.

Legend: I movies, F dimensions of a code, N movies trained on, B of a batch, K kinds of kinship.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from recsys.config.experiment import AlignmentConfig
from recsys.errors import RecsysError
from recsys.recommenders.joint.weights import generator

_SHORTEST = 1e-2  # a code that dropout emptied is not blown up to length one


class Codes(Protocol):
    """What alignment needs of an item tower.

    Attributes:
        names: the modalities.
        warm: (I, 1) 1 for a movie rated in training.
        training: whether dropout applies.
    """

    names: list[str]
    warm: Tensor
    training: bool

    def code(self, name: str, rows: Tensor | None = None, dropout: float = 0.0) -> Tensor:
        """(I, F) codes of one modality, or those of some movies."""

    def present(self, name: str) -> Tensor:
        """(I,) bool, which movies have a modality."""

    def code_parameters(self, name: str) -> list[nn.Parameter]:
        """What turns a modality into its code."""

    def train(self, mode: bool = True) -> Any:
        """Switch between training and evaluation mode."""


def info_nce(anchor: Tensor, target: Tensor, kin: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE with in-batch negatives.

    ``−½/B Σ_i [log e^{s_ii/τ} / Σ_j e^{s_ij/τ} + log e^{s_ii/τ} / Σ_j e^{s_ji/τ}]``, s the cosine:
    van den Oord et al. 2018, eq. 4, with ``f = e^{s/τ}``, averaged over both directions as in CLIP
    (Radford et al. 2021, fig. 3), at a fixed temperature τ.

    Args:
        anchor: (B, F).
        target: (B, F).
        kin: (B, B) bool, pairs that are no negatives of each other; the diagonal does not matter.
        temperature: τ.
    """
    logits = unit(anchor) @ unit(target).T / temperature
    own = torch.arange(len(logits), device=logits.device)
    excused = kin & (own[:, None] != own)
    logits = logits.masked_fill(excused, float("-inf"))
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def unit(codes: Tensor) -> Tensor:
    """Codes scaled to length one; one that is all but zero stays short."""
    return functional.normalize(codes, dim=1, eps=_SHORTEST)


def contrast(
    tower: Codes, config: AlignmentConfig, movies: Tensor, kin: Tensor, seed: int
) -> Iterator[float]:
    """Train the codes in place, one epoch for every mean loss that is drawn.

    Args:
        tower: whose codes are trained.
        config: which codes, and how.
        movies: (N,) rows trained on.
        kin: (I, K) labels; two movies that share any of them are no negatives of each other.
        seed: of the batches.

    Raises:
        RecsysError: the loss is no longer finite.
    """
    rng, optimiser = generator(seed, "alignment/batches"), _optimiser(tower, config)
    tower.train()
    for _ in range(config.epochs):
        order = torch.randperm(len(movies), generator=rng).to(movies.device)
        batches = torch.split(movies[order], config.batch_size)
        total = sum(
            len(rows) * _step(tower, config, rows, kin[rows], optimiser) for rows in batches
        )
        yield total / len(movies)


def _step(
    tower: Codes, config: AlignmentConfig, rows: Tensor, kin: Tensor, optimiser: Optimizer
) -> float:
    excused = (kin[:, None] == kin).any(dim=2)
    if excused.all():  # one movie, or entries of one film: no negatives, so the loss is log 1
        return 0.0
    anchor, target = (
        tower.code(name, rows, config.feature_dropout) for name in (config.anchor, config.target)
    )
    loss = info_nce(anchor, target, excused, config.temperature)
    if not torch.isfinite(loss):
        raise RecsysError(
            f"the loss of alignment is {loss.item()}", hint="lower alignment.learning_rate"
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.item()


def _optimiser(tower: Codes, config: AlignmentConfig) -> Optimizer:
    """AdamW; matrices decay, vectors do not."""
    learnt = [p for name in (config.anchor, config.target) for p in tower.code_parameters(name)]
    groups = [
        {"params": [p for p in learnt if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in learnt if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)

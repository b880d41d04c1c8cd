"""Weights of the tasks that are learnt beside the model.

A loss part is a task, unless its name begins with ``penalty/``: penalties are added as they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Adam

from recsys.recommenders.joint.training.objective import PENALTY
from recsys.recommenders.joint.training.optimiser import (
    optimiser_tensors,
    restore_optimiser,
    within,
)

_RATE = 0.025  # of the weights themselves, as in Chen et al.
_MOST = 3.0  # |log weight| under uncertainty: a loss below zero would drive its weight to infinity
_LEAST_LOSS = 1e-3  # a likelihood can fall below zero, where a share of it means nothing
_LEAST_WEIGHT = 1e-3


def _tasks(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: part for name, part in parts.items() if not name.startswith(PENALTY)}


def _penalties(parts: Mapping[str, Tensor]) -> list[Tensor]:
    return [part for name, part in parts.items() if name.startswith(PENALTY)]


class _Learnt(ABC):
    """One number a task, moved by Adam from the first step in which the task occurs.

    Tasks are gone through in the order of the alphabet: that in which they first occurred is not
    known after a restart, and sums of the same numbers in another order are others.

    Args:
        start: its first value.
    """

    def __init__(self, start: float) -> None:
        self.start = start
        self.values: dict[str, nn.Parameter] = {}
        self._optimisers: dict[str, Adam] = {}

    @abstractmethod
    def _confine(self) -> None:
        """Put the numbers back where they may be, after a step."""

    def _in_order(self) -> dict[str, nn.Parameter]:
        return dict(sorted(self.values.items()))

    def _value(self, name: str, device: torch.device) -> nn.Parameter:
        if name not in self.values:
            self.values[name] = nn.Parameter(torch.full((), self.start, device=device))
            self._optimisers[name] = Adam([self.values[name]], lr=_RATE)
        return self.values[name]

    def step(self) -> None:
        """See ``Balancing``; a task that did not occur keeps its number, but for confinement."""
        for optimiser in self._optimisers.values():
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():
            self._confine()

    def tensors(self) -> dict[str, Tensor]:
        """See ``Balancing``."""
        found: dict[str, Tensor] = {}
        for name, value in self._in_order().items():
            moments = optimiser_tensors(self._optimisers[name])
            found[f"{name}/value"] = value.detach()
            found |= {f"{name}/adam/{key}": tensor for key, tensor in moments.items()}
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See ``Balancing``."""
        for key, saved in tensors.items():
            if key.endswith("/value"):
                self._restore(key.removesuffix("/value"), saved, tensors)

    def _restore(self, name: str, saved: Tensor, tensors: Mapping[str, Tensor]) -> None:
        value = self._value(name, saved.device)
        with torch.no_grad():
            value.copy_(saved)
        restore_optimiser(self._optimisers[name], within(tensors, f"{name}/adam/"))


class Uncertainty(_Learnt):
    """``Σ_k e^{−s_k} L_k + s_k`` with a learnt log variance s_k a task, held within ±3.

    Kendall, Gal & Cipolla (CVPR 2018), section 3.2: ``s = log σ²`` is what is learnt, as they
    advise, and every task is treated alike, whereas they weigh regression by ½. The weight of a
    loss above zero settles at ``1 / L_k``, that of one below at its bound.
    """

    def __init__(self) -> None:
        super().__init__(start=0.0)

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """See ``Balancing``."""
        terms = _penalties(parts)
        for name, part in _tasks(parts).items():
            s = self._value(name, part.device)
            terms.append(torch.exp(-s) * part + s)
        return torch.stack(terms).sum()

    def _confine(self) -> None:
        for value in self.values.values():
            value.clamp_(-_MOST, _MOST)

    def weights(self) -> dict[str, float]:
        """See ``Balancing``."""
        return {name: s.detach().neg().exp().item() for name, s in self._in_order().items()}


class GradNorm(_Learnt):
    """``Σ_k w_k L_k``, with weights under which all tasks train at similar rates.

    Chen et al. (ICML 2018), eq. 1 and 2: with ``G_k = ‖∇_W w_k L_k‖`` at the shared layer W and
    ``r_k`` the loss as a share of the task's first, divided by the mean of that over the tasks,
    the weights follow the gradient of ``Σ_k |G_k − Ḡ r_k^α|``, Ḡ r_k^α held constant, and are
    scaled to add up to the number of tasks (algorithm 1).

    Args:
        shared: W.
        alpha: α, how strongly slow tasks are helped.
    """

    def __init__(self, shared: nn.Parameter, alpha: float) -> None:
        super().__init__(start=1.0)
        self.shared, self.alpha = shared, alpha
        self.first: dict[str, Tensor] = {}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """See ``Balancing``."""
        tasks = _tasks(parts)
        if not tasks:
            return torch.stack(_penalties(parts)).sum()
        values = [self._value(name, part.device) for name, part in tasks.items()]
        weights = torch.stack([value.detach() for value in values])
        for value, gradient in zip(values, self._gradient(tasks, weights), strict=True):
            value.grad = gradient
        weighted = (weights * torch.stack(list(tasks.values()))).sum()
        return torch.stack([weighted, *_penalties(parts)]).sum()

    def _gradient(self, tasks: Mapping[str, Tensor], weights: Tensor) -> Tensor:
        """Of ``Σ_k |G_k − Ḡ r_k^α|``: as ``G_k = w_k ‖∇_W L_k‖``, it needs no second derivative."""
        norms = torch.stack([self._norm(part) for part in tasks.values()])
        shares = torch.stack([self._share(name, part.detach()) for name, part in tasks.items()])
        wanted = (weights * norms).mean() * (shares / shares.mean()) ** self.alpha
        return torch.sign(weights * norms - wanted) * norms

    def _norm(self, part: Tensor) -> Tensor:
        if not part.requires_grad:
            return part.new_zeros(())
        (gradient,) = torch.autograd.grad(part, self.shared, retain_graph=True, allow_unused=True)
        norm: Tensor = part.new_zeros(()) if gradient is None else gradient.norm()
        return norm

    def _share(self, name: str, loss: Tensor) -> Tensor:
        first = self.first.setdefault(name, loss.clone())
        return loss.clamp(min=_LEAST_LOSS) / first.clamp(min=_LEAST_LOSS)

    def _confine(self) -> None:
        values = list(self._in_order().values())
        if not values:
            return
        for value in values:
            value.clamp_(min=_LEAST_WEIGHT)
        scale = len(values) / torch.stack([*values]).sum()
        for value in values:
            value.mul_(scale)

    def weights(self) -> dict[str, float]:
        """See ``Balancing``."""
        return {name: value.item() for name, value in self._in_order().items()}

    def tensors(self) -> dict[str, Tensor]:
        """See ``Balancing``."""
        first = {f"{name}/first": loss for name, loss in self.first.items()}
        return super().tensors() | first

    def _restore(self, name: str, saved: Tensor, tensors: Mapping[str, Tensor]) -> None:
        super()._restore(name, saved, tensors)
        self.first[name] = tensors[f"{name}/first"]

"""How much each task counts: fixed, by learnt uncertainty, or by gradient norms.

A loss part is a task, unless its name begins with ``penalty/``: penalties are added as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError
from recsys.recommenders.joint.training.learnt_balancing import GradNorm, Uncertainty


class Balancing(Protocol):
    """Makes one number to minimise of the loss parts of a step."""

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """What is minimised in this step."""
        ...

    def step(self) -> None:
        """Move the weights, after the gradients of ``total`` have been taken."""
        ...

    def weights(self) -> dict[str, float]:
        """What each task counts now; empty where that never changes."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """The state, for a checkpoint."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what ``tensors`` gave."""
        ...


def balancing_for(config: TrainingConfig, model: nn.Module) -> Balancing:
    """The balancing that ``training.balancing`` names.

    Raises:
        ConfigError: gradient norms are asked for, of a model that shares no layer.
    """
    if config.balancing == "fixed":
        return Fixed()
    if config.balancing == "uncertainty":
        return Uncertainty()
    shared = getattr(model, "shared_weight", None)
    if not isinstance(shared, nn.Parameter):
        raise ConfigError(
            "training.balancing=gradnorm needs a layer that all tasks share, and there is none",
            hint="set training.balancing to fixed or uncertainty",
        )
    return GradNorm(shared, config.gradnorm_alpha)


class Fixed:
    """The sum of all parts, weighted beforehand."""

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """See ``Balancing``."""
        return torch.stack(list(parts.values())).sum()

    def step(self) -> None:
        """See ``Balancing``."""

    def weights(self) -> dict[str, float]:
        """See ``Balancing``."""
        return {}

    def tensors(self) -> dict[str, Tensor]:
        """See ``Balancing``."""
        return {}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See ``Balancing``."""

"""One optimiser step after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from recsys.config.experiment import TrainingConfig
from recsys.errors import RecsysError
from recsys.recommenders.joint.training.balancing import balancing_for
from recsys.recommenders.joint.training.compiling import Forward, compiled
from recsys.recommenders.joint.training.devices import (
    autocast,
    precision_of,
    random_state,
    restore_random_state,
)
from recsys.recommenders.joint.training.optimiser import (
    make_optimiser,
    optimiser_tensors,
    restore_optimiser,
    within,
)


class Stepper:
    """Everything that a step moves: weights, their optimiser, its rate, the balance of the losses.

    Args:
        model: trained in place, on the device it is on.
        objective: (model, batch, share of the planned steps that are done) to loss parts.
        config: of the loop.
        steps: how many are planned.
    """

    def __init__(
        self, model: nn.Module, objective: Forward, config: TrainingConfig, steps: int
    ) -> None:
        self.model, self.device = model, next(model.parameters()).device
        self.precision = precision_of(config, self.device)
        self.forward = compiled(objective) if config.compile else objective
        self.optimiser = make_optimiser(model, config)
        self.schedule = CosineAnnealingLR(self.optimiser, steps)
        self.balancing = balancing_for(config, model)

    def step(self, batch: Any, progress: float) -> dict[str, float]:
        """Learn from one batch; the value of every loss part.

        Raises:
            RecsysError: the loss is no longer finite; the weights are those before.
        """
        with autocast(self.device, self.precision):
            parts = self.forward(self.model, batch.to(self.device), progress)
        if not parts:  # by chance, nothing of this batch was held back
            return {}
        parts = {name: part.float() for name, part in parts.items()}
        loss = self.balancing.total(parts)
        values = _finite(parts, loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.balancing.step()
        self.schedule.step()
        return values

    def tensors(self) -> dict[str, Tensor]:
        """The state as far as it is tensors, with that of torch's random streams."""
        kinds = {
            "model": self.model.state_dict(),
            "optimiser": optimiser_tensors(self.optimiser),
            "balancing": self.balancing.tensors(),
            "random": random_state(self.device),
        }
        return {f"{kind}/{k}": t for kind, found in kinds.items() for k, t in found.items()}

    def state(self) -> dict[str, Any]:
        """The rest of the state, as JSON can hold it."""
        rates = [group["lr"] for group in self.optimiser.param_groups]
        return {"schedule": self.schedule.state_dict(), "rates": rates}

    def restore(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Put back what ``tensors`` and ``state`` gave."""
        self.model.load_state_dict(within(tensors, "model/"))
        restore_optimiser(self.optimiser, within(tensors, "optimiser/"))
        balancing = within(tensors, "balancing/")
        self.balancing.restore({name: t.to(self.device) for name, t in balancing.items()})
        self.schedule.load_state_dict(dict(state["schedule"]))
        for group, rate in zip(self.optimiser.param_groups, state["rates"], strict=True):
            group["lr"] = rate
        restore_random_state(within(tensors, "random/"), self.device)


def _finite(parts: dict[str, Tensor], loss: Tensor) -> dict[str, float]:
    """The loss parts as numbers, in one transfer."""
    total, *values = torch.stack([loss.detach(), *(p.detach() for p in parts.values())]).tolist()
    if not math.isfinite(total):
        shown = ", ".join(f"{name} {v:.3g}" for name, v in zip(parts, values, strict=True))
        raise RecsysError(
            f"the loss is no longer finite ({shown})", hint="lower training.learning_rate"
        )
    return dict(zip(parts, values, strict=True))

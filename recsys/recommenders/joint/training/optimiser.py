"""The optimiser of a model, and the state of any optimiser as named tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from recsys.config.experiment import TrainingConfig


def make_optimiser(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """AdamW; id offsets and content weights decay at their own rates, single numbers not at all."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        groups.setdefault(_decay(name, parameter, config), []).append(parameter)
    settings = [{"params": params, "weight_decay": decay} for decay, params in groups.items()]
    return torch.optim.AdamW(settings, lr=config.learning_rate)


def _decay(name: str, parameter: nn.Parameter, config: TrainingConfig) -> float:
    if "offsets" in name.split("."):
        return config.offset_decay if parameter.shape[-1] > 1 else 0.0
    return config.content_decay if name.endswith("weight") else 0.0


def optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """Moments and step counts by ``{parameter's number}/{name}``."""
    state: dict[int, dict[str, Tensor]] = optimiser.state_dict()["state"]
    return {f"{n}/{name}": tensor for n, kept in state.items() for name, tensor in kept.items()}


def restore_optimiser(optimiser: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what ``optimiser_tensors`` gave; learning rates stay as they are."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split("/", 1)
        state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})


def within(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """What is named ``prefix…``, without the prefix."""
    found = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): tensor for name, tensor in found.items()}

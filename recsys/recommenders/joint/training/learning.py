"""What a training is given, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import nn

from recsys.recommenders.joint.training.compiling import Forward

Validate = Callable[[], dict[str, float]]
"""Metrics of the model as it stands, on validation data."""


class Batches(Protocol):
    """Batches that can be moved to a device, in an order that the epoch alone decides."""

    def __len__(self) -> int:
        """How many there are in an epoch."""
        ...

    def epoch(self, number: int, start: int = 0) -> Iterator[Any]:
        """Those of one epoch, from the given one on."""
        ...


@dataclass(frozen=True)
class Learning:
    """What is trained, on what, towards what, and how it is judged.

    Attributes:
        model: it is trained in place, on the device it is on.
        batches: the training users.
        objective: (model, batch, share of the planned steps that are done) to loss parts.
        validate: called every so many epochs and after the last.
    """

    model: nn.Module
    batches: Batches
    objective: Forward
    validate: Validate


@dataclass
class Standing:
    """Where a training stands.

    Attributes:
        epoch: the one that is under way, from 1.
        step: how many of its batches are done.
        sums: of every loss part over those batches.
        best: the best score so far.
        since_best: validations since.
    """

    epoch: int = 1
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    best: float | None = None
    since_best: int = 0

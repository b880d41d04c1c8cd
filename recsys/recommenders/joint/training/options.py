"""How a training is run, apart from what is learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunOptions:
    """Where a run writes and whom it tells; none of it changes what is learnt.

    Attributes:
        log_path: file that receives one JSON line an epoch.
        tensorboard: folder for TensorBoard; nothing is written where that is not installed.
        checkpoint: folder that the state of the training is kept in.
        resume: go on from ``checkpoint``, if there is one, instead of discarding it.
        on_validation: called with the epoch and the monitored score after every validation; what
            it raises ends the training.
    """

    log_path: Path | None = None
    tensorboard: Path | None = None
    checkpoint: Path | None = None
    resume: bool = False
    on_validation: Callable[[int, float], None] | None = None

"""The one training loop: steps, validation, early stopping, checkpoints. It knows no task.

It never sees a test set: it is given batches and a function that validates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError, RecsysError
from recsys.recommenders.joint.storage import under
from recsys.recommenders.joint.training.checkpoints import Checkpoints, Snapshot, discard_checkpoint
from recsys.recommenders.joint.training.devices import (
    autocast,
    precision_of,
    random_state,
    restore_random_state,
)
from recsys.recommenders.joint.training.log import (
    RunOptions,
    TrainingLog,
    deferred_interrupt,
    progress_bar,
)

Forward = Callable[[Any, Any, float], dict[str, Tensor]]
"""(model, batch, share of the planned steps that are done) to loss parts by name."""


class Batches(Protocol):
    """Batches that can be moved to a device, in an order that the epoch alone decides."""

    def __len__(self) -> int:
        """How many there are in an epoch."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Any]:
        """Those of one epoch, from the given one on."""


@dataclass(frozen=True)
class Learning:
    """What is trained, on what, towards what, and how it is evaluated.

    Attributes:
        model: it is trained in place, on the device it is on.
        batches: the training users.
        objective: gives the loss parts of a batch.
        validate: metrics of the model as it stands; called every so many epochs and after the last.
    """

    model: nn.Module
    batches: Batches
    objective: Forward
    validate: Callable[[], dict[str, float]]


@dataclass
class TrainerState:
    """How far a training has come.

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


def monitored(metrics: dict[str, float], weights: dict[str, float]) -> float:
    """The weighted sum of validation metrics that early stopping maximises.

    Raises:
        ConfigError: a monitored metric was not measured.
        RecsysError: one is not finite.
    """
    missing = [name for name in weights if name not in metrics]
    if missing:
        raise ConfigError(
            f"training.monitor names {', '.join(missing)}, which validation does not measure",
            hint=f"measured are: {', '.join(metrics)}",
        )
    score = sum(weight * metrics[name] for name, weight in weights.items())
    if not math.isfinite(score):
        values = ", ".join(f"{name} {metrics[name]:.3g}" for name in weights)
        raise RecsysError(
            f"validation is no longer finite ({values})", hint="lower training.learning_rate"
        )
    return score


def run(
    learning: Learning,
    config: TrainingConfig,
    log: TrainingLog,
    options: RunOptions | None = None,
    checkpoints: Checkpoints | None = None,
) -> None:
    """Train a model in place and leave it with the weights that validated best.

    With checkpoints, and ``options.resume``, it goes on from the last one. Then, on the CPU, every
    number is what it would have been without the interruption.

    Args:
        learning: what is to be learnt from what.
        config: of the loop.
        log: receives one record an epoch.
        options: of the run.
        checkpoints: where the state is kept.

    Raises:
        ConfigError: validation does not measure what is monitored, or see ``Checkpoints.read``.
        DataError: see ``Checkpoints.read``.
        RecsysError: the loss or the validation is no longer finite.
        KeyboardInterrupt: Ctrl-C was pressed; with checkpoints, the state has been written.
    """
    loop = _Loop(learning, config, log, options or RunOptions())
    if checkpoints is None:
        loop.run(lambda: None)
        return
    if loop.options.resume:
        loop.restore(checkpoints.read())
    else:
        discard_checkpoint(checkpoints.folder)
    with deferred_interrupt() as interrupted:

        def keep() -> None:
            if interrupted() or checkpoints.due() or loop.over:
                checkpoints.write(loop.snapshot())
            if interrupted():
                raise KeyboardInterrupt

        loop.run(keep)


class Stepper:
    """Everything that a step moves: the weights, their optimiser and its rate.

    Args:
        model: trained in place, on the device it is on.
        objective: gives the loss parts of a batch.
        config: of the loop.
        steps: how many are planned.
    """

    def __init__(
        self, model: nn.Module, objective: Forward, config: TrainingConfig, steps: int
    ) -> None:
        self.model, self.device = model, next(model.parameters()).device
        self.precision = precision_of(config, self.device)
        self.objective = objective
        self.optimiser = make_optimiser(model, config)
        self.schedule = CosineAnnealingLR(self.optimiser, steps)

    def step(self, batch: Any, progress: float) -> dict[str, float]:
        """Learn from one batch; the value of every loss part.

        Raises:
            RecsysError: the loss is no longer finite; the weights are those before.
        """
        with autocast(self.device, self.precision):
            parts = self.objective(self.model, batch.to(self.device), progress)
        if not parts:  # by chance, nothing of this batch was held back
            return {}
        parts = {name: part.float() for name, part in parts.items()}
        loss = torch.stack(list(parts.values())).sum()
        values = _finite(parts, loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.schedule.step()
        return values

    def tensors(self) -> dict[str, Tensor]:
        """The state as far as it is tensors, with that of torch's random streams."""
        kinds = {
            "model": self.model.state_dict(),
            "optimiser": optimiser_tensors(self.optimiser),
            "random": random_state(self.device),
        }
        return {f"{kind}/{k}": t for kind, found in kinds.items() for k, t in found.items()}

    def state(self) -> dict[str, Any]:
        """The rest of the state, as JSON can hold it."""
        rates = [group["lr"] for group in self.optimiser.param_groups]
        return {"schedule": self.schedule.state_dict(), "rates": rates}

    def restore(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Put back what ``tensors`` and ``state`` gave."""
        self.model.load_state_dict(under(tensors, "model/"))
        restore_optimiser(self.optimiser, under(tensors, "optimiser/"))
        self.schedule.load_state_dict(dict(state["schedule"]))
        for group, rate in zip(self.optimiser.param_groups, state["rates"], strict=True):
            group["lr"] = rate
        restore_random_state(under(tensors, "random/"), self.device)


def _finite(parts: dict[str, Tensor], loss: Tensor) -> dict[str, float]:
    """The loss parts as numbers, in one transfer."""
    total, *values = torch.stack([loss.detach(), *(p.detach() for p in parts.values())]).tolist()
    if not math.isfinite(total):
        shown = ", ".join(f"{name} {v:.3g}" for name, v in zip(parts, values, strict=True))
        raise RecsysError(
            f"the loss is no longer finite ({shown})", hint="lower training.learning_rate"
        )
    return dict(zip(parts, values, strict=True))


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


class _Loop:
    """The moving parts of one training."""

    def __init__(
        self, learning: Learning, config: TrainingConfig, log: TrainingLog, options: RunOptions
    ) -> None:
        self.learning, self.config, self.log, self.options = learning, config, log, options
        self.per_epoch = max(len(learning.batches), 1)
        self.planned = config.epochs * self.per_epoch
        self.stepper = Stepper(learning.model, learning.objective, config, self.planned)
        self.state = TrainerState()
        self.best: dict[str, Tensor] = {}

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        at = self.state
        return at.epoch > self.config.epochs or at.since_best >= self.config.patience

    def run(self, keep: Callable[[], None]) -> None:
        """Train until it is over; ``keep`` is called wherever the state is whole."""
        at = self.state
        with progress_bar(self.config.epochs, at.epoch - 1) as advance:
            while not self.over:
                self._epoch(keep)
                record = self._record()
                at.epoch, at.step, at.sums = at.epoch + 1, 0, {}
                advance(record)
                keep()
        self.learning.model.load_state_dict(self.best)
        self.learning.model.eval()

    def _epoch(self, keep: Callable[[], None]) -> None:
        self.learning.model.train()
        at = self.state
        for batch in self.learning.batches.epoch(at.epoch, at.step):
            done = (at.epoch - 1) * self.per_epoch + at.step
            for name, value in self.stepper.step(batch, done / self.planned).items():
                at.sums[name] = at.sums.get(name, 0.0) + value
            at.step += 1
            keep()

    def _record(self) -> dict[str, float]:
        """Close the epoch: validate if it is time, and log."""
        at = self.state
        record = {"epoch": float(at.epoch)}
        record |= {f"loss/{name}": value / self.per_epoch for name, value in at.sums.items()}
        if at.epoch % self.config.evaluate_every and at.epoch != self.config.epochs:
            self.log.add(record)
            return record
        metrics = self.learning.validate()
        score = monitored(metrics, self.config.monitor)
        self._compare(score, metrics)
        record |= {f"valid/{name}": value for name, value in metrics.items()}
        self.log.add(record)
        if self.options.on_validation is not None:
            self.options.on_validation(at.epoch, score)
        return record

    def _compare(self, score: float, metrics: dict[str, float]) -> None:
        at, weights = self.state, self.learning.model.state_dict()
        at.since_best += 1
        if at.best is None or score > at.best:
            at.best, at.since_best = score, 0
            self.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
            self.log.best_epoch, self.log.best_metrics = at.epoch, metrics

    def snapshot(self) -> Snapshot:
        """The state, whole."""
        best = {f"best/{name}": tensor for name, tensor in self.best.items()}
        log = {name: getattr(self.log, name) for name in ("records", "best_epoch", "best_metrics")}
        state = {"trainer": asdict(self.state), "log": log, **self.stepper.state()}
        return Snapshot(self.stepper.tensors() | best, state)

    def restore(self, snapshot: Snapshot | None) -> None:
        """Put a state back, if there is one."""
        if snapshot is None:
            return
        self.stepper.restore(snapshot.tensors, snapshot.state)
        best = under(snapshot.tensors, "best/")
        self.best = {name: tensor.to(self.stepper.device) for name, tensor in best.items()}
        self.state = TrainerState(**snapshot.state["trainer"])
        log = snapshot.state["log"]
        self.log.restart(log["records"])
        self.log.best_epoch, self.log.best_metrics = log["best_epoch"], log["best_metrics"]

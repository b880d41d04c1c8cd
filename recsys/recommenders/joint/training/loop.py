"""The one training loop: steps, validation, early stopping, checkpoints. It knows no task.

It never sees a test set: it is given batches and a function that validates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict

from torch import Tensor

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError, RecsysError
from recsys.recommenders.joint.training.checkpoints import Checkpoints, Snapshot
from recsys.recommenders.joint.training.compiling import reusable_graphs
from recsys.recommenders.joint.training.interruption import deferred_interrupt
from recsys.recommenders.joint.training.learning import Learning, Standing
from recsys.recommenders.joint.training.log import TrainingLog
from recsys.recommenders.joint.training.optimiser import within
from recsys.recommenders.joint.training.options import RunOptions
from recsys.recommenders.joint.training.progress import progress_bar
from recsys.recommenders.joint.training.stepping import Stepper


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
    with reusable_graphs() if config.compile else nullcontext():
        if checkpoints is None:
            loop.run(lambda: None)
        else:
            _run_kept(loop, checkpoints)


def _run_kept(loop: _Loop, checkpoints: Checkpoints) -> None:
    if loop.options.resume:
        loop.restore(checkpoints.read())
    else:
        checkpoints.discard()
    with deferred_interrupt() as interrupted:

        def keep() -> None:
            if interrupted() or checkpoints.due() or loop.over:
                checkpoints.write(loop.snapshot())
            if interrupted():
                raise KeyboardInterrupt

        loop.run(keep)


class _Loop:
    """The moving parts of one training."""

    def __init__(
        self, learning: Learning, config: TrainingConfig, log: TrainingLog, options: RunOptions
    ) -> None:
        self.learning, self.config, self.log, self.options = learning, config, log, options
        self.per_epoch = max(len(learning.batches), 1)
        self.planned = config.epochs * self.per_epoch
        self.stepper = Stepper(learning.model, learning.objective, config, self.planned)
        self.standing = Standing()
        self.best: dict[str, Tensor] = {}

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        at = self.standing
        return at.epoch > self.config.epochs or at.since_best >= self.config.patience

    def run(self, keep: Callable[[], None]) -> None:
        """Train until it is over; ``keep`` is called wherever the state is whole."""
        at = self.standing
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
        at = self.standing
        for batch in self.learning.batches.epoch(at.epoch, at.step):
            done = (at.epoch - 1) * self.per_epoch + at.step
            for name, value in self.stepper.step(batch, done / self.planned).items():
                at.sums[name] = at.sums.get(name, 0.0) + value
            at.step += 1
            keep()

    def _record(self) -> dict[str, float]:
        """Close the epoch: validate if it is time, and log."""
        at, weights = self.standing, self.stepper.balancing.weights()
        record = {"epoch": float(at.epoch)}
        record |= {f"loss/{name}": value / self.per_epoch for name, value in at.sums.items()}
        record |= {f"weight/{name}": value for name, value in weights.items()}
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
        at, weights = self.standing, self.learning.model.state_dict()
        at.since_best += 1
        if at.best is None or score > at.best:
            at.best, at.since_best = score, 0
            self.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
            self.log.best_epoch, self.log.best_metrics = at.epoch, metrics

    def snapshot(self) -> Snapshot:
        """The state, whole."""
        best = {f"best/{name}": tensor for name, tensor in self.best.items()}
        log = {name: getattr(self.log, name) for name in ("records", "best_epoch", "best_metrics")}
        state = {"standing": asdict(self.standing), "log": log, **self.stepper.state()}
        return Snapshot(self.stepper.tensors() | best, state)

    def restore(self, snapshot: Snapshot | None) -> None:
        """Put a state back, if there is one."""
        if snapshot is None:
            return
        self.stepper.restore(snapshot.tensors, snapshot.state)
        best = within(snapshot.tensors, "best/")
        self.best = {name: tensor.to(self.stepper.device) for name, tensor in best.items()}
        self.standing = Standing(**snapshot.state["standing"])
        log = snapshot.state["log"]
        self.log.restart(log["records"])
        self.log.best_epoch, self.log.best_metrics = log["best_epoch"], log["best_metrics"]

"""The one training loop: steps, validation, early stopping, a log. It knows no task.

It never sees a test set: it is given batches and a function that validates.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError, RecsysError
from recsys.models.joint import JointModel
from recsys.seeding import seed_for
from recsys.training.batches import Batch
from recsys.training.objective import Objective

_SLOWER = "lower training.learning_rate"

Validate = Callable[[], dict[str, float]]
"""Metrics of the model as it stands, on validation data."""


class Batches(Iterable[Batch], Sized, Protocol):
    """Batches of one epoch, in a new order every time they are iterated."""


@dataclass
class TrainingLog:
    """What happened, one record an epoch; written as JSON lines when a path is given.

    Attributes:
        path: file the records are appended to, or None.
        records: the records so far.
        best_epoch: epoch of the weights that were kept.
        best_metrics: its validation metrics.
    """

    path: Path | None = None
    records: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)

    def add(self, record: dict[str, float]) -> None:
        """Keep, and write, one record."""
        self.records.append(record)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")


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
        raise RecsysError(f"validation is no longer finite ({values})", hint=_SLOWER)
    return score


def run(
    model: JointModel,
    batches: Batches,
    objective: Objective,
    validate: Validate,
    config: TrainingConfig,
    log: TrainingLog,
) -> None:
    """Train ``model`` in place and leave it with the weights that validated best.

    Args:
        model: what is trained.
        batches: the training users.
        objective: (model, batch) to loss parts.
        validate: called every ``config.evaluate_every`` epochs and after the last.
        config: of the loop.
        log: receives one record an epoch.

    Raises:
        ConfigError: validation does not measure what is monitored.
        RecsysError: the loss or the validation is no longer finite.
    """
    optimiser = make_optimiser(model, config)
    schedule = CosineAnnealingLR(optimiser, config.epochs * max(len(batches), 1))
    best, best_state, since_best = float("-inf"), copy.deepcopy(model.state_dict()), 0
    with _progress(config.epochs) as advance:
        for epoch in range(1, config.epochs + 1):
            record = {
                "epoch": float(epoch),
                **_epoch(model, batches, objective, optimiser, schedule),
            }
            if epoch % config.evaluate_every == 0 or epoch == config.epochs:
                metrics = validate()
                record |= {f"valid/{name}": value for name, value in metrics.items()}
                score = monitored(metrics, config.monitor)
                since_best += 1
                if score > best:
                    best, best_state, since_best = score, copy.deepcopy(model.state_dict()), 0
                    log.best_epoch, log.best_metrics = epoch, metrics
            log.add(record)
            advance(record)
            if since_best >= config.patience:
                break
    model.load_state_dict(best_state)
    model.eval()


def _epoch(
    model: JointModel,
    batches: Batches,
    objective: Objective,
    optimiser: Optimizer,
    schedule: CosineAnnealingLR,
) -> dict[str, float]:
    """One pass over the users; the mean of every loss part."""
    model.train()
    sums: dict[str, float] = {}
    for batch in batches:
        parts = objective(model, batch)
        if not parts:  # by chance, nothing of this batch was held back
            continue
        loss = torch.stack(list(parts.values())).sum()
        if not torch.isfinite(loss):
            values = ", ".join(f"{name} {part.item():.3g}" for name, part in parts.items())
            raise RecsysError(f"the loss is no longer finite ({values})", hint=_SLOWER)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        for name, part in parts.items():
            sums[name] = sums.get(name, 0.0) + part.item()
    return {f"loss/{name}": value / len(batches) for name, value in sums.items()}


def make_optimiser(model: JointModel, config: TrainingConfig) -> Optimizer:
    """AdamW; id offsets and content weights decay at their own rates, single numbers not at all."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name.endswith("vector_offsets"):
            decay = config.offset_decay
        else:
            decay = config.content_decay if name.endswith("weight") else 0.0
        groups.setdefault(decay, []).append(parameter)
    settings = [{"params": params, "weight_decay": decay} for decay, params in groups.items()]
    return torch.optim.AdamW(settings, lr=config.learning_rate)


@contextmanager
def deterministic(seed: int, threads: int) -> Iterator[None]:
    """Run with torch seeded, its threads fixed and its kernels deterministic; restore all after."""
    threads_before = torch.get_num_threads()
    was_on = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_for(seed, "training"))
            yield
    finally:
        torch.set_num_threads(threads_before)
        torch.use_deterministic_algorithms(was_on, warn_only=only_warned)


@contextmanager
def _progress(epochs: int) -> Iterator[Callable[[dict[str, float]], None]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("epoch {task.completed:.0f}/{task.total:.0f} {task.fields[status]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("training", total=epochs, status="")

        def advance(record: dict[str, float]) -> None:
            valid = {k: v for k, v in record.items() if k.startswith("valid/")}
            progress.update(task, advance=1)
            if valid:
                shown = (f"{k.removeprefix('valid/')} {v:.4f}" for k, v in valid.items())
                progress.update(task, status=" ".join(shown))

        yield advance

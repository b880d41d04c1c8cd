"""How a training is run and told of: options, records, the sinks they flow into, Ctrl-C."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any, Self

Record = dict[str, float]
"""Named values of one epoch: ``epoch``, ``loss/…``, ``valid/…``."""


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


class JsonLines:
    """One JSON object a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def restart(self, records: Sequence[Mapping[str, float]]) -> None:
        """Begin anew, with these records in place of all that was there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in records)
        self.path.write_text(lines, encoding="utf-8")

    def add(self, record: Mapping[str, float]) -> None:
        """Keep one more record; it is there for readers when this returns."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")

    def close(self) -> None:
        """Nothing is held open."""


class TensorBoard:
    """Scalars over epochs, for ``tensorboard --logdir``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def restart(self, records: Sequence[Mapping[str, float]]) -> None:
        """Begin anew; event files in the folder are removed, and nothing else."""
        from torch.utils.tensorboard import SummaryWriter

        self.close()
        for events in self.folder.glob("events.out.tfevents.*"):
            events.unlink()
        self._writer = SummaryWriter(str(self.folder))
        for record in records:
            self.add(record)

    def add(self, record: Mapping[str, float]) -> None:
        """Keep one more record; what came before the first epoch is put at step 0."""
        epoch = int(record.get("epoch", 0))
        for name, value in record.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def close(self) -> None:
        """Let go of whatever is held open."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


Sink = JsonLines | TensorBoard
"""Keeps records somewhere outside the process."""


def sinks_of(options: RunOptions) -> list[Sink]:
    """The sinks that a run asks for, as far as they are installed."""
    sinks: list[Sink] = []
    if options.log_path is not None:
        sinks.append(JsonLines(options.log_path))
    if options.tensorboard is not None and find_spec("tensorboard") is not None:
        sinks.append(TensorBoard(options.tensorboard))
    return sinks


@dataclass
class TrainingLog:
    """What happened; open it with ``with``, so that its sinks begin anew and are closed.

    Attributes:
        sinks: where records go besides.
        records: one an epoch, and perhaps others before.
        best_epoch: epoch of the weights that were kept.
        best_metrics: its validation metrics.
    """

    sinks: Sequence[Sink] = ()
    records: list[Record] = field(default_factory=list)
    best_epoch: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.restart(self.records)
        return self

    def __exit__(self, *_: object) -> None:
        for sink in self.sinks:
            sink.close()

    @property
    def epochs(self) -> int:
        """How many epochs are recorded."""
        return sum("epoch" in record for record in self.records)

    def restart(self, records: Sequence[Record]) -> None:
        """Forget what was recorded in favour of these."""
        self.records = list(records)
        for sink in self.sinks:
            sink.restart(self.records)

    def add(self, record: Record) -> None:
        """Keep one record."""
        self.records.append(record)
        for sink in self.sinks:
            sink.add(record)


@contextmanager
def progress_bar(epochs: int, done: int) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """A bar that is told the record of every epoch; nothing where nobody would see it.

    Args:
        epochs: how many are planned.
        done: how many are behind us.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    shown = console.is_terminal or console.is_jupyter
    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("epoch {task.completed:.0f}/{task.total:.0f} {task.fields[status]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task("training", total=epochs, completed=done, status="")

        def advance(record: Mapping[str, float]) -> None:
            valid = {k: v for k, v in record.items() if k.startswith("valid/")}
            progress.update(task, advance=1)
            if valid:
                shown = (f"{k.removeprefix('valid/')} {v:.4f}" for k, v in valid.items())
                progress.update(task, status=" ".join(shown))

        yield advance


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Within the block the first Ctrl-C only sets what is yielded; a second one acts at once.

    Where something else handles it, or outside the main thread, nothing is changed.
    """
    asked = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield asked.is_set
        return
    signal.signal(signal.SIGINT, handle)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)

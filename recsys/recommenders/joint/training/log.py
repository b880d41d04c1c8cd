"""What happened in training: records, and the sinks they flow into."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Self

from recsys.recommenders.joint.training.options import RunOptions

Record = dict[str, float]
"""Named values of one epoch: ``epoch``, ``loss/…``, ``weight/…``, ``valid/…``."""


class Sink(Protocol):
    """Keeps records somewhere outside the process."""

    def restart(self, records: Sequence[Mapping[str, float]]) -> None:
        """Begin anew, with these records in place of all that was there."""
        ...

    def add(self, record: Mapping[str, float]) -> None:
        """Keep one more record; it is there for readers when this returns."""
        ...

    def close(self) -> None:
        """Let go of whatever is held open."""
        ...


class JsonLines:
    """One JSON object a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def restart(self, records: Sequence[Mapping[str, float]]) -> None:
        """See ``Sink``."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in records)
        self.path.write_text(lines, encoding="utf-8")

    def add(self, record: Mapping[str, float]) -> None:
        """See ``Sink``."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")

    def close(self) -> None:
        """See ``Sink``."""


class TensorBoard:
    """Scalars over epochs, for ``tensorboard --logdir``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def restart(self, records: Sequence[Mapping[str, float]]) -> None:
        """See ``Sink``; event files in the folder are removed, and nothing else."""
        from torch.utils.tensorboard import SummaryWriter

        self.close()
        for events in self.folder.glob("events.out.tfevents.*"):
            events.unlink()
        self._writer = SummaryWriter(str(self.folder))
        for record in records:
            self.add(record)

    def add(self, record: Mapping[str, float]) -> None:
        """See ``Sink``; what came before the first epoch is put at step 0."""
        epoch = int(record.get("epoch", 0))
        for name, value in record.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def close(self) -> None:
        """See ``Sink``."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


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

"""Results files worked off by processes, each row kept as soon as it is there."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from multitask_cells import measure, prepared_for
from multitask_plan import PROTOCOLS, Cell, Protocol, cells, place_of
from recsys.experiment.evaluate import limited_threads, results_of
from recsys.experiment.prepare import Prepared

from recsys.config.loading import load_experiment
from recsys.evaluation.report import ResultRow, ResultsDocument


@dataclass(frozen=True)
class Task:
    """One results file.

    Attributes:
        protocol: its name.
        seed: of split and training.
        results: folder of the file.
        groups: which variants.
        extra: overrides of every configuration.
    """

    protocol: str
    seed: int
    results: Path
    groups: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The file."""
        return self.results / f"multitask-{self.protocol}-{self.seed}.json"

    @property
    def plan(self) -> Protocol:
        """The protocol."""
        return PROTOCOLS[self.protocol]

    @cached_property
    def cells(self) -> list[Cell]:
        """What the file is to hold of the wanted groups."""
        return cells(self.plan, self.seed, self.groups, self.extra)

    @cached_property
    def order(self) -> list[str]:
        """Every row the file may hold."""
        everything = cells(self.plan, self.seed, self.plan.groups, self.extra)
        return [name for cell in everything for name in cell.rows]

    def rows(self) -> dict[str, ResultRow]:
        """The rows that are there, by name."""
        if not self.path.is_file():
            return {}
        return {row.model: row for row in ResultsDocument.load(self.path).rows}

    def pending(self) -> list[Cell]:
        """What has not been measured with its present configuration."""
        rows = self.rows()
        return [cell for cell in self.cells if not _is_measured(cell, rows)]

    def keep(self, new: Sequence[ResultRow], prepared: Prepared) -> None:
        """Add rows to the file; those that are no longer planned go."""
        rows = self.rows() | {row.model: row for row in new}
        kept = [rows[name] for name in self.order if name in rows]
        place = place_of(self.plan, self.seed, self.extra)
        config = load_experiment(self.plan.base, place)
        results_of(kept, prepared.split, config).save(self.path)


def _is_measured(cell: Cell, rows: dict[str, ResultRow]) -> bool:
    mark = cell.config.fingerprint
    return all(name in rows and rows[name].config == mark for name in cell.rows)


@dataclass
class _Progress:
    """What all processes together have done."""

    total: int
    done: Any
    started: float

    def say(self, what: str, seconds: float) -> None:
        with self.done.get_lock():
            self.done.value += 1
            done = self.done.value
        spent = time.time() - self.started
        left = timedelta(seconds=round(spent / done * (self.total - done)))
        text = f"[{done}/{self.total}] {what}: {seconds:.1f} s; about {left} left"
        print(text, file=sys.stderr, flush=True)


_shared: list[_Progress] = []
"""Of this worker process; a counter cannot be sent along with a task."""


def _begin(progress: _Progress) -> None:
    _shared.append(progress)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever, or measure what the next one does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def measure_all(tasks: Sequence[Task], workers: int) -> list[str]:
    """Measure what is missing; what could not be measured, and why."""
    waiting = {task: len(task.pending()) for task in tasks}
    context = multiprocessing.get_context("spawn")
    progress = _Progress(sum(waiting.values()), context.Value("i", 0), time.time())
    print(f"{progress.total} to be fitted", file=sys.stderr, flush=True)
    with ProcessPoolExecutor(workers, context, _begin, (progress,)) as pool:
        found = [pool.submit(work_off, task) for task, count in waiting.items() if count]
        return [failure for future in found for failure in future.result()]


def work_off(task: Task) -> list[str]:
    """Measure what is missing in one file; what could not be measured, and why."""
    failures: list[str] = []
    for cell in task.pending():
        what, started = f"{task.protocol} {task.seed} {cell.name}", time.perf_counter()
        try:
            with limited_threads(1):
                prepared = prepared_for(task.plan, cell)
                task.keep(measure(cell, prepared), prepared)
        except Exception as error:  # the others are worth having; it is told at the end
            traceback.print_exc()
            failures.append(f"{what}: {error}")
        _shared[0].say(what, time.perf_counter() - started)
    return failures

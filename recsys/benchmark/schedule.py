"""A benchmark is run: what is missing is measured, a few processes at a time.

Every trial and every run is saved as soon as it is there, so that a benchmark that is stopped, in
whatever way, goes on where it was. One model's failure stops nothing but its own rows.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from recsys.benchmark.entries import REGISTRY, Entry, entries
from recsys.benchmark.jobs import Environment, Job, Message, serve
from recsys.benchmark.protocols import Protocol
from recsys.benchmark.results import PermutationTest, Run, Trial, file_name
from recsys.benchmark.runs import RunState, died
from recsys.benchmark.split_data import BenchmarkData, located
from recsys.benchmark.tuning import Budget
from recsys.errors import ConfigError, DataError, RecsysError
from recsys.subprocesses import ProcessDied, Subprocess

Say = Callable[[str], None]
"""Takes a line of progress."""

Execute = Callable[[Job, Callable[[Message], None]], None]
"""Does a job; hands over what it finds, and raises why it failed."""


@dataclass(frozen=True)
class Rules:
    """How a benchmark is run.

    Attributes:
        results: folder of the documents, one folder a protocol.
        budget: of every model's tuning.
        workers: processes at a time.
        max_hours: no process is started after so many; None for no bound.
        registry: module that holds the entries.
    """

    results: Path
    budget: Budget = field(default_factory=Budget)
    workers: int = 2
    max_hours: float | None = None
    registry: str = REGISTRY


@dataclass(frozen=True)
class Outcome:
    """How a benchmark ended.

    Attributes:
        fits: trials and runs that were made.
        failures: what could not be measured, and why.
        left: fits that were not begun because the hours were over.
    """

    fits: int
    failures: list[str]
    left: int


def run_benchmark(
    protocols: Sequence[Protocol], names: Sequence[str] | None, rules: Rules, say: Say
) -> Outcome:
    """Measure what is missing.

    Args:
        protocols: in this order; one whose data is absent is passed over, and it is said.
        names: of the models, in the order of the registry; None for all.
        rules: how.
        say: takes a line of progress.

    Raises:
        ConfigError: the system does not tell how much memory a process had.
    """
    if find_spec("resource") is None:
        raise ConfigError(
            "this system does not tell what a process took", hint="use Linux or macOS"
        )
    states, failures = plan(protocols, names, rules, say)
    processes = Processes()
    try:
        found = work_off(states, rules, processes, say)
    finally:
        processes.stop()
    return Outcome(found.fits, failures + found.failures, found.left)


class Processes:
    """Does jobs, each in a fresh process with one thread; several threads may call it at a time."""

    def __init__(self) -> None:
        self._running: set[Subprocess] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def __call__(self, job: Job, tell: Callable[[Message], None]) -> None:
        """Do one job; ``tell`` is given what it finds.

        Raises:
            RecsysError: why it has no result.
        """
        with self._lock:
            if self._stopped:
                raise RecsysError("stopped")
            process = Subprocess(serve, job)
            self._running.add(process)
        try:
            for message in process.messages():
                tell(message)
        finally:
            process.kill()
            self._running.discard(process)

    def stop(self) -> None:
        """End what is running, with whatever it has started."""
        with self._lock:
            self._stopped = True
            for process in list(self._running):
                process.kill()


def plan(
    protocols: Sequence[Protocol], names: Sequence[str] | None, rules: Rules, say: Say
) -> tuple[list[RunState], list[str]]:
    """What is to be measured, and what cannot be.

    A protocol's data is read once, so that whatever has to be encoded is encoded before anything
    is measured.
    """
    found: list[RunState] = []
    failures: list[str] = []
    absent: set[str] = set()
    for protocol in protocols:
        try:
            here = located(protocol)
        except DataError as error:
            say(f"{protocol.name}: passed over: {error}")
            continue
        if here.bases != protocol.bases[:1]:
            say(f"{protocol.name}: movies as {here.bases[0]} describes them, for want of more")
        for entry in here.own or entries(rules.registry).values():
            if (names is not None and entry.name not in names) or not here.tasks_of(entry):
                continue
            if not entry.is_available:
                if entry.name not in absent:
                    say(f"{entry.name}: passed over: no {entry.facts.library} here")
                absent.add(entry.name)
                continue
            try:
                found.append(_state(entry, here, rules))
            except RecsysError as error:
                failures.append(f"{here.name} {entry.name}: {error}")
    return _measurable(found, failures, say), failures


def _state(entry: Entry, protocol: Protocol, rules: Rules) -> RunState:
    path = rules.results / protocol.name / f"{file_name(entry.name)}.json"
    return RunState(entry, protocol, rules.budget, path, rules.registry)


def _measurable(states: Sequence[RunState], failures: list[str], say: Say) -> list[RunState]:
    """Those that can be measured, or are already."""
    modalities: dict[str, Collection[str] | None] = {}
    kept: list[RunState] = []
    for state in states:
        protocol, needed = state.protocol, state.entry.modality
        if not state.units():
            kept.append(state)
            continue
        if protocol.name not in modalities:
            try:
                modalities[protocol.name] = BenchmarkData.of(protocol).dataset.catalogue.modalities
            except RecsysError as error:
                failures.append(f"{protocol.name}: {error}")
                modalities[protocol.name] = None
        has = modalities[protocol.name]
        if has is not None and (needed is None or needed in has):
            kept.append(state)
        elif has is not None:
            say(f"{state.name}: passed over: no {needed} here")
    return kept


class _Event(NamedTuple):
    """What a worker has to tell.

    Attributes:
        state: of whom.
        job: that was done.
        what: something found, or how the job ended: why it failed, or None.
        seconds: since the job, or what it found last, began.
    """

    state: RunState
    job: Job
    what: Message | Exception | None
    seconds: float


def work_off(states: Sequence[RunState], rules: Rules, execute: Execute, say: Say) -> Outcome:
    """Do every job there is, some at a time, in the order of the states."""
    progress = Progress(states, rules.workers)
    events: SimpleQueue[_Event] = SimpleQueue()
    say(progress.line("to be fitted"))
    started, running = time.monotonic(), 0
    while True:
        hours = (time.monotonic() - started) / 3600
        while running < rules.workers and (rules.max_hours is None or hours < rules.max_hours):
            if not _start_one(states, execute, events):
                break
            running += 1
        if not running:
            break
        running -= _take_in(events.get(), progress, say)
    failures = [f"{state.name}: {state.failure}" for state in states if state.failure]
    return Outcome(progress.done, failures, sum(state.units() for state in states))


def _start_one(states: Sequence[RunState], execute: Execute, events: SimpleQueue[_Event]) -> bool:
    """Start the first job that can be; whether there was one."""
    for state in states:
        for job in state.jobs():
            state.busy.add(job.title)
            arguments = (state, job, execute, events)
            threading.Thread(target=_do, args=arguments, daemon=True).start()
            return True
    return False


def _do(state: RunState, job: Job, execute: Execute, events: SimpleQueue[_Event]) -> None:
    last = time.monotonic()

    def tell(what: Message) -> None:
        nonlocal last
        now = time.monotonic()
        events.put(_Event(state, job, what, now - last))
        if not isinstance(what, Environment):  # reading the data is part of what comes first
            last = now

    end: Exception | None = None
    try:
        execute(job, tell)
    except Exception as error:  # it is said, and the others go on
        end = error
    events.put(_Event(state, job, end, time.monotonic() - last))


def _take_in(event: _Event, progress: Progress, say: Say) -> int:
    """Keep what was found; 1 if the job has ended, else 0."""
    state, what = event.state, event.what
    if isinstance(what, Trial | PermutationTest | Run):
        _keep(event, what, progress, say)
    elif isinstance(what, Environment):
        state.keep(what)
    else:
        state.busy.discard(event.job.title)
        if what is not None:
            _fail(event, what, progress, say)
        return 1
    return 0


def _keep(
    event: _Event, found: Trial | PermutationTest | Run, progress: Progress, say: Say
) -> None:
    state = event.state
    state.keep(found)
    progress.add(state, event.seconds)
    say(progress.line(f"{state.name} {_told(state, found)}, {event.seconds:.1f} s"))


def _fail(event: _Event, failure: Exception, progress: Progress, say: Say) -> None:
    """A process that died in the middle of tuning takes the configuration it was at with it."""
    state = event.state
    is_tuning = event.job.kind == "tuning" and not state.is_tuned
    if is_tuning and isinstance(failure, ProcessDied) and state.environment:
        _keep(event, died(state, event.seconds, str(failure)), progress, say)
        return
    state.failure = f"{event.job.title}: {failure}"
    say(f"{state.name} failed: {state.failure}")


def _told(state: RunState, found: Trial | PermutationTest | Run) -> str:
    if isinstance(found, PermutationTest):
        values = ", ".join(f"{name} {value:.4f}" for name, value in found.checks.items())
        return f"permutation test: {values}"
    metric = state.protocol.headline_of(state.entry)
    if isinstance(found, Run):
        value = found.metric(metric.path)
        return f"{found.split.name} {found.seed}: {metric.title} {value:.4f}"
    score = "failed" if found.score is None else f"{metric.title} {metric.sign * found.score:.4f}"
    return f"configuration {len(state.trials)} of {len(state.configurations)} on valid: {score}"


@dataclass
class Progress:
    """Seconds of fits so far, from which those of fits to come are guessed.

    Attributes:
        states: everything that is measured.
        workers: fits at a time.
    """

    states: Sequence[RunState]
    workers: int
    done: int = 0
    _seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        for state in self.states:  # what earlier starts took is a guess already
            fits = [run.metrics.get("seconds.fit", 0.0) for run in state.runs]
            self._seconds[state.name] += [trial.seconds for trial in state.trials] + fits

    def add(self, state: RunState, seconds: float) -> None:
        """One more fit."""
        self.done += 1
        self._seconds[state.name].append(seconds)

    def left(self) -> float:
        """Seconds until everything is done, by what equal or like fits took.

        A model that was not measured yet under a protocol takes what it took under others; one that
        was not measured at all, what the others took on average.
        """
        total = sum(s.units() * self._expected(s) for s in self.states if s.units())
        return total / self.workers

    def _expected(self, state: RunState) -> float:
        alike = [s.name for s in self.states if s.entry.name == state.entry.name]
        for names in ([state.name], alike, list(self._seconds)):
            known = [seconds for name in names for seconds in self._seconds[name]]
            if known:
                return sum(known) / len(known)
        return 0.0

    def line(self, what: str) -> str:
        """What was done, of how many, and the time that is left."""
        total = self.done + sum(state.units() for state in self.states)
        spent = timedelta(seconds=round(time.monotonic() - self._started))
        left = timedelta(seconds=round(self.left()))
        told = f"; about {left} left" if any(self._seconds.values()) else ""
        return f"[{self.done}/{total}, {spent}] {what}{told}"

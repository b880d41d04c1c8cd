"""A benchmark is run: what is missing is measured, a few processes at a time.

Every trial and every run is saved as soon as it is there, so that a benchmark that is stopped, in
whatever way, goes on where it was. One contender's failure stops nothing but its own rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from recsys.benchmark.apart import Apart, Failure, one_thread
from recsys.benchmark.document import NullFit, Run, Trial
from recsys.benchmark.job import Job, Message, NullJob, Surroundings, TuningJob
from recsys.benchmark.planning import Rules, Say, plan
from recsys.benchmark.progress import Progress
from recsys.benchmark.protocols import Protocol
from recsys.benchmark.standing import Standing, died
from recsys.errors import ConfigError

Execute = Callable[[Job, Callable[[Message], None]], Failure | None]


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


class _Event(NamedTuple):
    """What a worker has to tell.

    Attributes:
        standing: of whom.
        job: that was done.
        what: something found, or how the job ended: why it failed, or None.
        seconds: since the job, or what it found last, began.
    """

    standing: Standing
    job: Job
    what: Message | Failure | None
    seconds: float


def run_benchmark(
    protocols: Sequence[Protocol], names: Sequence[str] | None, rules: Rules, say: Say
) -> Outcome:
    """Measure what is missing.

    Args:
        protocols: in this order; one whose data is absent is passed over, and it is said.
        names: of the contenders, in the order of the registry; None for all.
        rules: how.
        say: takes a line of progress.

    Raises:
        ConfigError: the system does not tell how much memory a process had.
    """
    if find_spec("resource") is None:
        raise ConfigError(
            "this system does not tell what a process took", hint="use Linux or macOS"
        )
    standings, failures = plan(protocols, names, rules, say)
    apart = Apart()
    try:
        with one_thread():
            found = work_off(standings, rules, apart, say)
    finally:
        apart.stop()
    return Outcome(found.fits, failures + found.failures, found.left)


def work_off(standings: Sequence[Standing], rules: Rules, execute: Execute, say: Say) -> Outcome:
    """Do every job there is, some at a time, in the order of the standings."""
    progress = Progress(standings, rules.workers)
    events: SimpleQueue[_Event] = SimpleQueue()
    say(progress.line("to be fitted"))
    started, running = time.monotonic(), 0
    while True:
        hours = (time.monotonic() - started) / 3600
        while running < rules.workers and (rules.max_hours is None or hours < rules.max_hours):
            if not _start_one(standings, execute, events):
                break
            running += 1
        if not running:
            break
        running -= _take_in(events.get(), progress, say)
    failures = [f"{_name(s)}: {s.failure}" for s in standings if s.failure]
    return Outcome(progress.done, failures, sum(standing.units() for standing in standings))


def _start_one(
    standings: Sequence[Standing], execute: Execute, events: SimpleQueue[_Event]
) -> bool:
    """Start the first job that can be; whether there was one."""
    for standing in standings:
        for job in standing.jobs():
            standing.busy.add(job.title)
            arguments = (standing, job, execute, events)
            Thread(target=_do, args=arguments, daemon=True).start()
            return True
    return False


def _do(standing: Standing, job: Job, execute: Execute, events: SimpleQueue[_Event]) -> None:
    last = time.monotonic()

    def tell(what: Message | Failure | None) -> None:
        nonlocal last
        now = time.monotonic()
        events.put(_Event(standing, job, what, now - last))
        if not isinstance(what, Surroundings):  # reading the data is part of what comes first
            last = now

    end: Failure | None = Failure("the benchmark itself failed")
    try:
        end = execute(job, tell)
    finally:
        events.put(_Event(standing, job, end, time.monotonic() - last))


def _take_in(event: _Event, progress: Progress, say: Say) -> int:
    """Keep what was found; 1 if the job has ended, else 0."""
    standing, what = event.standing, event.what
    if isinstance(what, Trial | NullFit | Run):
        _keep(event, what, progress, say)
    elif isinstance(what, Surroundings):
        standing.keep(what)
    else:
        standing.busy.discard(event.job.title)
        if what is not None:
            _fail(event, what, progress, say)
        return 1
    return 0


def _keep(event: _Event, found: Trial | NullFit | Run, progress: Progress, say: Say) -> None:
    standing = event.standing
    standing.keep(found)
    progress.add(standing, event.seconds)
    say(progress.line(f"{_name(standing)} {_told(standing, found)}, {event.seconds:.1f} s"))


def _fail(event: _Event, failure: Failure, progress: Progress, say: Say) -> None:
    """A process that ended in the middle of tuning takes the point it was at with it."""
    standing = event.standing
    tuning = isinstance(event.job, TuningJob)
    if tuning and failure.died and standing.surroundings and not standing.is_tuned:
        _keep(event, died(standing, event.seconds, failure.what), progress, say)
        return
    standing.failure = f"{event.job.title}: {failure.what}"
    say(f"{_name(standing)} failed: {standing.failure}")


def _name(standing: Standing) -> str:
    return f"{standing.protocol.name} {standing.contender.name}"


def _told(standing: Standing, found: Trial | NullFit | Run) -> str:
    if isinstance(found, NullFit):
        values = ", ".join(f"{name} {value:.4f}" for name, value in found.gates.items())
        return f"{NullJob.title}: {values}"
    metric, sign = standing.protocol.headline_of(standing.contender)
    if isinstance(found, Trial):
        score = "failed" if found.score is None else f"{metric} {sign * found.score:.4f}"
        return f"options {len(standing.trials)} of {len(standing.points)} on valid: {score}"
    value = {**(found.row.rating or {}), **(found.row.ranking or {})}[metric]
    return f"{found.split.name} {found.seed}: {metric} {value:.4f}"

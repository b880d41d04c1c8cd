"""How far a benchmark is, and how long it will take."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from recsys.benchmark.standing import Standing


@dataclass
class Progress:
    """Seconds of fits so far, from which those of fits to come are guessed.

    Attributes:
        standings: everything that is measured.
        workers: fits at a time.
    """

    standings: Sequence[Standing]
    workers: int
    done: int = 0
    _seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        for standing in self.standings:  # what earlier starts took is a guess already
            for trial in standing.trials:
                self._seconds[_key(standing)].append(trial.seconds)
            for run in standing.runs:
                self._seconds[_key(standing)].append(run.row.seconds.fit or 0.0)

    def add(self, standing: Standing, seconds: float) -> None:
        """One more fit."""
        self.done += 1
        self._seconds[_key(standing)].append(seconds)

    def left(self) -> float:
        """Seconds until everything is done, by what equal or like fits took.

        A contender that was not measured yet under a protocol takes what it took under others; one
        that was not measured at all, what the others took on average.
        """
        total = sum(s.units() * self._expected(s) for s in self.standings if s.units())
        return total / self.workers

    def _expected(self, standing: Standing) -> float:
        protocol, contender = _key(standing)
        own = self._seconds.get((protocol, contender), [])
        alike = own or [t for (_, c), ts in self._seconds.items() if c == contender for t in ts]
        known = alike or [t for ts in self._seconds.values() for t in ts]
        return sum(known) / len(known) if known else 0.0

    def line(self, what: str) -> str:
        """What was done, of how many, and the time that is left."""
        total = self.done + sum(standing.units() for standing in self.standings)
        spent = timedelta(seconds=round(time.monotonic() - self._started))
        left = f"; about {timedelta(seconds=round(self.left()))} left" if self._seconds else ""
        return f"[{self.done}/{total}, {spent}] {what}{left}"


def _key(standing: Standing) -> tuple[str, str]:
    return standing.protocol.name, standing.contender.name

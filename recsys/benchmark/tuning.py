"""How options are chosen: every contender with the same budget, on valid of one division."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from recsys.benchmark.contender import Contender, Options
from recsys.benchmark.document import Trial
from recsys.errors import ConfigError, RecsysError


@dataclass(frozen=True)
class Budget:
    """What every contender may spend on choosing its options.

    Attributes:
        trials: points that may be tried.
        seconds: no trial begins after so many seconds of trials.

    Raises:
        ConfigError: nothing may be spent.
    """

    trials: int = 8
    seconds: float = 600.0

    def __post_init__(self) -> None:
        if self.trials < 1 or not self.seconds > 0:
            raise ConfigError(f"{self}: allow at least one trial, and some time")


def points_of(contender: Contender, budget: Budget) -> tuple[Options, ...]:
    """The points that are tried, in this order; none where there is nothing to choose."""
    points = contender.space[: budget.trials]
    return points if len(points) > 1 else ()


def tried(
    points: Sequence[Options], score: Callable[[Options], float], spent: float, budget: Budget
) -> Iterator[Trial]:
    """Try points until there are no more or the seconds are spent.

    A point that fails is recorded with the reason, and the next one is tried.

    Args:
        points: those not tried yet.
        score: fits with the options and judges on valid; higher is better.
        spent: seconds of the trials before.
        budget: of all trials together.
    """
    for point in points:
        if spent >= budget.seconds:
            return
        trial = _trial(point, score)
        spent += trial.seconds
        yield trial


def _trial(point: Options, score: Callable[[Options], float]) -> Trial:
    started = time.perf_counter()
    found, failure = None, None
    try:
        found = score(point)
        if not isfinite(found):
            found, failure = None, f"its score is {found}"
    except Exception as error:  # the others are worth trying, whatever this one was
        failure = explained(error)
    seconds = time.perf_counter() - started
    return Trial(options=dict(point), score=found, seconds=seconds, failure=failure)


def explained(error: BaseException) -> str:
    """What went wrong, in a line or a few."""
    return str(error) if isinstance(error, RecsysError) else f"{type(error).__name__}: {error}"


def is_over(trials: Sequence[Trial], points: Sequence[Options], budget: Budget) -> bool:
    """Whether there is nothing left to try, or no time."""
    return len(trials) >= len(points) or sum(trial.seconds for trial in trials) >= budget.seconds


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial with the best score, the first of equal ones; None where all failed."""
    scored = [(trial.score, trial) for trial in trials if trial.score is not None]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None

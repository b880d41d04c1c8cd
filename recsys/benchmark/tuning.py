"""How hyper-parameters are chosen: every model with the same budget, on valid of one split."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from recsys.benchmark.results import Trial
from recsys.benchmark.spaces import HyperParameters, Space
from recsys.errors import ConfigError, RecsysError

if TYPE_CHECKING:
    from recsys.benchmark.entries import Entry


@dataclass(frozen=True)
class Budget:
    """What may be spent on tuning, all runs together; None is no bound.

    Attributes:
        trials: configurations that may be tried.
        seconds: no trial begins after so many seconds of trials.

    Raises:
        ConfigError: nothing may be spent.
    """

    trials: int | None = 8
    seconds: float | None = 600.0

    def __post_init__(self) -> None:
        trials, seconds = self.trials, self.seconds
        if (trials is not None and trials < 1) or (seconds is not None and not seconds > 0):
            raise ConfigError(f"{self}: allow at least one trial, and some time")

    def configurations(self, entry: Entry) -> Space:
        """Those that are tried, in this order; none where there is nothing to choose."""
        found = entry.space[: self.trials]
        return found if len(found) > 1 else ()

    def is_spent(self, trials: Sequence[Trial], configurations: Space) -> bool:
        """Whether there is nothing left to try, or no time."""
        spent = sum(trial.seconds for trial in trials)
        return len(trials) >= len(configurations) or not self.leaves(len(trials), spent)

    def leaves(self, trials: int, seconds: float) -> bool:
        """Whether another trial may start after so many trials and seconds."""
        return (self.trials is None or trials < self.trials) and (
            self.seconds is None or seconds < self.seconds
        )


def tried(
    configurations: Space,
    score: Callable[[HyperParameters], float],
    spent: float,
    budget: Budget,
) -> Iterator[Trial]:
    """Try configurations until there are no more or the seconds are spent.

    One that fails is recorded with the reason, and the next one is tried.

    Args:
        configurations: those not tried yet.
        score: fits with the hyper-parameters and evaluates on valid; higher is better.
        spent: seconds of the trials before.
        budget: of all trials together.
    """
    for configuration in configurations:
        if not budget.leaves(0, spent):
            return
        trial = _trial(configuration, score)
        spent += trial.seconds
        yield trial


def _trial(configuration: HyperParameters, score: Callable[[HyperParameters], float]) -> Trial:
    started = time.perf_counter()
    found, failure = None, None
    try:
        found = score(configuration)
        if not isfinite(found):
            found, failure = None, f"its score is {found}"
    except RecsysError as error:
        failure = str(error)
    except Exception as error:  # the others are worth trying, whatever this one was
        failure = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    return Trial(
        hyper_parameters=dict(configuration), score=found, seconds=seconds, failure=failure
    )


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial with the best score, the first of equal ones; None where all failed."""
    scored = [(trial.score, trial) for trial in trials if trial.score is not None]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None

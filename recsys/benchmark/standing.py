"""Where one contender stands under one protocol: what its file holds, and what is left to do."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.benchmark.contender import Contender, Options
from recsys.benchmark.document import ContenderDocument, NullFit, Point, Run, Trial, Tuning
from recsys.benchmark.grounds import configuration
from recsys.benchmark.job import (
    REGISTRY,
    Job,
    Message,
    NullJob,
    RunJob,
    Subject,
    Surroundings,
    TuningJob,
)
from recsys.benchmark.origin import commit, versions
from recsys.benchmark.protocols import Cell, Protocol
from recsys.benchmark.tuning import Budget, best_of, is_over, points_of

_UNNAMED = ("title", "seeds", "folds", "leaves_out", "families", "tunes")
"""Of a protocol: what may change without making any run another."""


HARNESS = 2
"""Raised where the same settings no longer come to the same figures: what was measured before is
then measured anew."""


def file_name(contender: str) -> str:
    """The name of a contender as one of a file, on any system."""
    return re.sub(r"[^a-z0-9.+]+", "-", contender.lower()).strip("-")


def fingerprint_of(contender: Contender, protocol: Protocol, budget: Budget) -> str:
    """A hash of everything that decides the numbers, but for the code.

    Of the configuration only what the harness reads counts: data, sources, features and
    evaluation. What a contender takes from elsewhere is in its ``settings``, or in the ``config``
    of its models, whose defaults are not in its space.
    """
    config = configuration(protocol).model_dump(mode="json")
    read = {name: config[name] for name in ("data", "sources", "features", "evaluation")}
    rules = {k: v for k, v in asdict(protocol).items() if k not in _UNNAMED}
    rules["tuning_cell"] = protocol.tuning_cell
    whole = {
        "harness": HARNESS,
        "contender": contender.name,
        "space": [dict(point) for point in contender.space],
        "settings": contender.settings() if contender.settings else _configs(contender),
        "learns": [contender.stops_early, contender.sees_test],
        "tasks": protocol.tasks_of(contender),
        "budget": asdict(budget) if protocol.tunes else None,
        "protocol": rules,
        "config": read,
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _configs(contender: Contender) -> list[str]:
    """How the model of every point is configured."""
    made = (contender.make(point, 0) for point in contender.space)
    return [repr(getattr(model, "config", None)) for model in made]


@dataclass
class Standing:
    """What was measured of one contender under one protocol, and what is to be measured yet.

    Attributes:
        contender: who.
        protocol: its only base is the one to use.
        budget: of its tuning.
        path: of its document.
        registry: module that holds the contender.
        found: what lies at ``path``, whatever it is.
        document: what lies there of this very measurement; None where it is another.
        surroundings: of the processes that measure.
        failure: why no more is measured of it.
        busy: titles of the jobs that are under way.
    """

    contender: Contender
    protocol: Protocol
    budget: Budget
    path: Path
    registry: str = REGISTRY
    found: ContenderDocument | None = field(init=False)
    document: ContenderDocument | None = field(init=False)
    surroundings: Surroundings | None = None
    failure: str | None = None
    busy: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        tunes = self.protocol.tunes
        self.points = points_of(self.contender, self.budget) if tunes else ()
        self.fingerprint = fingerprint_of(self.contender, self.protocol, self.budget)
        self.found = ContenderDocument.load(self.path) if self.path.is_file() else None
        self.document = self.found if self._goes_on() else None
        self.failure = self._of_null()

    def _goes_on(self) -> bool:
        """Whether what was found is the beginning of this measurement."""
        if self.found is None or self.found.fingerprint != self.fingerprint:
            return False
        # Where every point failed, something outside was wrong: another start tries again.
        return bool(self.found.runs) or self._chosen(self.found.tuning.trials) is not None

    def _chosen(self, trials: list[Trial]) -> Options | None:
        """The options to run with; None before anything was fitted."""
        if not self.points:
            return self.contender.space[0]
        best = best_of(trials)
        return None if best is None else best.options

    @property
    def trials(self) -> list[Trial]:
        """Those that were made."""
        return [] if self.document is None else self.document.tuning.trials

    @property
    def runs(self) -> list[Run]:
        """Those that were made, of this plan or of others with more seeds."""
        return [] if self.document is None else self.document.runs

    @property
    def null(self) -> NullFit | None:
        """The fit to shuffled ratings that was made."""
        return None if self.document is None else self.document.null

    @property
    def lacks_null(self) -> bool:
        """Whether a fit to shuffled ratings is to be made; what sees test finds it anyway."""
        return self.null is None and not self.contender.sees_test

    @property
    def is_tuned(self) -> bool:
        """Whether the options are chosen."""
        return is_over(self.trials, self.points, self.budget)

    def missing(self) -> list[Cell]:
        """Divisions that were not run."""
        there = {Cell(run.split.name, run.seed) for run in self.runs}
        return [cell for cell in self.protocol.cells_of(self.contender) if cell not in there]

    def units(self) -> int:
        """Fits that are left, at most."""
        trials = 0 if self.is_tuned else len(self.points) - len(self.trials)
        return 0 if self.failure else trials + self.lacks_null + len(self.missing())

    def jobs(self) -> Iterator[Job]:
        """What can be started now: tuning, then the fit to shuffled ratings, then all the runs."""
        if not self.failure:
            yield from (job for job in self._next() if job.title not in self.busy)

    def _next(self) -> Iterator[Job]:
        subject = Subject(self.protocol, self.contender.name, self.registry)
        options = self._chosen(self.trials)
        if not self.is_tuned:
            spent = sum(trial.seconds for trial in self.trials)
            left = self.points[len(self.trials) :]
            yield TuningJob(subject, left, spent, self.budget)
        elif options is not None and self.lacks_null:
            yield NullJob(subject, options)
        elif options is not None:
            yield from (RunJob(subject, cell, options) for cell in self.missing())

    def keep(self, message: Message) -> None:
        """Take in what a process found; fits are saved at once."""
        if isinstance(message, Surroundings):
            self.surroundings = message
            self.failure = self.failure or self._of_other_data(message)
        elif self.failure:
            return
        elif isinstance(message, Trial):
            self._save(trials=[*self.trials, message])
            if self.is_tuned and self._chosen(self.trials) is None:
                self.failure = f"none of its options could be fitted: {message.failure}"
        elif isinstance(message, NullFit):
            self._keep_null(message.model_copy(update={"commit": commit()}))
            self.failure = self._of_null()
        else:
            made = message.model_copy(update={"commit": commit()})
            self._save(runs=[*self.runs, made])

    def _of_null(self) -> str | None:
        """Why nothing more is measured after the fit to shuffled ratings; None where it passed."""
        if self.null is None or self.null.failure is None:
            return None
        return f"{NullJob.title}: {self.null.failure}; {self.path} is kept, and not ranked"

    def _of_other_data(self, here: Surroundings) -> str | None:
        """Why what was found may be neither gone on with nor replaced; None where it may."""
        there = self.found
        if there is None or (there.dataset, there.movies or here.movies) == (
            here.dataset,
            here.movies,
        ):
            return None
        return (
            f"{self.path} was measured on other ratings or movies: delete it to measure anew, or "
            "give another folder for results"
        )

    def _keep_null(self, made: NullFit) -> None:
        """What was measured before stays of the program and the day it was measured by and on."""
        if self.document is None or self.surroundings is None:
            self._save(null=made)
            return
        told = {"null": made, "content": dict(self.surroundings.content)}
        self.document = self.document.model_copy(update=told)
        self.document.save(self.path)

    def _save(self, **new: Any) -> None:
        there = {"trials": self.trials, "null": self.null, "runs": self.runs} | new
        chosen: Point = dict(self._chosen(there["trials"]) or self.contender.space[0])
        tuning = Tuning(
            seed=self.protocol.tuning_cell.seed,
            max_trials=self.budget.trials,
            max_seconds=self.budget.seconds,
            n_points=len(self.contender.space),
            trials=there["trials"],
            chosen=chosen,
        )
        runs = sorted(there["runs"], key=self._place)
        self.document = self._document(tuning, there["null"], runs)
        self.document.save(self.path)

    def _place(self, run: Run) -> tuple[int, str]:
        return run.seed, run.split.name

    def _document(self, tuning: Tuning, null: NullFit | None, runs: list[Run]) -> ContenderDocument:
        if self.surroundings is None:
            raise RuntimeError("results came before what they were measured in")
        return ContenderDocument(
            created=datetime.now(UTC).date(),
            commit=commit(),
            versions=versions(),
            hardware=self.surroundings.hardware,
            dataset=self.surroundings.dataset,
            movies=self.surroundings.movies,
            content=dict(self.surroundings.content),
            protocol=self.protocol.name,
            contender=self.contender.name,
            family=self.contender.family,
            fingerprint=self.fingerprint,
            tuning=tuning,
            null=null,
            runs=runs,
        )


def died(standing: Standing, seconds: float, what: str) -> Trial:
    """The trial that a process was at when it ended without a word."""
    point = standing.points[len(standing.trials)]
    return Trial(options=dict(point), score=None, seconds=seconds, failure=what)

"""The state of one model under one protocol: what its document holds, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from recsys.benchmark.entries import REGISTRY, Entry
from recsys.benchmark.jobs import Environment, Job, Message
from recsys.benchmark.protocols import Protocol, SplitSeed
from recsys.benchmark.results import ModelDocument, PermutationTest, Run, Trial, Tuning
from recsys.benchmark.spaces import HyperParameters, Space
from recsys.benchmark.split_data import configuration
from recsys.benchmark.tuning import Budget, best_of
from recsys.documents import json_fingerprint
from recsys.evaluation.environment import commit, versions

_UNNAMED: Final = ("title", "seeds", "folds", "excludes", "families", "tunes", "own")
"""Of a protocol: what may change without making any run another."""

_LIBRARIES: Final = ("numpy", "torch", "scipy", "implicit", "myfm", "recbole", "scikit-learn")
HARNESS: Final = 3
"""Raised where the same settings no longer come to the same figures: what was measured before is
then measured anew."""


def fingerprint_of(entry: Entry, protocol: Protocol, budget: Budget) -> str:
    """A hash of everything that decides the figures, but for the code.

    Of the configuration only what the harness reads counts: data, sources, features and evaluation.
    What a model takes from elsewhere is in the ``settings`` of its entry, or in the ``config`` of
    its models, whose defaults are not in its space.
    """
    config = configuration(protocol).model_dump(mode="json")
    rules = {name: v for name, v in vars(protocol).items() if name not in _UNNAMED}
    whole = {
        "harness": HARNESS,
        "model": entry.name,
        "space": [dict(configuration) for configuration in entry.space],
        "settings": entry.settings() if entry.settings else _configs(entry),
        "learns": [entry.facts.stops_early, entry.sees_test, entry.keeps],
        "tasks": protocol.tasks_of(entry),
        "budget": asdict(budget) if protocol.tunes else None,
        "protocol": {**rules, "tuning_split": protocol.tuning_split},
        "config": {name: config[name] for name in ("data", "sources", "features", "evaluation")},
    }
    return json_fingerprint(whole)


def _configs(entry: Entry) -> list[str]:
    """How the model of every configuration of the space is configured."""
    made = (entry.make(configuration, 0) for configuration in entry.space)
    return [repr(getattr(model, "config", None)) for model in made]


@dataclass
class RunState:
    """What was measured of one model under one protocol, and what is to be measured yet.

    Attributes:
        entry: who.
        protocol: its only base is the one to use.
        budget: of its tuning.
        path: of its document.
        registry: module that holds the entry.
        found: what lies at ``path``, whatever it is.
        document: what lies there of this very measurement; None where it is another.
        environment: of the processes that measure.
        failure: why no more is measured of it.
        busy: titles of the jobs that are under way.
    """

    entry: Entry
    protocol: Protocol
    budget: Budget
    path: Path
    registry: str = REGISTRY
    found: ModelDocument | None = field(init=False)
    document: ModelDocument | None = field(init=False)
    environment: Environment | None = None
    failure: str | None = None
    busy: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        tunes = self.protocol.tunes
        self.configurations: Space = self.budget.configurations(self.entry) if tunes else ()
        self.fingerprint = fingerprint_of(self.entry, self.protocol, self.budget)
        self.found = ModelDocument.load(self.path) if self.path.is_file() else None
        self.document = self.found if self._goes_on() else None
        self.failure = self._of_permutation()

    @property
    def name(self) -> str:
        """Of protocol and model, in messages."""
        return f"{self.protocol.name} {self.entry.name}"

    def _goes_on(self) -> bool:
        """Whether what was found is the beginning of this measurement."""
        if self.found is None or self.found.fingerprint != self.fingerprint:
            return False
        trials = self.found.tuning.trials if self.found.tuning else []
        # Where every trial failed, something outside was wrong: another start tries again.
        return bool(self.found.runs) or self._chosen(trials) is not None

    def _chosen(self, trials: list[Trial]) -> HyperParameters | None:
        """What to run with; None before anything was fitted."""
        if not self.configurations:
            return self.entry.space[0]
        best = best_of(trials)
        return None if best is None else best.hyper_parameters

    @property
    def trials(self) -> list[Trial]:
        """Those that were made."""
        tuning = None if self.document is None else self.document.tuning
        return [] if tuning is None else tuning.trials

    @property
    def runs(self) -> list[Run]:
        """Those that were made, of this plan or of others with more seeds."""
        return [] if self.document is None else self.document.runs

    @property
    def permutation(self) -> PermutationTest | None:
        """The fit to shuffled ratings that was made."""
        return None if self.document is None else self.document.permutation

    @property
    def lacks_permutation(self) -> bool:
        """Whether a permutation test is to be made: of whatever a leaderboard ranks, once."""
        return self.permutation is None and not self.entry.sees_test and not self.protocol.own

    @property
    def is_tuned(self) -> bool:
        """Whether the hyper-parameters are chosen."""
        return self.budget.is_spent(self.trials, self.configurations)

    def missing(self) -> list[SplitSeed]:
        """Splits that were not run."""
        there = {SplitSeed(run.split.name, run.seed) for run in self.runs}
        return [split for split in self.protocol.splits_of(self.entry) if split not in there]

    def units(self) -> int:
        """Fits that are left, at most."""
        trials = 0 if self.is_tuned else len(self.configurations) - len(self.trials)
        return 0 if self.failure else trials + self.lacks_permutation + len(self.missing())

    def jobs(self) -> Iterator[Job]:
        """What can be started now: tuning, then the permutation test, then all the runs."""
        if not self.failure:
            yield from (job for job in self._next() if job.title not in self.busy)

    def _next(self) -> Iterator[Job]:
        first = self.protocol.tuning_split
        given = (self.protocol, self.entry.name)
        chosen = self._chosen(self.trials)
        if not self.is_tuned:
            spent = sum(trial.seconds for trial in self.trials)
            left = self.configurations[len(self.trials) :]
            yield Job("tuning", *given, first, self.registry, {}, left, spent, self.budget)
        elif chosen is not None and self.lacks_permutation:
            yield Job("permutation test", *given, first, self.registry, chosen)
        elif chosen is not None:
            for split in self.missing():
                yield Job("run", *given, split, self.registry, chosen)

    def keep(self, message: Message) -> None:
        """Take in what a process found; fits are saved at once."""
        if isinstance(message, Environment):
            self.environment = message
            self.failure = self.failure or self._of_other_data(message)
        elif self.failure:
            return
        elif isinstance(message, Trial):
            self._save(trials=[*self.trials, message])
            if self.is_tuned and self._chosen(self.trials) is None:
                self.failure = f"no configuration could be fitted: {message.failure}"
        elif isinstance(message, PermutationTest):
            self._save(permutation=message.model_copy(update={"commit": commit()}))
            self.failure = self._of_permutation()
        else:
            made = message.model_copy(update={"commit": commit()})
            runs = sorted([*self.runs, made], key=lambda run: (run.seed, run.split.name))
            self._save(runs=runs)

    def _of_permutation(self) -> str | None:
        """Why nothing more is measured after the permutation test; None where it passed."""
        if self.permutation is None or self.permutation.failure is None:
            return None
        return f"permutation test: {self.permutation.failure}; {self.path} is kept, and not ranked"

    def _of_other_data(self, here: Environment) -> str | None:
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

    def _save(self, **found: Any) -> None:
        if self.document is not None and "permutation" in found:
            # What was measured before stays of the program and the day it was measured by and on.
            self.document = self.document.model_copy(update=found)
        else:
            there = {"trials": self.trials, "permutation": self.permutation, "runs": self.runs}
            self.document = self._document(**there | found)
        self.document.save(self.path)

    def _document(
        self, trials: list[Trial], permutation: PermutationTest | None, runs: list[Run]
    ) -> ModelDocument:
        if self.environment is None:
            raise RuntimeError("results came before what they were measured in")
        tuning = Tuning(
            seed=self.protocol.tuning_split.seed,
            max_trials=self.budget.trials,
            max_seconds=self.budget.seconds,
            n_configurations=len(self.entry.space),
            trials=trials,
            chosen=dict(self._chosen(trials) or self.entry.space[0]),
        )
        here: Any = self.environment
        return ModelDocument(
            created=datetime.now(UTC).date(),
            commit=commit(),
            versions=versions(_LIBRARIES),
            hardware=here.hardware,
            dataset=here.dataset,
            movies=here.movies,
            content=dict(here.content),
            protocol=self.protocol.name,
            model=self.entry.model,
            variant=self.entry.variant,
            family=self.entry.family,
            fingerprint=self.fingerprint,
            tuning=None if self.protocol.own else tuning,
            permutation=permutation,
            runs=runs,
        )


def died(state: RunState, seconds: float, what: str) -> Trial:
    """The trial that a process was at when it ended without a word."""
    configuration = dict(state.configurations[len(state.trials)])
    return Trial(hyper_parameters=configuration, score=None, seconds=seconds, failure=what)

"""What one process does: try configurations, fit to shuffled ratings, or fit and evaluate.

A job names its model; the process looks it up, so that an entry need not be sent to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from multiprocessing.connection import Connection
from typing import Literal, cast

from threadpoolctl import threadpool_limits as limited_threads

from recsys.benchmark import permutation
from recsys.benchmark.checks import CheckError, check, require
from recsys.benchmark.entries import REGISTRY, Entry, require_entry
from recsys.benchmark.evaluating import TaskResults, evaluate_tasks
from recsys.benchmark.oracles import TruePopularity
from recsys.benchmark.protocols import Protocol, SplitSeed
from recsys.benchmark.recbole.model import RecBoleModel
from recsys.benchmark.results import Packed, PermutationTest, Run, Trial
from recsys.benchmark.spaces import HyperParameters, Space
from recsys.benchmark.split_data import BenchmarkData, SplitData
from recsys.benchmark.tuning import Budget, tried
from recsys.benchmark.views import modality_weights, untrained, views
from recsys.evaluation.environment import Hardware, hardware, peak_mib
from recsys.recommenders.base import Recommender
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.workflow import reference


@dataclass(frozen=True)
class Job:
    """One process' work.

    Attributes:
        kind: try configurations, fit once to shuffled ratings, or fit once and evaluate on test.
        protocol: its only base is the one to use.
        model: name of the entry.
        registry: module that holds it.
        split: the split.
        hyper_parameters: the chosen ones; none while tuning.
        configurations: not tried yet.
        spent: seconds of the trials before.
        budget: of all trials.
    """

    kind: Literal["tuning", "permutation test", "run"]
    protocol: Protocol
    model: str
    split: SplitSeed
    registry: str = REGISTRY
    hyper_parameters: HyperParameters = field(default_factory=dict)
    configurations: Space = ()
    spent: float = 0.0
    budget: Budget = field(default_factory=Budget)

    @property
    def title(self) -> str:
        """Of the work."""
        return f"{self.split.fold}, seed {self.split.seed}" if self.kind == "run" else self.kind

    @property
    def entry(self) -> Entry:
        """Who is measured."""
        own = {entry.name: entry for entry in self.protocol.own}
        return own.get(self.model) or require_entry(self.model, self.registry)


@dataclass(frozen=True)
class Environment:
    """What a process found itself in.

    Attributes:
        dataset: fingerprint of the interactions.
        movies: fingerprint of the movies with their modalities.
        content: each modality to the share of the movies that have it.
        hardware: with the threads that the process has.
    """

    dataset: str
    movies: str
    content: Mapping[str, float]
    hardware: Hardware


Message = Environment | Trial | PermutationTest | Run


def serve(pipe: Connection, job: Job) -> None:
    """Do a job in a process of its own; see ``recsys.subprocesses``."""
    for message in work(job):
        pipe.send(message)


def work(job: Job) -> Iterator[Message]:
    """Do a job; what it finds comes as soon as it is there.

    Raises:
        RecsysError: the data is unusable, or a run failed.
    """
    with limited_threads(1):
        data = BenchmarkData.of(job.protocol)
        ratings = data.dataset.interactions.fingerprint
        yield Environment(ratings, data.movies, data.content, hardware())
        data = data.keeping(job.entry.keeps)
        if job.kind == "tuning":
            yield from _trials(job, data)
        elif job.kind == "permutation test":
            yield permuted(job, data)
        else:
            yield run(job, data)


def _trials(job: Job, data: BenchmarkData) -> Iterator[Trial]:
    entry, split = job.entry, data.split(job.split)
    metric, tasks = job.protocol.headline_of(entry), job.protocol.tasks_of(entry)

    def score(given: HyperParameters) -> float:
        model = fit(entry, given, job.split.seed, split, for_test=False)
        found = evaluate_tasks(model, split, "valid", tasks[:1]).named()
        return metric.sign * found[metric.path]

    yield from tried(job.configurations, score, job.spent, job.budget)


def permuted(job: Job, data: BenchmarkData) -> PermutationTest:
    """Fit once to shuffled ratings, and say what the model finds of test."""
    entry, seed = job.entry, job.split.seed
    shuffled = permutation.Shuffled.of(data.split(job.split), seed)
    if job.protocol.refits(entry):
        shuffled = shuffled.refit_on_train_valid()
    model = fit(entry, job.hyper_parameters, seed, shuffled.data)
    values = permutation.values(model, shuffled, job.protocol.tasks_of(entry))
    failure = None
    try:
        require({f"permuted/{name}": value for name, value in values.items()})
    except CheckError as error:
        failure = error.what
    return PermutationTest(
        seed=seed,
        split=job.split.fold,
        seconds=model.fit_seconds or 0.0,
        checks=values,
        failure=failure,
    )


def run(job: Job, data: BenchmarkData) -> Run:
    """Fit once, evaluate on test, and check that the figures mean something.

    Valid is evaluated as well, where the model did not learn from it.

    Raises:
        CheckError: they do not.
    """
    protocol, entry = job.protocol, job.entry
    as_split, tasks, beside = data.split(job.split), protocol.tasks_of(entry), bool(protocol.own)
    split = as_split.refit_on_train_valid() if protocol.refits(entry) else as_split
    model = fit(entry, job.hyper_parameters, job.split.seed, split)
    if entry.sees_test:
        cast(TruePopularity, model).see(split.split.test)
    found = evaluate_tasks(model, split, "test", tasks, beside=beside)
    peak = peak_mib()
    checks = check(model, split, found)
    on_valid = len(split.split.valid) and not entry.sees_test
    valid = evaluate_tasks(model, split, "valid", tasks, beside=beside) if on_valid else None
    off = untrained(model)
    metrics = {
        **found.named(),
        **(valid.on_valid() if valid else {}),
        **_costs(model, found),
        **{f"weights.{name}": weight for name, weight in modality_weights(model).items()},
        "n_users": found.n_users,
        "peak_mib": peak,
    }
    is_first = job.split == protocol.tuning_split
    looks = tuple(look for look in entry.looks if look != "subsets" or is_first)
    seen_otherwise = {
        name: evaluate_tasks(view, split, "test", tasks, beside=True).named()
        for name, view in views(model, split.split.for_fitting(), looks)
    }
    return Run(
        seed=job.split.seed,
        split=reference(as_split.split),
        metrics={name: v for name, v in metrics.items() if isfinite(v) and _group(name) not in off},
        views=seen_otherwise,
        users=Packed.of(found.users),
        per_user={name: Packed.of(values) for name, values in found.per_user().items()},
        checks=checks,
        reference=_reference(model),
    )


def _group(metric: str) -> str:
    """The head that a figure is of."""
    group, _, name = metric.partition(".")
    if group != "valid":
        return group
    if "@" in name:
        return "ranking"
    return "genre" if name.startswith(("macro", "micro")) else "rating"


def fit(
    entry: Entry, given: HyperParameters, seed: int, data: SplitData, *, for_test: bool = True
) -> Recommender:
    """A fitted model.

    Args:
        entry: who.
        given: hyper-parameters.
        seed: of the model.
        data: what it is fitted on.
        for_test: whether test ratings are handed to a model that is fitted by another program,
            which evaluates what it fitted by itself.
    """
    model = entry.make(given, seed)
    if isinstance(model, RecBoleModel) and for_test:
        model.test = data.of_known_users(data.split.test)
    return model.fit(data.split)


def _costs(model: Recommender, found: TaskResults) -> dict[str, float]:
    """What a fit took; what another program says it took, in place of asking for it."""
    if isinstance(model, RecBoleModel):
        report = model.report
        return {
            "seconds.fit": report.fit_seconds,
            "seconds.score": report.score_seconds,
            "parameters": report.parameters,
            "epochs": report.epochs,
        }
    costs = {"seconds.fit": model.fit_seconds or 0.0, "seconds.score": found.score_seconds}
    epochs = {"epochs": model.log.epochs} if isinstance(model, JointRecommender) else {}
    return {**costs, **epochs, "parameters": int(model.parameters or 0)}


def _reference(model: Recommender) -> dict[str, float]:
    """Figures of the library's own evaluator."""
    if not isinstance(model, RecBoleModel):
        return {}
    native = {f"native/{name}": value for name, value in model.report.native.items()}
    both = {**model.report.reference, **native}
    return {name: value for name, value in both.items() if isfinite(value)}

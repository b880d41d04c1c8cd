"""What one process does: try points of a search space, fit to shuffled ratings, or fit and judge.

A job names its contender; the process looks it up, so that a contender need not be sent to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from math import isfinite
from typing import Any, ClassVar, Final, cast

from recsys.benchmark import null_fit
from recsys.benchmark.contender import Account, Contender, Model, Options, Oracle
from recsys.benchmark.document import NullFit, Packed, Run, Trial
from recsys.benchmark.fitting import fit
from recsys.benchmark.gates import GateError, gates, require
from recsys.benchmark.grounds import Material
from recsys.benchmark.judging import Figures, judge
from recsys.benchmark.memory import peak_mib
from recsys.benchmark.protocols import Cell, Protocol
from recsys.benchmark.tuning import Budget, tried
from recsys.errors import ConfigError, nearest
from recsys.evaluation.environment import Hardware, hardware
from recsys.evaluation.report import ResultRow, Seconds
from recsys.experiment.evaluate import limited_threads, reference

REGISTRY: Final = "recsys.benchmark.contenders"
"""The module whose ``CONTENDERS`` are looked through."""


@dataclass(frozen=True)
class Subject:
    """Who is measured, and on what.

    Attributes:
        protocol: its only base is the one to use.
        contender: name.
        registry: module that holds it.
    """

    protocol: Protocol
    contender: str
    registry: str = REGISTRY


@dataclass(frozen=True)
class TuningJob:
    """Points to try on valid of the protocol's first division.

    Attributes:
        subject: who and on what.
        points: not tried yet.
        spent: seconds of the trials before.
        budget: of all trials.
    """

    subject: Subject
    points: tuple[Options, ...]
    spent: float
    budget: Budget
    title: ClassVar[str] = "options"


@dataclass(frozen=True)
class RunJob:
    """One fit with the chosen options.

    Attributes:
        subject: who and on what.
        cell: the division.
        options: the chosen ones.
    """

    subject: Subject
    cell: Cell
    options: Options

    @property
    def title(self) -> str:
        """Of the division."""
        return f"{self.cell.fold}, seed {self.cell.seed}"


@dataclass(frozen=True)
class NullJob:
    """One fit with the chosen options to shuffled ratings of the protocol's first division.

    Attributes:
        subject: who and on what.
        options: the chosen ones.
    """

    subject: Subject
    options: Options
    title: ClassVar[str] = "shuffled ratings"


Job = TuningJob | NullJob | RunJob


@dataclass(frozen=True)
class Surroundings:
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


Message = Surroundings | Trial | NullFit | Run


def contenders(registry: str = REGISTRY) -> dict[str, Contender]:
    """Contenders by name, in the order of the registry."""
    return {contender.name: contender for contender in import_module(registry).CONTENDERS}


def contender_named(name: str, registry: str = REGISTRY) -> Contender:
    """One contender.

    Raises:
        ConfigError: there is none of that name; the error names the nearest.
    """
    known = contenders(registry)
    if name not in known:
        close = ", ".join(nearest(name, known))
        hint = f"did you mean {close}?" if close else "recsys benchmark list names them"
        raise ConfigError(f"there is no contender {name!r}", hint=hint)
    return known[name]


def work(job: Job) -> Iterator[Message]:
    """Do a job; what it finds comes as soon as it is there.

    Raises:
        RecsysError: the data is unusable, or a run failed.
    """
    contender = contender_named(job.subject.contender, job.subject.registry)
    with limited_threads(1):
        material = Material.of(job.subject.protocol)
        ratings = material.dataset.interactions.fingerprint
        yield Surroundings(ratings, material.movies, material.content, hardware())
        if isinstance(job, TuningJob):
            yield from _trials(job, contender, material)
        elif isinstance(job, NullJob):
            yield _null(job, contender, material)
        else:
            yield run(contender, job, material)


def _trials(job: TuningJob, contender: Contender, material: Material) -> Iterator[Trial]:
    protocol = job.subject.protocol
    cell, tasks = protocol.tuning_cell, protocol.tasks_of(contender)
    name, sign = protocol.headline_of(contender)
    ground = material.ground(cell)

    def score(options: Options) -> float:
        model = fit(contender, options, cell, ground, for_test=False).model
        return sign * judge(model, ground, "valid", tasks[:1]).metrics()[name]

    yield from tried(job.points, score, job.spent, job.budget)


def _null(job: NullJob, contender: Contender, material: Material) -> NullFit:
    protocol = job.subject.protocol
    cell = protocol.tuning_cell
    divided = null_fit.Shuffled.of(material.ground(cell), cell.seed)
    shuffled = divided.refitted if protocol.refits_of(contender) else divided
    model, seconds = fit(contender, job.options, cell, shuffled.ground)
    values = null_fit.values(model, shuffled, protocol.tasks_of(contender))
    failure = _failure(values)
    return NullFit(seed=cell.seed, split=cell.fold, seconds=seconds, gates=values, failure=failure)


def _failure(values: Mapping[str, float]) -> str | None:
    try:
        require(values)
    except GateError as error:
        return error.what
    return None


def run(contender: Contender, job: RunJob, material: Material) -> Run:
    """Fit once, judge on test, and check that the figures mean something.

    Valid is judged as well, where the model did not learn from it.

    Raises:
        GateError: they do not.
    """
    protocol, cell = job.subject.protocol, job.cell
    divided, tasks = material.ground(cell), protocol.tasks_of(contender)
    ground = divided.refitted if protocol.refits_of(contender) else divided
    model, seconds = fit(contender, job.options, cell, ground)
    if contender.sees_test:
        cast(Oracle, model).see(ground.split.test)
    figures = judge(model, ground, "test", tasks)
    peak = peak_mib()
    values = gates(model, ground, figures)
    on_valid = len(ground.split.valid) and not contender.sees_test
    valid = judge(model, ground, "valid", tasks).metrics() if on_valid else None
    account: Account | None = cast(Any, model).report if contender.fits_elsewhere else None
    row = _row(contender, cell, model, figures, seconds)
    return Run(
        seed=cell.seed,
        split=reference(divided.split),
        row=row.model_copy(update={"valid": valid} | _costs(account)),
        users=Packed.of(figures.users),
        per_user={name: Packed.of(found) for name, found in figures.per_user().items()},
        peak_mib=peak,
        gates=values,
        reference=_reference(account),
    )


def _costs(account: Account | None) -> dict[str, Any]:
    """What another program says a fit took, in place of what it took to ask for it."""
    if account is None:
        return {}
    return {
        "seconds": Seconds(fit=account.fit_seconds, score=account.score_seconds),
        "parameters": account.parameters,
        "epochs": account.epochs,
    }


def _reference(account: Account | None) -> dict[str, float]:
    if account is None:
        return {}
    native = {f"native/{name}": value for name, value in account.native.items()}
    both = {**account.reference, **native}
    return {name: value for name, value in both.items() if isfinite(value)}


def _row(
    contender: Contender, cell: Cell, model: Model, figures: Figures, seconds: float
) -> ResultRow:
    parameters = getattr(model, "parameters", None)
    return ResultRow(
        model=contender.name,
        seed=cell.seed if contender.random else None,
        rating=figures.rating.summary() if figures.rating else None,
        ranking=figures.ranking(),
        overall=figures.overall(),
        seconds=Seconds(fit=seconds, score=figures.score_seconds),
        n_users=figures.n_users,
        parameters=None if parameters is None else int(parameters),
    )

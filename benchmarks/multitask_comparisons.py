"""What is compared with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from multitask_findings import CANDIDATES, LEVEL_NLL, SINGLES, chosen, headline
from multitask_plan import COLD_BASELINES, ONE_SIGMA, Protocol
from multitask_tables import TESTED, Metric, Pairs, Run, Tested, mean, present, ratio, tests
from multitask_variants import (
    CONTROLS,
    FUSIONS,
    GRID,
    LEFT_OUT,
    OPTIONS,
    PLACEMENT,
    REFERENCE,
    SCHEMES,
    USER_OPTIONS,
    Variant,
)

CHANGED = (*PLACEMENT, *OPTIONS, *USER_OPTIONS)
GRID_NAMES = [variant.name for variant in GRID]


@dataclass(frozen=True)
class Comparison:
    """A family of tests.

    Attributes:
        title: of its table.
        tested: its tests.
        spoken: whether its findings are worth a sentence beside those of the others.
        more: said after the sentences.
    """

    title: str
    tested: list[Tested]
    spoken: bool = True
    more: str = ""


def comparisons(protocol: Protocol, runs: Sequence[Run]) -> list[Comparison]:
    """Those of one protocol for which there are results."""
    found = [
        *_grid(runs),
        Comparison(f"Tasks, {REFERENCE}", tests(runs, _controls(), TESTED)),
        *_best(protocol, runs),
        _reference(f"One modality left out, {REFERENCE} trained again", runs, LEFT_OUT),
        _reference(f"Options of {REFERENCE}, one at a time", runs, CHANGED),
        Comparison("Uncertainty against one σ", tests(runs, _sigmas(), [LEVEL_NLL])),
    ]
    return [comparison for comparison in found if comparison.tested]


def _grid(runs: Sequence[Run]) -> Iterator[Comparison]:
    """Schemes against fully shared, fusions against concatenation."""
    pooled = "the mean of all"
    if set(present(runs, GRID_NAMES)) == set(GRID_NAMES):
        yield Comparison(f"Sharing, {pooled} fusions", tests(runs, _schemes(), TESTED))
        yield Comparison(f"Fusion, {pooled} schemes", tests(runs, _fusions(), TESTED))
    single = tests(runs, _schemes_by_fusion(), TESTED)
    yield Comparison("Sharing, fusion by fusion", single, spoken=False)


def _schemes() -> Pairs:
    rows = {s: [f"{s}-{fusion}" for fusion in FUSIONS] for s in SCHEMES}
    return {f"{s.upper()} against FS": (rows[s], rows["fs"]) for s in SCHEMES[1:]}


def _fusions() -> Pairs:
    rows = {f: [f"{scheme}-{f}" for scheme in SCHEMES] for f in FUSIONS}
    return {f"{f} against concat": (rows[f], rows["concat"]) for f in FUSIONS[1:]}


def _schemes_by_fusion() -> Pairs:
    return {
        f"{scheme.upper()} against FS, {fusion}": ((f"{scheme}-{fusion}",), (f"fs-{fusion}",))
        for scheme in SCHEMES[1:]
        for fusion in FUSIONS
    }


def _controls() -> Pairs:
    return {f"all tasks against {v.name}": ((REFERENCE,), (v.name,)) for v in CONTROLS}


def _reference(title: str, runs: Sequence[Run], variants: Sequence[Variant]) -> Comparison:
    pairs = {f"{v.name}, against {REFERENCE}": ((v.name,), (REFERENCE,)) for v in variants}
    return Comparison(title, tests(runs, pairs, TESTED))


def _sigmas() -> Pairs:
    return {f"{name}, against one σ": ((name,), (name + ONE_SIGMA,)) for name in CANDIDATES}


def _best(protocol: Protocol, runs: Sequence[Run]) -> Iterator[Comparison]:
    """The best on valid against each modality alone, and against the baselines."""
    best, metric = chosen(runs, protocol, CANDIDATES), headline(protocol)
    if best is None:
        return
    figure = f"{mean(runs, best, metric.path):.{metric.digits}f}"
    title = f"The best on valid: {best}, {metric.title} {figure} on test"
    for others in (SINGLES, protocol.baselines):
        names = present(runs, others)
        pairs = {f"{best} against {name}": ((best,), (name,)) for name in names}
        more = _multiples(runs, best, metric) if others == COLD_BASELINES else ""
        kind = "modality by modality" if others == SINGLES else "and baselines"
        yield Comparison(f"{title}, {kind}", tests(runs, pairs, [metric]), more=more)


def _multiples(runs: Sequence[Run], best: str, metric: Metric) -> str:
    shown = present(runs, COLD_BASELINES)
    text = ", ".join(f"{ratio(runs, best, name, metric.path):.2f} {name}" for name in shown)
    return f"- {metric.title} of {best} as a multiple: {text}.\n"

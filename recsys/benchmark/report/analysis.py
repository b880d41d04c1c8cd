"""One task of one protocol: who stands where, and what may be said about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

import numpy as np

from recsys.benchmark.contender import CONSTRUCTED, Task
from recsys.benchmark.document import ContenderDocument
from recsys.benchmark.protocols import PROTOCOLS
from recsys.benchmark.report.judged import Judged, judged, over_parts
from recsys.benchmark.report.load import Measured
from recsys.benchmark.report.metric import HEADLINE, METRICS, Metric
from recsys.benchmark.report.provenance import listed
from recsys.benchmark.report.statistics import Comparison, against, decided

OURS = "joint"
TASKS: tuple[Task, ...] = ("warm", "cold", "fold-in", "rating")
TASK_TITLES: Mapping[Task, str] = {
    "warm": "Ranking movies that were rated",
    "cold": "Ranking movies that nobody has rated",
    "fold-in": "Ranking for users who were not there in training",
    "rating": "Predicting stars",
}


@dataclass(frozen=True)
class Standing:
    """One contender's place.

    Attributes:
        document: its measurements.
        n_runs: runs with a figure.
        mean: of the headline metric over test parts, each the mean of its runs.
        spread: standard deviation over them, or over the runs of a single one; NaN of one run.
        n_parts: test parts with a figure.
    """

    document: ContenderDocument
    n_runs: int
    mean: float
    spread: float
    n_parts: int

    @property
    def name(self) -> str:
        """Of the contender."""
        return self.document.contender


@dataclass(frozen=True)
class Analysis:
    """One task of one protocol.

    Attributes:
        measured: everything measured under the protocol.
        task: which of its tasks.
        standings: contenders with a figure of every test part, the best first; of equal ones, by
            name.
        partial: those with figures of some only, which are given no place.
        oracles: contenders that are shown the test ratings.
        comparisons: our model, the best rival and the best of all, each against all others; a pair
            of two of them has one verdict.
        parts: test parts that places are of: those of our model, of all where it has none.
    """

    measured: Measured
    task: Task
    standings: tuple[Standing, ...]
    partial: tuple[Standing, ...]
    oracles: tuple[Standing, ...]
    comparisons: Mapping[str, tuple[Comparison, ...]]
    parts: Set[str]

    @property
    def protocol(self) -> str:
        """Name of the protocol."""
        return self.measured.protocol

    @property
    def title(self) -> str:
        """What the protocol is called."""
        known = PROTOCOLS.get(self.protocol)
        return known.title if known else self.protocol

    @property
    def headline(self) -> Metric:
        """What contenders are compared by."""
        return HEADLINE[self.task]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is reported."""
        return METRICS[self.task]

    @property
    def best(self) -> Standing:
        """The contender with the best mean."""
        return self.standings[0]

    @property
    def ours(self) -> Standing | None:
        """Our model; None where it was not measured."""
        return next((s for s in self.standings if s.name == OURS), None)

    @property
    def rival(self) -> Standing | None:
        """The best that is not our model; None where there is none.

        Several contenders that are rivals of it are this project's own constructions.
        """
        return _rival(self.standings)

    @property
    def published(self) -> Standing | None:
        """The best that is neither our model nor another construction of ours; None without one."""
        return next((s for s in self.standings if not _is_ours(s)), None)

    def place(self, name: str) -> int:
        """1 for the best."""
        return [standing.name for standing in self.standings].index(name) + 1

    def versus(self, reference: str, other: str) -> Comparison | None:
        """One comparison of the family of ``reference``; None where they share no test part."""
        family = self.comparisons.get(reference, ())
        return next((c for c in family if c.second == other), None)

    def not_shown_worse(self) -> list[Standing]:
        """The best, and all from which no difference of it is shown."""
        best = self.best.name
        return [
            s
            for s in self.standings
            if s.name == best
            or (
                (found := self.versus(best, s.name)) is not None
                and found.verdict == "no difference shown"
            )
        ]


def mean_of(document: ContenderDocument, metric: Metric) -> tuple[float, float, int]:
    """Mean and spread of a figure, and how many runs have it.

    The mean is over runs; the spread is that of ``over_parts``.
    """
    values = [value for run in document.runs if not math.isnan(value := metric.of(run.row))]
    if not values:
        return math.nan, math.nan, 0
    return float(np.mean(values)), over_parts(document, metric, None)[1], len(values)


def analyse(measured: Measured) -> list[Analysis]:
    """An analysis for each task in which a contender of the protocol has a figure."""
    found = (_of_task(measured, task) for task in TASKS if _asks(measured, task))
    return [analysis for analysis in found if analysis is not None]


def in_order(analyses: Iterable[Analysis]) -> list[Analysis]:
    """By task, protocols that are mainly about it first, then as protocols are listed."""
    places = {name: place for place, name in enumerate(PROTOCOLS)}

    def key(analysis: Analysis) -> tuple[int, bool, int, str]:
        known = PROTOCOLS.get(analysis.protocol)
        aside = known is None or known.tasks[0] != analysis.task
        place = places.get(analysis.protocol, len(places))
        return TASKS.index(analysis.task), aside, place, analysis.protocol

    return sorted(analyses, key=key)


def _asks(measured: Measured, task: Task) -> bool:
    """Whether the protocol has the task; one that is not listed has those its figures are of."""
    known = PROTOCOLS.get(measured.protocol)
    if known is not None:
        return task in known.tasks
    is_cold = any(run.row.overall is not None for run in measured.runs)
    return task not in ("warm", "cold") or (task == "cold") == is_cold


def _of_task(measured: Measured, task: Task) -> Analysis | None:
    metric = HEADLINE[task]
    figures = {name: judged(d, metric) for name, d in measured.ranked.items()}
    parts = set(figures.get(OURS) or {part for of_one in figures.values() for part in of_one})
    places = _standings(measured, figures, metric, parts)
    entered = [s for s in places if s.document.family != "oracle"]
    standings = tuple(s for s in entered if s.n_parts == len(parts))
    if not standings:
        return None
    partial = tuple(s for s in entered if s.n_parts < len(parts))
    oracles = tuple(s for s in places if s.document.family == "oracle")
    whole = {n: {p: f for p, f in found.items() if p in parts} for n, found in figures.items()}
    comparisons = _comparisons(standings, whole, metric)
    return Analysis(measured, task, standings, partial, oracles, comparisons, parts)


def _standings(
    measured: Measured,
    figures: Mapping[str, Mapping[str, Judged]],
    metric: Metric,
    parts: Set[str],
) -> list[Standing]:
    found = []
    for name, document in measured.ranked.items():
        if n_parts := len(parts & figures[name].keys()):
            runs = mean_of(document, metric)[2]
            found.append(Standing(document, runs, *over_parts(document, metric, parts), n_parts))
    sign = -1 if metric.higher_is_better else 1
    return sorted(found, key=lambda standing: (sign * standing.mean, standing.name))


def _comparisons(
    standings: tuple[Standing, ...], figures: Mapping[str, Mapping[str, Judged]], metric: Metric
) -> dict[str, tuple[Comparison, ...]]:
    names = [standing.name for standing in standings]
    rival = _rival(standings)
    wanted = {names[0], *([rival.name] if rival else []), *(n for n in names if n == OURS)}
    families = {
        n: against(n, names, figures, metric, picked=n != OURS) for n in names if n in wanted
    }
    return decided(families, OURS)


def _is_ours(standing: Standing) -> bool:
    contender = listed(standing.name)
    return standing.document.family == "ours" or (
        contender is not None and CONSTRUCTED in contender.about
    )


def _rival(standings: tuple[Standing, ...]) -> Standing | None:
    return next((s for s in standings if s.document.family != "ours"), None)

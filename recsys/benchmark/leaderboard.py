"""One task of one protocol: who is ranked where, and what may be said about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from recsys.benchmark.comparisons import Comparison, against, decided, figures_of
from recsys.benchmark.entries import Entry, entry_named
from recsys.benchmark.metrics import FIT_SECONDS, HEADLINE, METRICS, SECONDARY, TASKS, Metric, Task
from recsys.benchmark.protocols import PROTOCOLS, Protocol
from recsys.benchmark.results import ModelDocument, tidy

OURS: Final = "joint"
CHANCE: Final = "random"
"""The model whose lists are drawn."""

FASTER: Final = 1.5
"""Fits of one model differ by less than this factor on a machine that others use too."""

WORTH: Final = 5.0
"""Seconds of a fit: to save fewer is not worth a lower mean."""


@dataclass(frozen=True)
class Row:
    """One model's place.

    Attributes:
        document: its measurements.
        runs: a row a run, a column a metric, and "part".
        n_runs: runs with a headline figure.
        mean: of the headline metric over test parts, each the mean of its runs.
        spread: standard deviation over them, or over the runs of a single one; NaN of one run.
        n_parts: test parts with a figure.
    """

    document: ModelDocument
    runs: pd.DataFrame
    n_runs: int
    mean: float
    spread: float
    n_parts: int

    @property
    def name(self) -> str:
        """Of the model."""
        return self.document.name

    @property
    def entry(self) -> Entry | None:
        """What is known of the model; None where it takes part no more."""
        return entry_named(self.name)

    @property
    def fit(self) -> float:
        """Seconds of a fit, the mean of the runs."""
        return self.over_runs(FIT_SECONDS)

    def over_runs(self, metric: str) -> float:
        """Mean of the runs; NaN without any."""
        return float(self.runs[metric].mean()) if metric in self.runs else np.nan

    @property
    def can_be_trained(self) -> bool:
        """Whether ``recsys train`` makes it and what it is told is known when it serves."""
        return self.entry is None or self.entry.can_be_trained

    @property
    def reads_content(self) -> bool:
        """Whether it needs the modalities of movies."""
        return self.entry is not None and self.entry.facts.reads_content

    @property
    def told_the_time(self) -> bool:
        """Whether it is told when the rating that it predicts was given."""
        return self.entry is not None and self.entry.facts.uses_timestamps


@dataclass(frozen=True)
class Secondary:
    """A model that is shown to be better than the best of the headline, by a secondary metric.

    Attributes:
        metric: the secondary metric.
        row: the model with the best mean of it.
        mean: its mean.
        of_best: what the best of the headline has.
        of_ours: what our model has; NaN where it has none.
        of_chance: what lists that are drawn have; NaN where these were not evaluated.
    """

    metric: Metric
    row: Row
    mean: float
    of_best: float
    of_ours: float
    of_chance: float

    @property
    def below_chance(self) -> bool:
        """Whether our model does worse than lists that are drawn."""
        return self.metric.sign * self.of_ours < self.metric.sign * self.of_chance


@dataclass(frozen=True)
class Leaderboard:
    """One task of one protocol.

    Attributes:
        protocol: the protocol.
        task: which of its tasks.
        rows: models with a figure of every test part, the best first; of equal ones, by name.
        partial: those with figures of some only, which are given no place.
        oracles: models that are shown the test ratings, and chance.
        comparisons: our model, the best baseline and the best of all, each against all others; a
            pair of two of them has one verdict.
        parts: test parts that places are of: those of our model, of all where it has none.
    """

    protocol: Protocol
    task: Task
    rows: tuple[Row, ...]
    partial: tuple[Row, ...]
    oracles: tuple[Row, ...]
    comparisons: Mapping[str, tuple[Comparison, ...]]
    parts: Set[str]

    @property
    def headline(self) -> Metric:
        """What models are compared by."""
        return HEADLINE[self.task]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is reported."""
        return METRICS[self.task]

    @property
    def best(self) -> Row:
        """The model with the best mean."""
        return self.rows[0]

    @property
    def ours(self) -> Row | None:
        """Our model; None where it was not measured."""
        return next((row for row in self.rows if row.name == OURS), None)

    @property
    def baseline(self) -> Row | None:
        """The best that is not our model, constructions of this project among them."""
        return next((row for row in self.rows if row.document.family != "ours"), None)

    @property
    def published(self) -> Row | None:
        """The best that is neither our model nor another construction of ours; None without one."""
        ours = ("ours", "construction")
        return next((r for r in self.rows if r.entry is None or r.entry.origin not in ours), None)

    @property
    def names(self) -> list[str]:
        """Of all that have a place, the best first."""
        return [row.name for row in self.rows]

    def place(self, name: str) -> int:
        """1 for the best."""
        return self.names.index(name) + 1

    def versus(self, reference: str, other: str) -> Comparison | None:
        """One comparison of the family of ``reference``; None where they share no test part."""
        family = self.comparisons.get(reference, ())
        return next((c for c in family if c.second == other), None)

    @property
    def our_difference(self) -> Comparison | None:
        """Of our model to the best baseline."""
        if self.ours is None or self.baseline is None:
            return None
        return self.versus(self.ours.name, self.baseline.name)

    def figure(self, row: Row, metric: Metric) -> tuple[float, float]:
        """Mean and spread over the test parts that places are of."""
        if metric == self.headline:
            return row.mean, row.spread
        return over_parts(row.runs, metric.path, self.parts)

    @cached_property
    def level(self) -> list[Row]:
        """The best, and all from which no difference of it is shown."""
        best = self.best.name
        verdicts = {c.second: c.verdict for c in self.comparisons.get(best, ())}
        return [
            r for r in self.rows if r.name == best or verdicts.get(r.name) == "no difference shown"
        ]

    @cached_property
    def trainable(self) -> Row | None:
        """The best that can be trained and served; None where none can."""
        return next((row for row in self.rows if row.can_be_trained), None)

    @cached_property
    def choice(self) -> Row:
        """The best that can be trained, unless one that is level with it fits much faster.

        What is not shown to be worse may be worse by much, where test parts are few: level is who
        is besides within the spread of the best's own figures.
        """
        best = self.trainable or self.best
        near = [
            row
            for row in self.level
            if row.can_be_trained and abs(row.mean - best.mean) <= best.spread
        ]
        quick = min(near, key=lambda row: (row.fit, self.place(row.name)), default=best)
        return quick if is_much_faster(quick, best) else best

    @cached_property
    def secondary(self) -> tuple[Secondary, ...]:
        """One a secondary metric, where the tests support it: corrected for all its pairs."""
        return tuple(self._secondary())

    def _secondary(self) -> Iterator[Secondary]:
        for metric in SECONDARY[self.task]:
            found = {row.name: figures_of(row.document, metric) for row in self.rows}
            figures = {n: parts for n, parts in found.items() if len(parts) >= len(self.parts)}
            best = self.best.name
            if best not in figures:
                continue
            means = {n: sum(p.value for p in f.values()) / len(f) for n, f in figures.items()}
            first = max(means, key=lambda n: (metric.sign * means[n], n == best))
            compared = against(first, figures, metric, picked=True)
            if any(c.second == best and c.verdict == "better" for c in compared):
                chance = next((row for row in self.oracles if row.name == CHANCE), None)
                told = (
                    over_parts(row.runs, metric.path, None)[0] if row else np.nan
                    for row in (self.ours, chance)
                )
                row = self.rows[self.place(first) - 1]
                yield Secondary(metric, row, means[first], means[best], *told)


def is_much_faster(one: Row, other: Row) -> bool:
    """By a factor that means something, and by seconds that somebody would wait for."""
    return FASTER * one.fit < other.fit and other.fit - one.fit > WORTH


def over_parts(runs: pd.DataFrame, metric: str, parts: Set[str] | None) -> tuple[float, float]:
    """Mean and standard deviation over test parts, each the mean of its runs.

    Of a single part the deviation is over its runs. NaN where there is nothing to take it of.

    Args:
        runs: of one model, see ``Row``.
        metric: the figure.
        parts: those that count; None for all.
    """
    if metric not in runs:
        return np.nan, np.nan
    kept = runs if parts is None else runs[runs["part"].isin(list(parts))]
    kept = kept.dropna(subset=[metric])
    means = kept.groupby("part")[metric].mean()
    drawn = means if len(means) > 1 else kept[metric]
    return float(means.mean()), float(drawn.std())


def wide(documents: Iterable[ModelDocument]) -> pd.DataFrame:
    """A row a run and view; columns are the metrics and what identifies the run, see ``tidy``."""
    keys = ["protocol", "model", "variant", "fold", "seed", "part"]
    table = tidy(documents).pivot_table("value", keys, "metric", sort=False)
    return table.reset_index()


def leaderboards(documents: Sequence[ModelDocument]) -> list[Leaderboard]:
    """Every task of every listed protocol in which a model has a figure, by task.

    Protocols that are mainly about a task come first, then as they are listed.
    """
    runs = wide(documents)
    found = []
    for task in TASKS:
        asked = [p for p in PROTOCOLS.values() if task in p.tasks]
        for protocol in sorted(asked, key=lambda p: p.tasks[0] != task):
            of_protocol = [d for d in documents if d.protocol == protocol.name]
            board = _leaderboard(protocol, task, of_protocol, runs)
            found += [board] if board else []
    return found


def _leaderboard(
    protocol: Protocol, task: Task, documents: Sequence[ModelDocument], runs: pd.DataFrame
) -> Leaderboard | None:
    metric = HEADLINE[task]
    by_name = {d.name: d for d in documents if d.is_ranked}
    figures = {name: figures_of(d, metric) for name, d in by_name.items()}
    parts = set(figures.get(OURS) or {part for found in figures.values() for part in found})
    whole = {n: {p: f for p, f in found.items() if p in parts} for n, found in figures.items()}
    rows = [
        _row(by_name[n], runs, metric, parts, len(found)) for n, found in whole.items() if found
    ]
    rows.sort(key=lambda row: (-metric.sign * row.mean, row.name))
    oracles = tuple(row for row in rows if row.document.family == "oracle")
    entered = [row for row in rows if row.document.family != "oracle"]
    placed = tuple(row for row in entered if row.n_parts == len(parts))
    partial = tuple(row for row in entered if row.n_parts < len(parts))
    if not placed:
        return None
    board = Leaderboard(protocol, task, placed, partial, oracles, {}, parts)
    told = {row.name for row in (board.best, board.baseline, board.ours) if row}
    ranked = {name: whole[name] for name in board.names}
    families = {n: against(n, ranked, metric, picked=n != OURS) for n in board.names if n in told}
    compared = decided(families, OURS)
    return Leaderboard(protocol, task, placed, partial, oracles, compared, parts)


def _row(
    document: ModelDocument, runs: pd.DataFrame, metric: Metric, parts: Set[str], n_parts: int
) -> Row:
    key = (document.protocol, document.model, document.variant)
    own = runs[(runs[["protocol", "model", "variant"]] == key).all(axis=1)]
    mean, spread = over_parts(own, metric.path, parts)
    return Row(document, own, int(own[metric.path].notna().sum()), mean, spread, n_parts)

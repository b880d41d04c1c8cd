"""What SPINE.md and MULTITASK.md show: figures of variants, and tests of their differences.

Tests are paired over seeds or folds, two-sided t-tests; p is corrected by Holm over the rows of a
table, a metric at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.benchmark import ablations
from recsys.benchmark.comparisons import LEVEL
from recsys.benchmark.leaderboard import OURS, wide
from recsys.benchmark.markdown import MISSING, number, table
from recsys.benchmark.metrics import Metric
from recsys.benchmark.protocols import Protocol
from recsys.benchmark.results import ModelDocument
from recsys.evaluation.statistics import holm, resampled_t_p

RMSE: Final = Metric("rating.rmse", "RMSE", sign=-1)
NDCG: Final = Metric("ranking.ndcg@10", "NDCG@10")
OVERALL: Final = Metric("overall.ndcg@10", "NDCG@10, all movies")
FIT: Final = Metric("seconds.fit", "fit, s", 1, -1)
LEVEL_NLL: Final = Metric("rating.level_nll", "level NLL", sign=-1)
GENRES: Final = (
    Metric("genre.macro_f1", "macro F1", 3),
    Metric("genre.micro_f1", "micro F1", 3),
    Metric("genre.macro_roc_auc", "ROC-AUC", 3),
)
RECALL: Final = Metric("ranking.recall@10", "Recall@10")
TESTED: Final = (RMSE, NDCG, RECALL, *GENRES)
AUDIENCE: Final = Metric("audience.rmse", "audience RMSE", 3, -1)
EPOCH: Final = Metric("seconds.epoch", "s an epoch", 2, -1)
PARAMETERS: Final = Metric("parameters", "parameters", 0, -1)
COLUMNS: Final = (*TESTED, OVERALL, AUDIENCE, FIT, EPOCH, PARAMETERS)
_INTERVALS: Final = tuple(Metric(f"rating.pit_{n}", f"{n} % interval", 3) for n in (50, 80, 90))
UNCERTAINTY: Final = (RMSE, LEVEL_NLL, *_INTERVALS, Metric("rating.pit_ks", "PIT, KS", 3, -1))
WEIGHTS: Final = tuple(Metric(f"weights.{name}", name, 3) for name in (*ablations.TOLD, "off"))
_RANKING: Final = {"mrr@10": ("MRR@10", 4), "coverage@10": ("coverage@10", 3)}
_RATING: Final = {
    "mae": ("MAE", 4),
    "nll": ("NLL", 3),
    "coverage_80": ("covered by 80 %", 3),
    "coverage_95": ("covered by 95 %", 3),
}
SPINE_COLUMNS: Final[dict[str, tuple[Metric, ...]]] = {
    "ranking": (
        *(NDCG, RECALL),
        *(Metric(f"ranking.{name}", *told) for name, told in _RANKING.items()),
        Metric("ranking.novelty@10", "novelty@10", 2),
        FIT,
    ),
    "rating": (RMSE, *(Metric(f"rating.{name}", *told) for name, told in _RATING.items())),
    "cold": (NDCG, RECALL, OVERALL),
    "genres": GENRES,
}

Pairs = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Label to the models on both sides; of several models the mean of each run is compared."""


@dataclass(frozen=True)
class Tested:
    """What pairs of runs say of a difference.

    Attributes:
        label: what was compared.
        metric: by what.
        difference: mean of first minus second.
        p: two-sided, of the paired t-test, corrected.
    """

    label: str
    metric: Metric
    difference: float
    p: float

    @property
    def shown(self) -> bool:
        """Whether it is more than luck."""
        return self.p < LEVEL

    @property
    def better(self) -> bool:
        """Whether it is shown and goes the right way."""
        return self.shown and self.metric.sign * self.difference > 0

    def __str__(self) -> str:
        digits = self.metric.digits
        text = f"{self.difference:+.{digits}f} (p {p_value(self.p)})"
        return f"**{text}**" if self.shown else text


@dataclass(frozen=True)
class Ablation:
    """The runs of one protocol.

    Attributes:
        protocol: the protocol.
        runs: a row a run and view, a column a metric; "name" is that of its row in tables.
    """

    protocol: Protocol
    runs: pd.DataFrame
    _tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, protocol: Protocol, runs: pd.DataFrame) -> Ablation:
        """The runs of a protocol among those of all.

        Args:
            protocol: the protocol.
            runs: see ``recsys.benchmark.leaderboard.wide``.
        """
        own = runs[runs["protocol"] == protocol.name].copy()
        found = cls(protocol, own)
        told = zip(own["variant"], own["model"], strict=True)
        own["name"] = [found._row_of(variant, model) for variant, model in told]
        own["run"] = [f"{f} {s}" for f, s in zip(own["fold"], own["seed"], strict=True)]
        if {"seconds.fit", "epochs"} <= set(own):
            own["seconds.epoch"] = own["seconds.fit"] / own["epochs"]
        return found

    @property
    def is_cold(self) -> bool:
        """Whether movies without training ratings are ranked."""
        return "cold" in self.protocol.tasks

    @property
    def baselines(self) -> tuple[str, ...]:
        """Models that its variants are shown beside."""
        return ablations.COLD_BASELINES if self.is_cold else ablations.WARM_BASELINES

    @property
    def headline(self) -> Metric:
        """The metric that its best variant is chosen by on valid and asked for on test."""
        return RMSE if self.protocol.tasks[0] == "rating" else NDCG

    @property
    def seeds(self) -> list[int]:
        """Of the runs."""
        return sorted(set(self.runs["seed"]))

    @property
    def settings(self) -> list[str]:
        """What all its variants have in common."""
        fixed = ablations.COLD if self.is_cold else ablations.WARM
        return [
            "training.epochs=40",
            *(
                f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
                for key, value in fixed.items()
            ),
        ]

    def of_fold(self, fold: str) -> Ablation:
        """The runs on one fold."""
        return Ablation(self.protocol, self.runs[self.runs["fold"] == fold])

    def of_seed(self, seed: int) -> Ablation:
        """The runs of one seed."""
        return Ablation(self.protocol, self.runs[self.runs["seed"] == seed])

    def present(self, names: Iterable[str] | None = None) -> list[str]:
        """Those models that some run has, in their order."""
        there = dict.fromkeys(self.runs["name"])
        own = [self._row_of(entry.variant, entry.model) for entry in self.protocol.own]
        listed = [*own, *(name for name in there if name not in own)]
        return [name for name in (listed if names is None else names) if name in there]

    def _row_of(self, variant: str, model: str) -> str:
        """The name of a row: the variant, beside the model where that is told as well."""
        if not variant:
            return model
        shown = variant.replace(f"{ablations.REFERENCE}, {ablations.SUBSET}", ablations.SUBSET)
        return f"{model}, {shown}" if self.protocol in ablations.SPINE else shown

    def by_name(self, metric: str) -> pd.DataFrame:
        """A row a run, a column a model: one metric of the runs that have it."""
        if metric not in self._tables:
            there = self.runs.dropna(subset=[metric]) if metric in self.runs else self.runs[:0]
            values = metric if metric in self.runs else "seed"
            self._tables[metric] = there.pivot(index="run", columns="name", values=values)
        return self._tables[metric]

    def series(self, names: Sequence[str], metric: str) -> pd.Series[float]:
        """A figure a run, the mean over some models, of the runs that have it of all of them."""
        found = self.by_name(metric)
        if not set(names) <= set(found):
            return pd.Series(dtype=float)
        values = found[list(names)].to_numpy().mean(axis=1)
        there = np.isfinite(values)
        return pd.Series(values[there], index=found.index[there])

    def mean(self, name: str, metric: str) -> float:
        """Over the runs; NaN where none has it."""
        return float(self.series([name], metric).mean())

    def figures(self, names: Iterable[str] | None, metrics: Sequence[Metric]) -> str:
        """Mean ± standard deviation over the runs, of models with the first figure."""
        rows = []
        for name in self.present(names):
            found = [self.series([name], metric.path) for metric in metrics]
            rows.append([name, *map(_cell, found, (metric.digits for metric in metrics))])
        told = [row for row in rows if set(row[1:]) != {MISSING}]
        return table(["model", *(metric.title for metric in metrics)], told)

    def tests(self, pairs: Pairs, metrics: Sequence[Metric]) -> list[Tested]:
        """Every pair by every metric; a pair with fewer than two runs in common is left out."""
        found: list[Tested] = []
        for metric in metrics:
            differences = {}
            for label, (first, second) in pairs.items():
                one, other = self.series(first, metric.path), self.series(second, metric.path)
                common = one.index.intersection(other.index)
                if len(common) > 1:
                    differences[label] = np.asarray(one[common] - other[common], np.float64)
            p = holm({label: resampled_t_p(d, 0.0) for label, d in differences.items()})
            found += [Tested(n, metric, float(d.mean()), p[n]) for n, d in differences.items()]
        return found

    def against_ours(self, metric: Metric) -> list[Tested]:
        """The joint model against every other, paired over the runs."""
        others = [name for name in self.present() if name != OURS]
        return self.tests({name: ([OURS], [name]) for name in others}, [metric])

    def best(self, names: Iterable[str]) -> str | None:
        """The model that is best on valid, over the runs that all of the models have."""
        metric = "valid." + self.headline.path.partition(".")[2]
        found = {name: self.series([name], metric) for name in self.present(names)}
        whole = pd.DataFrame(found).dropna()
        return str((self.headline.sign * whole.sum()).idxmax()) if len(whole) else None

    def multiples(self, name: str, others: Iterable[str]) -> str:
        """The headline figure of a model as a multiple of others'."""
        metric, told = self.headline, []
        for other in self.present(others):
            both = pd.DataFrame({n: self.series([n], metric.path) for n in (name, other)}).dropna()
            told.append(f"{both[name].mean() / both[other].mean():.2f} {other}")
        return f"{metric.title} of {name} as a multiple: {', '.join(told)}."

    def groups(self) -> Iterator[tuple[str, str]]:
        """Title and table of figures of each group of variants."""
        groups: dict[str, Sequence[str]] = {
            "Sharing and fusion": ablations.GRID,
            "One task alone": [ablations.REFERENCE, *ablations.CONTROLS],
            "Modalities": [ablations.REFERENCE, *ablations.LEFT_OUT, *ablations.SINGLE],
            "Options": [ablations.REFERENCE, *ablations.PLACEMENT, *ablations.OPTION_ROWS],
            "Baselines": self.baselines,
        }
        for title, names in groups.items():
            if set(self.present(names)) - {ablations.REFERENCE}:
                yield title, self.figures(names, COLUMNS)

    @cached_property
    def comparisons(self) -> list[tuple[str, list[Tested], str]]:
        """Title and tests of each family of comparisons, and what is said after their table."""
        return list(self._comparisons())

    def _comparisons(self) -> Iterator[tuple[str, list[Tested], str]]:
        for title, pairs in _FAMILIES.items():
            metrics = [LEVEL_NLL] if title.startswith("Uncertainty") else TESTED
            yield title, self.tests(pairs, metrics), ""
        best = self.best(ablations.CANDIDATES)
        if best is None:
            return
        metric = self.headline
        figure = f"{metric.title} {number(self.mean(best, metric.path), metric.digits)}"
        title = f"The best on valid: {best}, {figure} on test"
        for kind, names in (
            ("modality by modality", ablations.SINGLE),
            ("and baselines", self.baselines),
        ):
            pairs = {f"{best} against {n}": ([best], [n]) for n in self.present(names)}
            more = self.multiples(best, names) if self.is_cold and names is self.baselines else ""
            yield f"{title}, {kind}", self.tests(pairs, [metric]), more

    def uncertainty(self) -> str:
        """Figures of predicted levels, each beside that with one σ for all ratings."""
        names = [
            row for name in ablations.CANDIDATES for row in (name, f"{name}, {ablations.ONE_SIGMA}")
        ]
        there = any(name.endswith(ablations.ONE_SIGMA) for name in self.present(names))
        return self.figures(names, UNCERTAINTY) if there else ""

    def weights(self) -> str:
        """Mean weight of each modality, where they are weighed."""
        return self.figures(ablations.CANDIDATES, WEIGHTS)


def _grid_pairs() -> dict[str, Pairs]:
    by_scheme = {s: [f"{s}-{fusion}" for fusion in ablations.FUSIONS] for s in ablations.SCHEMES}
    by_fusion = {f: [f"{scheme}-{f}" for scheme in ablations.SCHEMES] for f in ablations.FUSIONS}
    return {
        "Sharing, the mean of all fusions": {
            f"{s.upper()} against FS": (by_scheme[s], by_scheme["fs"])
            for s in ablations.SCHEMES[1:]
        },
        "Fusion, the mean of all schemes": {
            f"{f} against concat": (by_fusion[f], by_fusion["concat"])
            for f in ablations.FUSIONS[1:]
        },
        "Sharing, fusion by fusion": {
            f"{s.upper()} against FS, {f}": ([f"{s}-{f}"], [f"fs-{f}"])
            for s in ablations.SCHEMES[1:]
            for f in ablations.FUSIONS
        },
    }


def _against_reference(names: Iterable[str]) -> Pairs:
    return {f"{n}, against {ablations.REFERENCE}": ([n], [ablations.REFERENCE]) for n in names}


_FAMILIES: Final[dict[str, Pairs]] = {
    **_grid_pairs(),
    f"Tasks, {ablations.REFERENCE}": {
        f"all tasks against {n}": ([ablations.REFERENCE], [n]) for n in ablations.CONTROLS
    },
    f"One modality left out, {ablations.REFERENCE} trained again": _against_reference(
        ablations.LEFT_OUT
    ),
    f"Options of {ablations.REFERENCE}, one at a time": _against_reference(
        (*ablations.PLACEMENT, *ablations.OPTION_ROWS)
    ),
    "Uncertainty against one σ": {
        f"{n}, against one σ": ([n], [f"{n}, {ablations.ONE_SIGMA}"]) for n in ablations.CANDIDATES
    },
}


def p_value(p: float) -> str:
    """Two digits."""
    return f"{p:.2f}" if p >= 0.1 else f"{p:.2g}"


def _cell(values: pd.Series[float], digits: int) -> str:
    """Mean ± standard deviation; the latter where runs differ."""
    if not len(values):
        return MISSING
    deviation = float(values.std()) if len(values) > 1 else 0.0
    more = f" ± {deviation:.{digits}f}" if deviation else ""
    return f"{values.mean():.{digits}f}{more}"


def findings(tested: Sequence[Tested]) -> list[str]:
    """What is shown, a sentence a comparison."""
    told = []
    for label in dict.fromkeys(test.label for test in tested if test.shown):
        own = [test for test in tested if test.label == label and test.shown]
        parts = []
        for verdict, is_better in (("better in", True), ("worse in", False)):
            names = [
                f"{t.metric.title} by {abs(t.difference):.{t.metric.digits}f} (p = {p_value(t.p)})"
                for t in own
                if t.better == is_better
            ]
            parts += [f"{verdict} {', '.join(names)}"] if names else []
        told.append(f"{label}: {'; '.join(parts)}")
    return told


def contexts(documents: Sequence[ModelDocument]) -> dict[str, dict[str, Any]]:
    """What the templates of the pages are given, by page; without what was not measured."""
    runs = wide(documents)
    found: dict[str, dict[str, Any]] = {}
    for name, protocols in (("SPINE.md", ablations.SPINE), ("MULTITASK.md", ablations.MULTITASK)):
        there = {p.name: Ablation.of(p, runs) for p in protocols if p.name in set(runs["protocol"])}
        if there:
            told = [d for d in documents if d.protocol in there]
            found[name] = {"ablations": there, "documents": told}
    return found


def of_readme(documents: Sequence[ModelDocument]) -> tuple[Ablation, Ablation] | None:
    """The plain model on one split by rankings and by ratings; None where it was not measured."""
    runs = wide([d for d in documents if d.protocol in ("spine-ro", "spine-u")])
    ro, u = (Ablation.of(protocol, runs) for protocol in ablations.SPINE[:2])
    return (ro.of_seed(2020), u.of_fold("u1")) if len(ro.runs) and len(u.runs) else None

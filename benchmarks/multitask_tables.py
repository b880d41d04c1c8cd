"""Numbers out of results files: means over runs, paired tests, Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import stats

from recsys.evaluation.report import MISSING, ResultRow, ResultsDocument
from recsys.evaluation.statistics import holm

LEVEL = 0.05
"""A Holm-corrected p below it is a difference."""


@dataclass(frozen=True)
class Metric:
    """A figure of a row.

    Attributes:
        title: as headings have it.
        path: "ranking.ndcg@10" and the like.
        digits: decimals shown.
        higher: whether more is better.
    """

    title: str
    path: str
    digits: int = 4
    higher: bool = True


RMSE = Metric("RMSE", "rating.rmse", higher=False)
NDCG = Metric("NDCG@10", "ranking.ndcg@10")
RECALL = Metric("Recall@10", "ranking.recall@10")
MACRO = Metric("macro F1", "genre.macro_f1", 3)
MICRO = Metric("micro F1", "genre.micro_f1", 3)
AUC = Metric("ROC-AUC", "genre.macro_roc_auc", 3)
TESTED = (RMSE, NDCG, RECALL, MACRO, MICRO, AUC)
AUDIENCE = Metric("audience RMSE", "audience.rmse", 3, higher=False)
OVERALL = Metric("NDCG@10, all movies", "overall.ndcg@10")
FIT = Metric("fit, s", "seconds.fit", 1, higher=False)
EPOCH = Metric("s an epoch", "seconds.epoch", 2, higher=False)
PARAMETERS = Metric("parameters", "parameters", 0, higher=False)
COLUMNS = (*TESTED, OVERALL, AUDIENCE, FIT, EPOCH, PARAMETERS)


@dataclass(frozen=True)
class Run:
    """The results of one protocol with one seed."""

    seed: int
    document: ResultsDocument

    def row(self, model: str) -> ResultRow | None:
        """A row by name."""
        return next((row for row in self.document.rows if row.model == model), None)


def load(results: Path, protocol: str) -> list[Run]:
    """What there is of a protocol, by seed."""
    name = re.compile(rf"multitask-{re.escape(protocol)}-(\d+)\.json")
    found = {m[1]: path for path in results.iterdir() if (m := name.fullmatch(path.name))}
    return [Run(int(seed), ResultsDocument.load(found[seed])) for seed in sorted(found, key=int)]


def value(row: ResultRow, path: str) -> float:
    """One figure of a row, NaN where the row has none."""
    if path == EPOCH.path:
        return (row.seconds.fit or np.nan) / (row.epochs or np.nan)
    group, _, name = path.partition(".")
    found = getattr(row, group)
    if isinstance(found, BaseModel):
        found = found.model_dump()
    found = (found or {}).get(name) if name else found
    return np.nan if found is None else float(found)


def series(runs: Sequence[Run], models: Sequence[str], path: str) -> dict[int, float]:
    """Seed to one figure, the mean over some models, of the runs that have it of all of them."""
    found = {}
    for run in runs:
        rows = [row for model in models if (row := run.row(model))]
        figures = [value(row, path) for row in rows]
        if len(rows) == len(models) and np.isfinite(figures).all():
            found[run.seed] = float(np.mean(figures))
    return found


def mean(runs: Sequence[Run], model: str, path: str) -> float:
    """Over the runs; NaN where none has it."""
    found = list(series(runs, [model], path).values())
    return float(np.mean(found)) if found else np.nan


def present(runs: Sequence[Run], models: Iterable[str]) -> list[str]:
    """Those models that some run has."""
    there = {row.model for run in runs for row in run.document.rows}
    return [model for model in models if model in there]


@dataclass(frozen=True)
class Tested:
    """What pairs of runs say of a difference.

    Attributes:
        label: what was compared.
        metric: by what.
        n: pairs.
        difference: mean of first minus second.
        p: two-sided, of the paired t-test, corrected.
    """

    label: str
    metric: Metric
    n: int
    difference: float
    p: float

    @property
    def shown(self) -> bool:
        """Whether it is more than luck."""
        return self.p < LEVEL

    @property
    def better(self) -> bool:
        """Whether it is shown and goes the right way."""
        return self.shown and (self.difference > 0) == self.metric.higher


Pairs = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Label to the models on both sides; of several models the mean of each run is compared."""


def tests(runs: Sequence[Run], pairs: Pairs, metrics: Sequence[Metric]) -> list[Tested]:
    """Every pair by every metric, seed by seed; Holm's correction is over the pairs of a metric.

    A pair with fewer than two seeds in common is left out.
    """
    return [tested for metric in metrics for tested in _family(runs, pairs, metric)]


def _family(runs: Sequence[Run], pairs: Pairs, metric: Metric) -> list[Tested]:
    found = {}
    for label, sides in pairs.items():
        first, second = _paired(runs, sides, metric.path)
        if len(first) > 1:
            found[label] = first - second
    corrected = holm({label: _p(difference) for label, difference in found.items()})
    return [Tested(n, metric, len(d), float(d.mean()), corrected[n]) for n, d in found.items()]


def _p(difference: NDArray[np.float64]) -> float:
    """Of the paired t-test, without the intervals that ``compare`` spends most of its time on."""
    return float(stats.ttest_1samp(difference, 0.0).pvalue) if difference.any() else 1.0


def _paired(
    runs: Sequence[Run], sides: tuple[Sequence[str], Sequence[str]], path: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = (series(runs, models, path) for models in sides)
    common = [seed for seed in first if seed in second]
    return np.array([first[s] for s in common]), np.array([second[s] for s in common])


def ratio(runs: Sequence[Run], first: str, second: str, path: str) -> float:
    """Of the means of two models over the runs that have both; NaN where none has."""
    above, below = _paired(runs, ([first], [second]), path)
    return float(above.mean() / below.mean()) if len(above) else np.nan


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def figures(runs: Sequence[Run], models: Iterable[str], metrics: Sequence[Metric]) -> str:
    """Mean ± standard deviation over the runs; columns that nobody has are left out."""
    shown = present(runs, models)
    cells = {m: [spread(series(runs, [row], m.path), m.digits) for row in shown] for m in metrics}
    used = [metric for metric in metrics if set(cells[metric]) - {MISSING}]
    rows = [[name, *(cells[metric][i] for metric in used)] for i, name in enumerate(shown)]
    return markdown(["model", *(metric.title for metric in used)], rows)


def spread(found: Mapping[int, float], digits: int) -> str:
    """Mean ± standard deviation of one figure."""
    values = np.array(list(found.values()))
    if not len(values):
        return MISSING
    deviation = values.std(ddof=1) if len(values) > 1 else 0.0
    more = f" ± {deviation:.{digits}f}" if deviation else ""
    return f"{values.mean():.{digits}f}{more}"


def differences(tested: Sequence[Tested]) -> str:
    """A table of tests, a row a label: difference and p, in bold where it is shown."""
    metrics = list(dict.fromkeys(test.metric for test in tested))
    by_place = {(test.label, test.metric): test for test in tested}
    labels = dict.fromkeys(test.label for test in tested)
    rows = [[label, *(_difference(by_place.get((label, m))) for m in metrics)] for label in labels]
    return markdown(["", *(metric.title for metric in metrics)], rows)


def _difference(tested: Tested | None) -> str:
    if tested is None:
        return MISSING
    text = f"{tested.difference:+.{tested.metric.digits}f} (p {number(tested.p)})"
    return f"**{text}**" if tested.shown else text


def number(p: float) -> str:
    """A p-value."""
    return f"{p:.2f}" if p >= 0.1 else f"{p:.2g}"

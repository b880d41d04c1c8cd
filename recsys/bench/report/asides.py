"""Where the answer is another by a figure that stands beside the headline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from recsys.bench.report.analysis import Analysis
from recsys.bench.report.judged import Judged, judged
from recsys.bench.report.metric import BESIDE, Metric
from recsys.bench.report.statistics import against


class Aside(NamedTuple):
    """Somebody who is shown to be better than the best of the headline, by another figure.

    Attributes:
        metric: the figure.
        name: the contender with the best mean of it.
        mean: its mean.
        of_best: what the best of the headline has.
    """

    metric: Metric
    name: str
    mean: float
    of_best: float


def asides(analysis: Analysis) -> Iterator[Aside]:
    """One a figure, where the tests support it: corrected for all contenders of the figure."""
    best = analysis.best.name
    for metric in BESIDE[analysis.task]:
        figures = _figures(analysis, metric)
        if best not in figures:
            continue
        sign = 1 if metric.higher_is_better else -1
        means = {name: _mean(found) for name, found in figures.items()}
        first = max(means, key=lambda name: (sign * means[name], name == best))
        found = against(first, figures, figures, metric)
        if any(c.second == best and c.verdict == "better" for c in found):
            yield Aside(metric, first, means[first], means[best])


def _figures(analysis: Analysis, metric: Metric) -> dict[str, dict[str, Judged]]:
    """Those with a figure of as many test parts as the headline has."""
    found = {s.name: judged(s.document, metric) for s in analysis.standings}
    return {name: parts for name, parts in found.items() if len(parts) >= analysis.n_parts}


def _mean(found: dict[str, Judged]) -> float:
    return sum(part.value for part in found.values()) / len(found)

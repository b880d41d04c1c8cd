"""Where the answer is another by a figure that stands beside the headline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from recsys.benchmark.report.analysis import Analysis, Standing
from recsys.benchmark.report.judged import Judged, judged, over_parts
from recsys.benchmark.report.markdown import number
from recsys.benchmark.report.metric import BESIDE, Metric
from recsys.benchmark.report.statistics import against


class Aside(NamedTuple):
    """Somebody who is shown to be better than the best of the headline, by another figure.

    Attributes:
        metric: the figure.
        name: the contender with the best mean of it.
        mean: its mean.
        of_best: what the best of the headline has.
        of_ours: what our model has; NaN where it has none.
        of_chance: what lists that are drawn have; NaN where these were not judged.
    """

    metric: Metric
    name: str
    mean: float
    of_best: float
    of_ours: float
    of_chance: float

    @property
    def below_chance(self) -> bool:
        """Whether our model does worse than lists that are drawn."""
        sign = 1 if self.metric.higher_is_better else -1
        return sign * self.of_ours < sign * self.of_chance


CHANCE = "random"
"""The contender whose lists are drawn."""
_TELLS: Mapping[str, str] = MappingProxyType(
    {
        "overall.ndcg@10": (
            "There rated movies stand in the same lists and count as misses: it tells whether new "
            "movies come to be seen, not what showing them costs the others."
        ),
    }
)
"""What a figure beside the headline means, where its name does not say it."""


def sentences(analysis: Analysis, found: Iterable[Aside]) -> Iterator[str]:
    """Where somebody else is shown to be better by another figure; ``asides`` finds these."""
    for aside in found:
        digits, best = aside.metric.digits, analysis.best.name
        theirs, of_best = (number(value, digits) for value in (aside.mean, aside.of_best))
        told = (
            f"By {aside.metric.title}, `{aside.name}` is shown to be better than `{best}`: "
            f"{theirs} against {of_best}{_chance(aside)}. {_TELLS.get(aside.metric.path, '')}"
        )
        yield f"{told.strip()} {_below_chance(analysis, aside)}".strip()


def _chance(aside: Aside) -> str:
    if math.isnan(aside.of_chance):
        return ""
    return f" (chance: {number(aside.of_chance, aside.metric.digits)})"


def _below_chance(analysis: Analysis, aside: Aside) -> str:
    if analysis.ours is None or not aside.below_chance:
        return ""
    name, figure = analysis.ours.name, number(aside.of_ours, aside.metric.digits)
    return f"The mean of our `{name}`, {figure}, is worse than chance."


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
        found = against(first, figures, figures, metric, picked=True)
        if any(c.second == best and c.verdict == "better" for c in found):
            chance = next((s for s in analysis.oracles if s.name == CHANCE), None)
            beside = (_of(analysis.ours, metric), _of(chance, metric))
            yield Aside(metric, first, means[first], means[best], *beside)


def _figures(analysis: Analysis, metric: Metric) -> dict[str, dict[str, Judged]]:
    """Those with a figure of as many test parts as the headline has."""
    found = {s.name: judged(s.document, metric) for s in analysis.standings}
    return {name: parts for name, parts in found.items() if len(parts) >= len(analysis.parts)}


def _mean(found: dict[str, Judged]) -> float:
    return sum(part.value for part in found.values()) / len(found)


def _of(standing: Standing | None, metric: Metric) -> float:
    return math.nan if standing is None else over_parts(standing.document, metric, None)[0]

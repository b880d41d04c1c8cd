"""The tables of a protocol, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeGuard

import numpy as np

from recsys.benchmark.contender import Contender, Options, Value
from recsys.benchmark.document import ContenderDocument, Tuning
from recsys.benchmark.report.analysis import Analysis, Standing, mean_of
from recsys.benchmark.report.judged import over_parts
from recsys.benchmark.report.load import Measured
from recsys.benchmark.report.markdown import (
    MISSING,
    code,
    number,
    p_value,
    seconds,
    sections,
    table,
    with_spread,
)
from recsys.benchmark.report.metric import BESIDE, FIT_SECONDS, SCORE_SECONDS, Metric
from recsys.benchmark.report.provenance import listed
from recsys.benchmark.report.statistics import Comparison

UP, DOWN = " ↑", " ↓"
_ARROWS = (
    "An arrow marks a number at the largest (↑) or smallest (↓) of the three or more values that "
    "its range offers: the range ended there, and a step further might be better."
)
_A_RANGE = 3


def quality(analysis: Analysis, standings: Sequence[Standing]) -> str:
    """Mean ± standard deviation over the test parts of each contender, the best first."""
    rows = [
        [
            standing.name,
            standing.document.family,
            *(_figure(analysis, standing, metric) for metric in analysis.metrics),
            str(standing.n_runs),
        ]
        for standing in standings
    ]
    return table(["contender", "family", *(m.title for m in analysis.metrics), "runs"], rows)


def _figure(analysis: Analysis, standing: Standing, metric: Metric) -> str:
    if metric == analysis.headline:
        return with_spread(standing.mean, standing.spread, metric.digits)
    return with_spread(*over_parts(standing.document, metric, analysis.parts), metric.digits)


def differences(comparisons: Iterable[Comparison], digits: int = 4) -> str:
    """One contender against others: difference, interval over users, corrected p-values."""
    rows = [
        [
            comparison.second,
            f"{comparison.difference:+.{digits}f}",
            _interval(comparison, digits),
            p_value(comparison.t_p),
            p_value(comparison.wilcoxon_p),
            f"{comparison.n} {comparison.unit}",
            comparison.verdict,
        ]
        for comparison in comparisons
    ]
    head = ["against", "difference", "95 % over users", "p, t", "p, Wilcoxon", "pairs", "shown"]
    return table(head, rows)


def _interval(comparison: Comparison, digits: int) -> str:
    if comparison.interval is None:
        return MISSING
    low, high = comparison.interval
    return f"{low:+.{digits}f} … {high:+.{digits}f}"


def cost(documents: Iterable[ContenderDocument]) -> str:
    """What a run costs: mean seconds and memory of the runs, numbers learnt."""
    rows = [
        [
            document.contender,
            seconds(mean_of(document, FIT_SECONDS)[0]),
            seconds(mean_of(document, SCORE_SECONDS)[0]),
            f"{np.mean([run.peak_mib for run in document.runs]):,.0f}",
            _parameters(document),
        ]
        for document in documents
        if document.runs
    ]
    return table(["contender", "fit, s", "score all users, s", "peak MiB", "parameters"], rows)


def _parameters(document: ContenderDocument) -> str:
    told = [run.row.parameters for run in document.runs if run.row.parameters is not None]
    return f"{np.mean(told):,.0f}" if told else MISSING


def tuning(documents: Iterable[ContenderDocument]) -> str:
    """How each contender's options were chosen, and what an arrow in it means."""
    rows = [
        [
            document.contender,
            f"`{chosen}`" if (chosen := _chosen(document)) else "nothing to choose",
            _first_point(listed(document.contender)),
            _tried(document.tuning),
            seconds(math.fsum(trial.seconds for trial in document.tuning.trials)),
            _on_valid(document.tuning),
            str(document.tuning.seed),
        ]
        for document in documents
    ]
    head = ["contender", "chosen", "first point from", "points tried", "seconds", "on valid"]
    found = table([*head, "seed"], rows)
    return sections(found, _ARROWS) if any(_is_marked(row[1]) for row in rows) else found


def _is_marked(cell: str) -> bool:
    return UP in cell or DOWN in cell


def _chosen(document: ContenderDocument) -> str:
    """The chosen options, as ``name=value``, those at the end of their range marked."""
    contender = listed(document.contender)
    # Where nothing was tried nothing was chosen: the first point is where its documentation put it.
    space = contender.space if contender and document.tuning.trials else ()
    options = document.tuning.chosen.items()
    return ", ".join(f"{name}={value}{_end_of(space, name, value)}" for name, value in options)


def _end_of(space: Iterable[Options], name: str, value: Value) -> str:
    """An arrow where a number is the largest or smallest of several; "" otherwise."""
    offered = {point[name] for point in space if name in point}
    numbers = {found for found in offered if _is_number(found)}
    if value not in numbers or len(numbers) < _A_RANGE:
        return ""
    return UP if value == max(numbers) else DOWN if value == min(numbers) else ""


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _first_point(contender: Contender | None) -> str:
    """Where the search began; a dash where there was nothing to search, or nobody knows."""
    if contender is None or len(contender.space) == 1:
        return MISSING
    return contender.first_point


def _tried(found: Tuning) -> str:
    failed = sum(trial.score is None for trial in found.trials)
    tried = f"{len(found.trials)} of {found.n_points}"
    return f"{tried}, {failed} failed" if failed else tried


def _on_valid(found: Tuning) -> str:
    scores = [t.score for t in found.trials if t.options == found.chosen and t.score is not None]
    return number(abs(scores[0]), 4) if scores else MISSING


def failures(documents: Iterable[ContenderDocument]) -> str:
    """Which points of a search failed, and why: each reason once."""
    rows = []
    for document in documents:
        reasons: dict[str, int] = {}
        for trial in document.tuning.trials:
            if trial.failure:
                first_line = trial.failure.splitlines()[0]
                reasons[first_line] = reasons.get(first_line, 0) + 1
        rows += [[document.contender, str(n), reason] for reason, n in reasons.items()]
    return table(["contender", "points", "why"], rows)


def gates(measured: Measured) -> str:
    """The sanity checks of all runs: smallest and largest value that each was judged by."""
    found: dict[str, list[float]] = {}
    for run in measured.runs:
        for name, value in run.gates.items():
            found.setdefault(name, []).append(value)
    rows = [
        [f"`{name}`", f"{min(values):.4g}", f"{max(values):.4g}", str(len(values))]
        for name, values in sorted(found.items())
    ]
    return table(["gate", "smallest", "largest", "runs"], rows)


_OF_NULL = {
    "ndcg@10": 4,
    "others": 4,
    "personal": 1,
    "chance": 4,
    "deviations": 1,
    "explained": 3,
}
"""What is shown of a fit to shuffled ratings, and its digits."""


def null_fits(measured: Measured) -> str:
    """What fits to shuffled ratings came to; contenders without one are named below."""
    found = {name: d.null.gates for name, d in measured.documents.items() if d.null}
    rows = [
        [name, *(number(gates.get(f"null/{k}", math.nan), n) for k, n in _OF_NULL.items())]
        for name, gates in found.items()
    ]
    head = ["contender", "NDCG@10", "of others", "t", "chance", "z", "stars explained"]
    documents = measured.documents.items()
    told = (
        ("Failed, and therefore not ranked: {}.", [n for n, d in documents if d.null_failed]),
        (
            "Not fitted to shuffled ratings yet: {}.",
            [n for n, d in documents if d.null is None and d.family != "oracle"],
        ),
    )
    return sections(table(head, rows), *(text.format(code(names)) for text, names in told if names))


def overview(analysis: Analysis) -> str:
    """Headline, cost and our model's difference, a contender a row."""
    metric, ours = analysis.headline, analysis.ours
    beside = BESIDE[analysis.task]
    rows = []
    for standing in analysis.standings:
        document = standing.document
        found = analysis.versus(ours.name, standing.name) if ours else None
        rows.append(
            [
                standing.name,
                *(_figure(analysis, standing, shown) for shown in (metric, *beside)),
                seconds(mean_of(document, FIT_SECONDS)[0]),
                f"{np.mean([run.peak_mib for run in document.runs]):,.0f}",
                f"{found.difference:+.4f}" if found else MISSING,
                found.verdict if found else MISSING,
            ]
        )
    name = ours.name if ours else "ours"
    head = ["contender", metric.title, *(m.title for m in beside), "fit, s", "peak MiB"]
    return table([*head, f"{name} minus it", f"{name} is"], rows)

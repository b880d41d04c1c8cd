"""The tables of a protocol, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from recsys.bench.document import ContenderDocument, Tuning
from recsys.bench.report.analysis import Analysis, Standing, mean_of
from recsys.bench.report.load import Measured
from recsys.bench.report.markdown import MISSING, number, p_value, seconds, table, with_spread
from recsys.bench.report.metric import BESIDE, FIT_SECONDS, SCORE_SECONDS, Metric
from recsys.bench.report.statistics import Comparison


def quality(standings: Sequence[Standing], metrics: Sequence[Metric]) -> str:
    """Mean ± standard deviation over the runs of each contender, the best first."""
    rows = [
        [
            standing.name,
            standing.document.family,
            *(_mean(standing.document, metric) for metric in metrics),
            str(standing.n_runs),
        ]
        for standing in standings
    ]
    return table(["contender", "family", *(m.title for m in metrics), "runs"], rows)


def _mean(document: ContenderDocument, metric: Metric) -> str:
    mean, spread, _ = mean_of(document, metric)
    return with_spread(mean, spread, metric.digits)


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
    """How each contender's options were chosen."""
    rows = [
        [
            document.contender,
            f"`{chosen}`" if (chosen := options(document.tuning)) else "nothing to choose",
            _tried(document.tuning),
            seconds(math.fsum(trial.seconds for trial in document.tuning.trials)),
            _on_valid(document.tuning),
            str(document.tuning.seed),
        ]
        for document in documents
    ]
    return table(["contender", "chosen", "points tried", "seconds", "on valid", "seed"], rows)


def options(found: Tuning) -> str:
    """The chosen options, as ``name=value``."""
    return ", ".join(f"{name}={value}" for name, value in found.chosen.items())


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
                with_spread(standing.mean, standing.spread, metric.digits),
                *(_mean(document, other) for other in beside),
                seconds(mean_of(document, FIT_SECONDS)[0]),
                f"{np.mean([run.peak_mib for run in document.runs]):,.0f}",
                f"{found.difference:+.4f}" if found else MISSING,
                found.verdict if found else MISSING,
            ]
        )
    name = ours.name if ours else "ours"
    head = ["contender", metric.title, *(m.title for m in beside), "fit, s", "peak MiB"]
    return table([*head, f"{name} minus it", f"{name} is"], rows)

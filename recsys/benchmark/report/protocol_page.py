"""The page of one protocol."""

from __future__ import annotations

from collections.abc import Sequence, Set

from recsys.benchmark.contender import Task
from recsys.benchmark.document import ContenderDocument
from recsys.benchmark.gates import DEVIATIONS, EXPLAINED, PERSONAL
from recsys.benchmark.null_fit import DRAWS, SAMPLE
from recsys.benchmark.protocols import Protocol
from recsys.benchmark.report import tables
from recsys.benchmark.report.analysis import OURS, TASK_TITLES, Analysis
from recsys.benchmark.report.claims import RULE, claims, headline
from recsys.benchmark.report.crosschecks import references
from recsys.benchmark.report.load import Measured
from recsys.benchmark.report.markdown import GENERATED, sections, table, with_spread
from recsys.benchmark.report.provenance import (
    budget,
    fell_short,
    machines,
    missing,
    rules_of,
    runs_made,
    seeds,
    tuned_otherwise,
)
from recsys.benchmark.report.texts import DIVISIONS, EQUATIONS, Division


def page(measured: Measured, analyses: Sequence[Analysis]) -> str:
    """Everything about one protocol.

    Args:
        measured: its documents.
        analyses: its tasks.
    """
    documents = list(measured.documents.values())
    return sections(
        f"# {measured.protocol}: {analyses[0].title}",
        GENERATED,
        _division(measured, {analysis.task for analysis in analyses}),
        _content(documents),
        *(_task(analysis) for analysis in analyses),
        _appendix("## What *shown* means", RULE if any(a.comparisons for a in analyses) else ""),
        _appendix("## Cost", _COST, tables.cost(documents)),
        _appendix("## How options were chosen", budget(documents), tables.tuning(documents)),
        _appendix("### Points that failed", tables.failures(documents)),
        _appendix("## Our evaluator beside the contenders' own", _REFERENCE, references(documents)),
        _appendix("## Sanity gates", _GATES, tables.gates(measured)),
        _appendix("### Fits to shuffled ratings", _NULL, tables.null_fits(measured)),
        _appendix(
            "## Runs",
            seeds(measured),
            missing(measured),
            fell_short(documents),
            machines(documents),
        ),
    )


_CUT = (
    "Of stars nothing is masked: every test rating is predicted, and predictions are cut to the "
    "scale for every model alike."
)
_COST = (
    "Mean of the runs, each a process of its own with one thread. Memory is the highest of the "
    "whole process, data and libraries included. Encoding content comes before a fit and is not in "
    "its seconds. Where only stars are predicted, scoring is of the test ratings."
)
_REFERENCE = (
    "Contenders with an evaluator of their own judged the same lists by it: the largest "
    "difference of any figure of any run."
)
_GATES = (
    "A run that fails a gate is not kept. What each checks stands in `recsys/benchmark/gates.py`; "
    "values are over all runs of all contenders."
)

_NULL = (
    "Each contender is fitted once more with its chosen options, on the first division, where "
    "every movie has the ratings of another and stars are exchanged between ratings. What finds "
    "test ratings even then was told of them by something else than ratings to learn from, and is "
    f"not ranked. NDCG@10 is of at most {SAMPLE:,} users; *of others* is the same lists judged "
    "by what users who rated about as many movies are to find, and t their difference in standard "
    f"errors; chance is the mean of {DRAWS} random lists that are alike for everybody, and z the "
    "difference to it in standard deviations of such lists. Let through is t up to "
    f"{PERSONAL:g}, since users of one taste get lists of one kind from noise too, and z up to "
    f"{DEVIATIONS:g}. Of the variance of stars at most {EXPLAINED:g} may be explained; predictions "
    "that follow noise explain less than nothing."
)


def _appendix(*parts: str) -> str:
    """A heading and what belongs to it; "" where the last part is empty."""
    return sections(*parts) if parts[-1] else ""


def _division(measured: Measured, tasks: Set[Task]) -> str:
    names = dict.fromkeys(run.split.name for run in measured.runs)
    found = dict.fromkeys(DIVISIONS[name] for name in names if name in DIVISIONS)
    rules = rules_of(measured.protocol)
    return sections(*(_described(division, rules, tasks) for division in found))


def _content(documents: Sequence[ContenderDocument]) -> str:
    """The modalities of the movies; "" where no document tells."""
    told = next((document.content for document in documents if document.content), None)
    if told is None:
        return ""
    shares = ", ".join(f"{name} ({share:.0%} of the movies)" for name, share in told.items())
    return (
        f"**What content is.** {shares}. [Modalities](../../docs/features.md) says what each is "
        "and which files it is read from; every contender that reads content reads these vectors."
    )


def _described(division: Division, rules: Protocol, tasks: Set[Task]) -> str:
    masked = [division.masked] if tasks - {"rating"} else []
    cut = [_CUT] if "rating" in tasks else []
    cautions = division.cautions_under(rules)
    return sections(
        f"**What is split how.** {division.split_under(rules)}",
        f"**What is known at test.** {division.known_under(rules)}",
        f"**What is masked.** {' '.join(masked + cut)}",
        "**Cautions.**\n\n" + "".join(f"- {caution}\n" for caution in cautions),
    )


def _task(analysis: Analysis) -> str:
    return sections(
        f"## {TASK_TITLES[analysis.task]}",
        headline(analysis),
        tables.quality(analysis, analysis.standings),
        tuned_otherwise(analysis.protocol, analysis.task, [s.name for s in analysis.standings]),
        runs_made(analysis.protocol, {s.name: s.n_runs for s in analysis.standings}),
        _partial(analysis),
        _pictures(analysis),
        _oracles(analysis),
        _shown(analysis),
        "### Equations",
        EQUATIONS[analysis.task],
    )


def _shown(analysis: Analysis) -> str:
    families = [_family(analysis, name) for name in _references(analysis)]
    return sections("### What is shown", *families) if any(families) else ""


def _references(analysis: Analysis) -> list[str]:
    ours, rival = analysis.ours, analysis.rival
    names = [OURS] if ours else []
    return [*names, rival.name] if rival else names


def _family(analysis: Analysis, name: str) -> str:
    found = analysis.comparisons.get(name, ())
    if not found:
        return ""
    is_rival = analysis.rival is not None and name == analysis.rival.name
    chosen = ", the best rival by its mean on test," if is_rival else ""
    return sections(
        f"`{name}`{chosen} against every other, {analysis.headline.title}:",
        claims(name, found),
        tables.differences(found),
    )


def _oracles(analysis: Analysis) -> str:
    if not analysis.oracles:
        return ""
    return sections(
        "Where the scale begins and ends, what chance reaches and what knowing the test ratings "
        "does, and therefore no contenders:",
        tables.quality(analysis, analysis.oracles),
    )


def _pictures(analysis: Analysis) -> str:
    name = picture_name(analysis)
    return sections(
        f"![{analysis.headline.title} against seconds of fitting](../plots/{name}-cost.svg)",
        f"![Differences to the best, with intervals](../plots/{name}-differences.svg)",
    )


def picture_name(analysis: Analysis) -> str:
    """How the files of an analysis' pictures begin."""
    return f"{analysis.protocol}-{analysis.task}"


def _partial(analysis: Analysis) -> str:
    if not analysis.partial:
        return ""
    rows = [
        [
            s.name,
            with_spread(s.mean, s.spread, analysis.headline.digits),
            f"{s.n_parts} of {len(analysis.parts)}",
        ]
        for s in analysis.partial
    ]
    head = ["contender", analysis.headline.title, "test parts"]
    return sections(
        "Measured on some of the test parts only, and therefore given no place; parts differ by "
        "more than most models do:",
        table(head, rows),
    )

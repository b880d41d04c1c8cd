"""REPORT.md and the README's table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recsys.benchmark.contender import Task
from recsys.benchmark.report import tables
from recsys.benchmark.report.analysis import OURS, TASK_TITLES, TASKS, Analysis, mean_of
from recsys.benchmark.report.claims import RULE, headline
from recsys.benchmark.report.crosschecks import ANCHOR_PROTOCOL, TUNED_PROTOCOL, anchors, references
from recsys.benchmark.report.load import Measured
from recsys.benchmark.report.markdown import (
    GENERATED,
    MISSING,
    code,
    number,
    seconds,
    sections,
    table,
    with_spread,
)
from recsys.benchmark.report.metric import FIT_SECONDS
from recsys.benchmark.report.protocol_page import picture_name
from recsys.benchmark.report.provenance import budget, machines, seeds, took, tuned_otherwise
from recsys.benchmark.report.taking import SECONDS
from recsys.errors import DataError

START, END = "<!-- bench:start -->", "<!-- bench:end -->"

_AT_A_GLANCE = (
    f"The best rival is the best of all but `{OURS}`, constructions of this project's own among "
    "them; *best published* leaves these out. The difference is ours minus the rival's: of NDCG@10 "
    "it is good for us above 0, of RMSE (the task `rating`) below."
)
_STOPPING = (
    "The known figures are of RecBole run by itself before this benchmark was written, one run of "
    "`run_recbole` each, which stops early by MRR@10. Here models that stop early do so by NDCG@10 "
    "at their first point, and by MRR@10 at the second. Which comes first was settled after both "
    "had been seen on this split, one run each: by MRR@10 LightGCN ended at 0.276, BPR at 0.286 "
    "and RecVAE at 0.320, so that stopped alike the first two would not be within the range "
    "([the decision](../docs/decisions/0016-benchmark.md))."
)
_RUNNING = """## How to run it

```sh
make bench-quick        # fewer seeds and protocols, to see that it works
make bench              # whatever of this page is missing
make report             # this page, the pictures and the README's table from what was measured
recsys benchmark list   # protocols, contenders, and what each of them lacks to run
```

Modalities and MMTF-14K are read from the folder that `RECSYS_REAL_DATA` names
([modalities](../docs/features.md)). Without it movies have titles and genres alone and MMTF-14K is
passed over; results of other movies are refused here and need a folder of their own (`--results`).

What was measured before with the same configuration is not measured again, and a run that was
interrupted goes on where it stopped."""


def report(measured: Sequence[Measured], analyses: Sequence[Analysis]) -> str:
    """The text of REPORT.md.

    Args:
        measured: all protocols.
        analyses: all their tasks, in order.
    """
    documents = [d for found in measured for d in found.documents.values()]
    return sections(
        "# Benchmarks",
        f"{GENERATED} [Which model to choose](CHOOSING.md) is the page for those in a hurry.",
        _AT_A_GLANCE,
        _glance(analyses),
        RULE,
        SECONDS,
        *(_of_task(task, [a for a in analyses if a.task == task]) for task in TASKS),
        _anchors(measured),
        _evaluators(measured),
        _RUNNING,
        "## What it was run with",
        budget(documents),
        took(documents),
        machines(documents),
        "\n".join(f"- `{found.protocol}`: {seeds(found)}" for found in measured),
    )


def _glance(analyses: Sequence[Analysis]) -> str:
    rows = [
        [
            f"[{a.protocol}](protocols/{a.protocol}.md)",
            a.task,
            f"{a.best.name} {number(a.best.mean, a.headline.digits)}",
            *_ours_and_rival(a),
            _published(a),
            str(len(a.standings)),
        ]
        for a in analyses
    ]
    head = ["protocol", "task", "best", OURS, "best rival", "difference", "shown"]
    return table([*head, "best published", "contenders"], rows)


def _published(analysis: Analysis) -> str:
    best = analysis.published
    return f"{best.name} {number(best.mean, analysis.headline.digits)}" if best else MISSING


def _ours_and_rival(analysis: Analysis) -> list[str]:
    """Our figure, the best rival's, the difference, and what is shown of it."""
    ours, rival, digits = analysis.ours, analysis.rival, analysis.headline.digits
    mine = with_spread(ours.mean, ours.spread, digits) if ours else MISSING
    theirs = f"{rival.name} {number(rival.mean, digits)}" if rival else MISSING
    found = analysis.versus(ours.name, rival.name) if ours and rival else None
    if found is None:
        return [mine, theirs, MISSING, MISSING]
    verdict = found.verdict
    said = verdict if verdict == "no difference shown" else f"{OURS} {verdict}"
    return [mine, theirs, f"{found.difference:+.4f}", said]


def _of_task(task: Task, found: Sequence[Analysis]) -> str:
    if not found:
        return ""
    return sections(f"## {TASK_TITLES[task]}", *(_protocol(analysis) for analysis in found))


def _protocol(analysis: Analysis) -> str:
    link = f"[{analysis.protocol}](protocols/{analysis.protocol}.md)"
    return sections(
        f"### {analysis.title}",
        f"{headline(analysis)} All metrics, cost, options and tests: {link}.",
        tables.overview(analysis),
        tuned_otherwise(analysis.protocol, analysis.task, [s.name for s in analysis.standings]),
        _incomplete(analysis),
        f"![{analysis.headline.title} against seconds of fitting]"
        f"(plots/{picture_name(analysis)}-cost.svg)",
    )


def _incomplete(analysis: Analysis) -> str:
    if not analysis.partial:
        return ""
    names = code(standing.name for standing in analysis.partial)
    return f"Measured on some of the test parts only, and given no place: {names}."


def _anchors(measured: Sequence[Measured]) -> str:
    found = anchors(measured)
    if not found:
        return ""
    return sections(
        "## RecBole's models where RecBole is known",
        f"NDCG@10 on RecBole's own split, seed 2020, with the first point of every space "
        f"(`{ANCHOR_PROTOCOL}`) beside the figures known of RecBole 1.2.1 itself; and what the "
        f"options that valid prefers come to there (`{TUNED_PROTOCOL}`). A model that draws "
        "numbers is trained with several seeds: RecBole numbers movies in the order of its files, "
        "so that on the same split and seed its own run draws others than ours do.",
        _STOPPING,
        found,
    )


def _evaluators(measured: Sequence[Measured]) -> str:
    documents = [d for found in measured for d in found.documents.values()]
    own = [d for d in documents if any(run.reference for run in d.runs)]
    if not own:
        return ""
    by_protocol = {d.protocol for d in own}
    return sections(
        "## Two evaluators, one result",
        "RecBole's models judged the same lists by RecBole's own evaluator:",
        *(
            sections(f"`{name}`", references([d for d in own if d.protocol == name]))
            for name in sorted(by_protocol)
        ),
    )


def readme_table(analyses: Sequence[Analysis]) -> str:
    """A row a protocol and task: our model, the best rival, and what is shown."""
    rows = []
    for analysis in analyses:
        page = f"benchmarks/protocols/{analysis.protocol}.md"
        mine, theirs, difference, shown = _ours_and_rival(analysis)
        fit = [
            seconds(mean_of(standing.document, FIT_SECONDS)[0]) if standing else MISSING
            for standing in (analysis.ours, analysis.rival)
        ]
        name = f"[{analysis.title}]({page})"
        metric = analysis.headline.title
        rows.append([name, metric, mine, theirs, difference, shown, " / ".join(fit)])
    head = ["protocol", "", f"`{OURS}`", "best rival", "difference", "shown", "fit, s"]
    return table(head, rows)


def with_table(readme: str, analyses: Sequence[Analysis]) -> str:
    """A README with what is between its markers replaced; one without markers is left alone.

    Raises:
        DataError: one of the two markers is missing, or they are the wrong way round.
    """
    if START not in readme and END not in readme:
        return readme
    pattern = re.compile(re.escape(START) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(readme):
        raise DataError(f"the README has no {START} that a {END} follows", hint="put both back")
    block = f"{START}\n{readme_table(analyses)}{END}"
    return pattern.sub(lambda _: block, readme)

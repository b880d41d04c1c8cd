"""One page that says which model to choose; every name, figure and sentence follows from data."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recsys.benchmark.contenders import CONTENDERS
from recsys.benchmark.report.analysis import TASKS, Analysis, mean_of
from recsys.benchmark.report.asides import Aside, asides, sentences
from recsys.benchmark.report.claims import RULE, ordinal, said
from recsys.benchmark.report.markdown import GENERATED, code, number, seconds, sections, table
from recsys.benchmark.report.metric import SCORE_SECONDS
from recsys.benchmark.report.provenance import planned
from recsys.benchmark.report.taking import (
    QUESTIONS,
    fit_of,
    is_much_faster,
    knows_the_day,
    page_of,
    servable,
    summary,
    to_take,
)

_MANY = 4


def page(analyses: Sequence[Analysis]) -> str:
    """The guide.

    Args:
        analyses: in order of task; the first of each task decides what is recommended for it, the
            others are listed beside it.
    """
    by_task = {task: [a for a in analyses if a.task == task] for task in TASKS}
    leading = [found[0] for found in by_task.values() if found]
    beside = {analysis.task: tuple(asides(analysis)) for analysis in leading}
    answers = sections(
        summary(leading, beside),
        *(_section(found, beside[task]) for task, found in by_task.items() if found),
        _everything(leading),
    )
    return sections(
        "# Which model to choose",
        GENERATED,
        answers,
        _who(answers),
        "## What *shown* means",
        RULE,
        "Figures of different protocols are never comparable; the page of each says what it is.",
    )


def _section(found: Sequence[Analysis], beside: Sequence[Aside]) -> str:
    leading, others = found[0], found[1:]
    return sections(
        f"## {QUESTIONS[leading.task]}",
        " ".join((_recommendation(leading), _cheaper(leading), _ours(leading))).strip(),
        _undated(leading),
        *sentences(leading, beside),
        _elsewhere(leading, others),
    )


def _recommendation(analysis: Analysis) -> str:
    best, count = analysis.best, len(analysis.standings)
    if count == 1:
        return f"Only `{best.name}` was measured on {page_of(analysis)}."
    figure = f"{analysis.headline.title}: {number(best.mean, analysis.headline.digits)}"
    where = (
        f"`{best.name}` has the best mean of {count} on {page_of(analysis)} ({figure}); it is the "
        "best of these means, which flatters it."
    )
    level = [s.name for s in analysis.not_shown_worse() if s.name != best.name]
    if not level:
        beaten = "the other" if count == 2 else f"all {count - 1} others"
        return f"{where} It is shown to be better than {beaten}."
    named = code(level[:_MANY]) + (f" and {len(level) - _MANY} more" if len(level) > _MANY else "")
    return f"{where} No difference from it is shown for {named}."


def _cheaper(analysis: Analysis) -> str:
    best, taken = analysis.best, to_take(analysis)
    quick = f"{seconds(fit_of(taken))} s"
    if not is_much_faster(taken, best):
        return f"It fits in {seconds(fit_of(best))} s."
    score = seconds(mean_of(taken.document, SCORE_SECONDS)[0])
    ranks = any(run.row.ranking for run in taken.document.runs)
    scores = "scores all users" if ranks else "predicts the test ratings"
    fits = f"fits in {quick} against {seconds(fit_of(best))} s, and {scores} in {score} s"
    return f"`{taken.name}` {fits}."


def _undated(analysis: Analysis) -> str:
    """What to take where nobody knows what the best is told."""
    best, digits = analysis.best.name, analysis.headline.digits
    if not knows_the_day(best):
        return ""
    told = (
        f"`{best}` is told the day on which the test rating was given, which nobody knows when "
        "serving."
    )
    other = servable(analysis)
    if other is None:
        return f"{told} So is everybody else here."
    figure = f"{analysis.headline.title}: {number(other.mean, digits)}"
    return f"{told} To serve, take `{other.name}`, the best that is not told it ({figure})."


def _ours(analysis: Analysis) -> str:
    ours, rival = analysis.ours, analysis.rival
    if ours is None:
        return "Our model was not measured on it."
    place = f"{ordinal(analysis.place(ours.name))} of {len(analysis.standings)}"
    found = analysis.versus(ours.name, rival.name) if rival else None
    if rival is None or found is None:
        return f"Our `{ours.name}` is {place}."
    far = f"{found.difference:+.4f} against `{rival.name}`, the best rival: {said(found)}"
    return f"Our `{ours.name}` is {place}, {far}."


def _elsewhere(leading: Analysis, others: Sequence[Analysis]) -> str:
    """The same question on other data or divided otherwise, and whether the answer is the same."""
    rows = [
        [
            page_of(other),
            other.best.name,
            number(other.best.mean, other.headline.digits),
            _standing_of(other, leading.best.name),
            _standing_of(other, other.ours.name) if other.ours else "not measured",
        ]
        for other in others
    ]
    head = ["elsewhere", "best", leading.headline.title, f"{leading.best.name} is", "our model is"]
    return table(head, rows)


def _standing_of(analysis: Analysis, name: str) -> str:
    if name not in [standing.name for standing in analysis.standings]:
        return "not measured"
    place = _place_of(analysis, name)
    level = any(standing.name == name for standing in analysis.not_shown_worse())
    if name == analysis.best.name:
        return place
    return f"{place}, {'no difference to the best shown' if level else 'shown to be worse'}"


def _place_of(analysis: Analysis, name: str) -> str:
    """A place among all, or among those measured so far where others are planned."""
    there = {standing.name for standing in analysis.standings}
    asked = planned(analysis.protocol, analysis.task)
    is_whole = all(c.name in there for c in asked if c.family != "oracle")
    if not is_whole and len(there) == 1:
        return "the only one measured"
    place = ordinal(analysis.place(name))
    return f"{place} of {len(there)}" if is_whole else f"{place} of the {len(there)} measured"


def _everything(leading: Sequence[Analysis]) -> str:
    """Contenders that were measured on every task: one model for all."""
    if len(leading) < 2:
        return ""
    shared = [
        standing.name
        for standing in leading[0].standings
        if all(standing.name in [s.name for s in other.standings] for other in leading[1:])
    ]
    if not shared:
        return ""
    rows = [[name, *(f"{a.place(name)} of {len(a.standings)}" for a in leading)] for name in shared]
    head = ["contender", *(page_of(a) + f", {a.task}" for a in leading)]
    return sections(
        "## One model for all of these",
        "Those that answer every question above, and their places. Each place is of a model that "
        "was tuned and trained for that question, not of one trained model that answers all:",
        table(head, rows),
    )


def _who(answers: str) -> str:
    """Those who are named: what each is, what it is told, and how it is run."""
    rows = [[c.name, c.about] for c in CONTENDERS if c.about and _names(answers, c.name)]
    if not rows:
        return ""
    return sections(
        "## Who they are",
        table(["contender", "what it is, and what it is told besides ratings"], rows),
        "Every row is run by `recsys benchmark run --protocols P --contenders NAME`.",
    )


def _names(text: str, name: str) -> bool:
    """Whether a text has a name as code, in bold or at the beginning of a cell."""
    return re.search(rf"(`|\*\*|\| ){re.escape(name)}(`|\*\*| \|| \(\d)", text) is not None

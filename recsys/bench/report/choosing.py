"""One page that says which model to choose; every name, figure and sentence follows from data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from recsys.bench.contender import Task
from recsys.bench.contenders import CONTENDERS
from recsys.bench.contenders.rating import DATED
from recsys.bench.report.analysis import TASKS, Analysis, Standing, mean_of
from recsys.bench.report.asides import sentences
from recsys.bench.report.claims import RULE, ordinal, said
from recsys.bench.report.markdown import GENERATED, code, number, seconds, sections, table
from recsys.bench.report.metric import FIT_SECONDS, SCORE_SECONDS
from recsys.bench.report.provenance import listed, planned

QUESTIONS: Mapping[Task, str] = MappingProxyType(
    {
        "warm": "Which movies next, for users and movies with ratings?",
        "cold": "Which of the movies that nobody has rated yet?",
        "fold-in": "Which movies, for somebody who just named a few they like?",
        "rating": "How many stars would a user give?",
    }
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
    answers = sections(
        _summary(leading),
        *(_section(task, found) for task, found in by_task.items() if found),
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


def _summary(leading: Sequence[Analysis]) -> str:
    rows = [
        [
            QUESTIONS[analysis.task],
            f"**{analysis.best.name}**",
            number(analysis.best.mean, analysis.headline.digits),
            _alternative(analysis),
            _page_of(analysis),
        ]
        for analysis in leading
    ]
    head = ["question", "best", "NDCG@10 or RMSE", "cheapest not shown to be worse", "measured on"]
    return table(head, rows)


def _page_of(analysis: Analysis) -> str:
    return f"[{analysis.protocol}](protocols/{analysis.protocol}.md)"


def _alternative(analysis: Analysis) -> str:
    cheapest = quickest(analysis)
    fit = seconds(mean_of(cheapest.document, FIT_SECONDS)[0])
    return f"{cheapest.name} ({fit} s to fit)"


def quickest(analysis: Analysis) -> Standing:
    """Of the best and all from which no difference of it is shown, the one that fits fastest."""
    return min(
        analysis.not_shown_worse(),
        key=lambda standing: (_fit(standing), analysis.place(standing.name)),
    )


def _fit(standing: Standing) -> float:
    return mean_of(standing.document, FIT_SECONDS)[0]


def _section(task: Task, found: Sequence[Analysis]) -> str:
    leading, others = found[0], found[1:]
    return sections(
        f"## {QUESTIONS[task]}",
        " ".join((_recommendation(leading), _cheaper(leading), _ours(leading))).strip(),
        _undated(leading),
        *sentences(leading),
        _elsewhere(leading, others),
    )


def _recommendation(analysis: Analysis) -> str:
    best, count = analysis.best, len(analysis.standings)
    if count == 1:
        return f"Only `{best.name}` was measured on {_page_of(analysis)}."
    figure = f"{analysis.headline.title}: {number(best.mean, analysis.headline.digits)}"
    where = f"the best mean of {count} on {_page_of(analysis)} ({figure})"
    level = [s.name for s in analysis.not_shown_worse() if s.name != best.name]
    if not level:
        beaten = "the other" if count == 2 else f"all {count - 1} others"
        return f"Take `{best.name}`: {where}, shown to be better than {beaten}."
    named = code(level[:_MANY]) + (f" and {len(level) - _MANY} more" if len(level) > _MANY else "")
    return (
        f"`{best.name}` has {where}; it is the best of these means, which flatters it. No "
        f"difference from it is shown for {named}."
    )


def _cheaper(analysis: Analysis) -> str:
    best, cheap = analysis.best, quickest(analysis)
    if cheap.name == best.name:
        faster = any(_fit(s) < _fit(best) for s in analysis.standings)
        slower = "; all that fit faster are shown to be worse" if faster else ""
        return f"It fits in {seconds(_fit(best))} s{slower}."
    score = seconds(mean_of(cheap.document, SCORE_SECONDS)[0])
    ranks = any(run.row.ranking for run in cheap.document.runs)
    scores = "scores all users" if ranks else "predicts the test ratings"
    return (
        f"Of these `{cheap.name}` fits fastest, in {seconds(_fit(cheap))} s against "
        f"{seconds(_fit(best))} s, and {scores} in {score} s: take it where that matters."
    )


def _undated(analysis: Analysis) -> str:
    """What to take where nobody knows what the best is told."""
    best, digits = analysis.best.name, analysis.headline.digits
    if not _knows_the_day(best):
        return ""
    told = (
        f"`{best}` is told the day on which the test rating was given, which nobody knows when "
        "serving."
    )
    other = next((s for s in analysis.standings if not _knows_the_day(s.name)), None)
    if other is None:
        return f"{told} So is everybody else here."
    figure = f"{analysis.headline.title}: {number(other.mean, digits)}"
    return f"{told} To serve, take `{other.name}`, the best that is not told it ({figure})."


def _knows_the_day(name: str) -> bool:
    contender = listed(name)
    return contender is not None and DATED in contender.about


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
            _page_of(other),
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
    head = ["contender", *(_page_of(a) + f", {a.task}" for a in leading)]
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

"""What to take for each question, in a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from recsys.benchmark.contender import Task
from recsys.benchmark.contenders.rating import DATED
from recsys.benchmark.report.analysis import OURS, Analysis, Standing, mean_of
from recsys.benchmark.report.asides import Aside
from recsys.benchmark.report.markdown import number, seconds, sections, table
from recsys.benchmark.report.metric import FIT_SECONDS
from recsys.benchmark.report.provenance import listed

QUESTIONS: Mapping[Task, str] = MappingProxyType(
    {
        "warm": "Which movies next, for users and movies with ratings?",
        "cold": "Which of the movies that nobody has rated yet?",
        "fold-in": "Which movies, for somebody who just named a few they like?",
        "rating": "How many stars would a user give?",
    }
)
FASTER = 1.5
"""Fits of one model differ by less than this factor on a machine that others use too."""

WORTH = 5.0
"""Seconds of a fit: to save fewer is not worth a lower mean."""

_BESIDE: Mapping[str, str] = MappingProxyType(
    {"overall.ndcg@10": "… in one list with the movies that have ratings?"}
)
SECONDS = (
    "Seconds are of a fit on one thread, on a machine that others used too: factors of "
    f"{FASTER:g} and less mean nothing. Where content is read, it was encoded before."
)
_LEVEL = (
    "*Level with the best* is who is not shown to be worse and whose mean is within the standard "
    "deviation of the best's figures over test parts."
)


def summary(leading: Sequence[Analysis], beside: Mapping[Task, Sequence[Aside]]) -> str:
    """A row a question, and one for each figure beside the headline by which another is better.

    Args:
        leading: the analysis that decides, of each task.
        beside: who is better by another figure, of each task.
    """
    rows = [row for analysis in leading for row in _rows(analysis, beside[analysis.task])]
    head = ["question", "take", "NDCG@10 or RMSE", "because", "measured on"]
    told = (
        f"{SECONDS} {_LEVEL}"
        if any("level with" in cell for row in rows for cell in row)
        else SECONDS
    )
    return sections(table(head, rows), told) if rows else ""


def _rows(analysis: Analysis, beside: Sequence[Aside]) -> Iterator[list[str]]:
    taken, where = to_take(analysis), page_of(analysis)
    figure = number(taken.mean, analysis.headline.digits)
    because = _because(analysis, taken) + _without_content(analysis, taken)
    yield [QUESTIONS[analysis.task], f"**{taken.name}**", figure, because, where]
    for aside in beside:
        figure = number(aside.mean, aside.metric.digits)
        yield [_question(aside), f"**{aside.name}**", figure, _better(analysis, aside), where]


def page_of(analysis: Analysis) -> str:
    """A link to the page of its protocol."""
    return f"[{analysis.protocol}](protocols/{analysis.protocol}.md)"


def to_take(analysis: Analysis) -> Standing:
    """The best that can be served, unless one that is level with it fits much faster.

    What is not shown to be worse may be worse by much, where test parts are few: level is who is
    besides within the spread of the best's own figures.
    """
    best = servable(analysis) or analysis.best
    level = [
        s
        for s in analysis.not_shown_worse()
        if not knows_the_day(s.name) and abs(s.mean - best.mean) <= best.spread
    ]
    quick = min(level, key=lambda s: (fit_of(s), analysis.place(s.name)), default=best)
    return quick if is_much_faster(quick, best) else best


def is_much_faster(one: Standing, other: Standing) -> bool:
    """By a factor that means something, and by seconds that somebody would wait for."""
    return FASTER * fit_of(one) < fit_of(other) and fit_of(other) - fit_of(one) > WORTH


def servable(analysis: Analysis) -> Standing | None:
    """The best that is not told the day of the rating asked for; None where all are."""
    return next((s for s in analysis.standings if not knows_the_day(s.name)), None)


def knows_the_day(name: str) -> bool:
    """Whether a contender is told when the rating that it predicts was given."""
    contender = listed(name)
    return contender is not None and DATED in contender.about


def reads_content(name: str) -> bool:
    """Whether a contender needs the modalities of movies."""
    contender = listed(name)
    if contender is None:
        return False
    told = contender.about
    return contender.modality is not None or "content" in told or "modalities" in told


def fit_of(standing: Standing) -> float:
    """Seconds of a fit, the mean of the runs."""
    return mean_of(standing.document, FIT_SECONDS)[0]


def _because(analysis: Analysis, taken: Standing) -> str:
    best, count = analysis.best, len(analysis.standings)
    if taken.name == best.name:
        if count == 1:
            return "the only one measured"
        beats_all = len(analysis.not_shown_worse()) == 1
        return f"best of {count}" + (", shown to be better than all others" if beats_all else "")
    figure = f"`{best.name}` ({number(best.mean, analysis.headline.digits)})"
    if knows_the_day(best.name) and servable(analysis) == taken:
        return f"the best that can be served: {figure} is told the day of the rating asked for"
    fits = f"{seconds(fit_of(taken))} s against {seconds(fit_of(best))} s"
    return f"level with the best, {figure}, and fits in {fits}"


def _without_content(analysis: Analysis, taken: Standing) -> str:
    """The best that reads no content, where what is taken does; "" where there is none."""
    unread = (s for s in analysis.standings if not reads_content(s.name))
    other = next((s for s in unread if not knows_the_day(s.name)), None)
    if other is None or not reads_content(taken.name):
        return ""
    return f"; without content: `{other.name}` ({number(other.mean, analysis.headline.digits)})"


def _question(aside: Aside) -> str:
    path = aside.metric.path
    likes = path.rpartition("likes=")[2]
    return _BESIDE.get(path) or f"… who named {likes}?"


def _better(analysis: Analysis, aside: Aside) -> str:
    worse = f"`{analysis.best.name}` ({number(aside.of_best, aside.metric.digits)})"
    chance = number(aside.of_chance, aside.metric.digits)
    below = f"; `{OURS}` is below chance ({chance})" if aside.below_chance else ""
    return f"shown to be better than {worse}, the best above{below}"

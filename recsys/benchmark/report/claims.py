"""Sentences that are printed only where a test supports them."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.benchmark.report.analysis import Analysis
from recsys.benchmark.report.markdown import code
from recsys.benchmark.report.statistics import LEVEL, Comparison, Verdict

RULE = (
    f"*Shown* is a difference where the paired t-test has p < {LEVEL:g}, corrected for everything "
    "that was compared, and the 95 % bootstrap interval over users lies on the same side of 0. "
    "Everything else reads *no difference shown*, which is not *equal*: there may be too few test "
    "parts to tell.\n\n"
    "The correction is Holm's: of our model for all comparisons with it; of anybody else, who is "
    "looked at because of their figures on test, for all pairs of contenders. Where the pairs of "
    "the test are test parts, these are drawn anew from the same ratings or are folds of them, and "
    "t is corrected by the ratio of test to training ratings as well (Nadeau and Bengio, *Machine "
    "Learning* 52, 2003). Wilcoxon's signed-rank test, corrected by Holm for the comparisons of "
    "its table, stands beside it and decides nothing: of ten pairs its smallest p is 0.002, times "
    "the number of comparisons. "
    "In tables of figures ± is the standard deviation over test parts, or over trainings where "
    "there is one test part."
)


def claims(name: str, comparisons: Sequence[Comparison]) -> str:
    """What is shown of one contender, as a list; "" where it was compared with nothing."""
    lines = [
        _line(name, comparisons, "better", "is shown to be better than"),
        _line(name, comparisons, "worse", "is shown to be worse than"),
        _line(name, comparisons, "no difference shown", "has no difference shown from"),
    ]
    return "".join(f"- {line}\n" for line in lines if line)


def _line(name: str, comparisons: Sequence[Comparison], verdict: Verdict, says: str) -> str:
    others = [c.second for c in comparisons if c.verdict == verdict]
    return f"`{name}` {says} {code(others)}." if others else ""


def headline(analysis: Analysis) -> str:
    """Who is best, how far our model is from the best rival, and whether that is shown."""
    ours, rival = analysis.ours, analysis.rival
    if ours is None:
        best, count = analysis.best.name, len(analysis.standings)
        return f"Our model was not measured here; the best of {count} is `{best}`."
    place = f"`{ours.name}` is {ordinal(analysis.place(ours.name))} of {len(analysis.standings)}"
    found = analysis.versus(ours.name, rival.name) if rival else None
    if rival is None or found is None:
        return f"{place}; no rival was measured on the same test parts."
    far = (
        f"{found.difference:+.4f} {analysis.headline.title} against the best rival, `{rival.name}`"
    )
    return f"{place}: {far}; {said(found)}."


def said(found: Comparison) -> str:
    """A verdict within a sentence."""
    if found.verdict == "no difference shown":
        return "no difference is shown"
    return f"it is shown to be {found.verdict}"


def ordinal(place: int) -> str:
    """A place in words: 1st, 2nd, 3rd, 4th."""
    suffix = (
        "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    )
    return f"{place}{suffix}"

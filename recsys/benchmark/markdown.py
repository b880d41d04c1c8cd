"""Small pieces of Markdown: what the templates of the pages are given."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final

MISSING: Final = "–"
_NUMBERS: Final = re.compile(r"[-+–<±…., \de]+")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A GitHub table, columns of numbers aligned to the right; "" without rows.

    Args:
        head: the headings.
        rows: the cells; a column in which every cell is a dash is left out.
    """
    body = list(rows)
    if not body:
        return ""
    shown = [c for c in range(len(head)) if any(row[c] != MISSING for row in body)]
    numeric = [all(_NUMBERS.fullmatch(row[c].strip("*")) for row in body) for c in range(len(head))]
    rule = ["---:" if is_numeric else "---" for is_numeric in numeric]
    lines = ([row[c] for c in shown] for row in (list(head), rule, *body))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def aligned(text: str) -> str:
    """A table of lines of cells between bars, the headings first; blank lines count for nothing."""
    lines = (re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.strip())
    head, *rows = ([cell.strip() for cell in line] for line in lines)
    return table(head, rows)


def number(value: float | None, digits: int = 4) -> str:
    """A figure, a dash where there is none."""
    return MISSING if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def spread(mean: float, deviation: float, digits: int = 4) -> str:
    """``mean ± deviation``, without the latter where there is none."""
    if math.isnan(mean) or math.isnan(deviation):
        return number(mean, digits)
    return f"{mean:,.{digits}f} ± {deviation:,.{digits}f}"


def seconds(value: float) -> str:
    """A duration to three digits at most."""
    if math.isnan(value):
        return MISSING
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def p_value(value: float) -> str:
    """Two significant digits."""
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def code(names: Iterable[str]) -> str:
    """Names one after the other."""
    return ", ".join(f"`{name}`" for name in names)


def ordinal(place: int) -> str:
    """A place in words: 1st, 2nd, 3rd, 4th."""
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{'th' if place % 100 in (11, 12, 13) else suffix}"


def tidied(text: str) -> str:
    """A page with one empty line between its parts, however its template left them."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(map(str.rstrip, text.splitlines()))).strip() + "\n"

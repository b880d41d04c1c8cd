"""Summaries of data sets and splits, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from recsys.cli import output

if TYPE_CHECKING:
    from recsys.data.bad_rows import RowReport
    from recsys.data.describe import DatasetSummary
    from recsys.data.splits import SplitSummary


def print_summary(summary: DatasetSummary) -> None:
    """All there is to say of a data set."""
    low, high = summary.scale
    facts = {
        "from": summary.origin,
        "ratings": f"{summary.ratings:,}, {low:g} to {high:g}, mean {summary.mean:.2f}",
        "users": f"{summary.users:,}",
        "movies": f"{summary.items:,}, {summary.rated_items:,} of them rated",
        "density": f"{summary.density:.2%}",
        "times": f"{summary.first} to {summary.last}" if summary.first else "none",
    }
    _print_pairs(summary.name, ("what", "value"), facts)
    _print_counts("\nratings", "stars", summary.histogram)
    _print_counts("\ngenres", "genre", summary.genres)
    shares = {name: f"{share:.1%}" for name, share in summary.shares.items()}
    _print_pairs("\nknown of the movies", ("what", "share"), shares, right=True)
    twins = {title: ", ".join(ids) for title, ids in summary.twins.items()}
    _print_pairs("\nfilms that are listed more than once", ("film", "ids"), twins)


def print_rows(rows: RowReport) -> None:
    """What became of the rows of a file; the counts add up to the last one."""
    counts = {"good": rows.good, **rows.counts, "total": rows.total}
    _print_counts(str(rows.source), "rows", counts)


def print_split(summary: SplitSummary) -> None:
    """The sizes of the parts."""
    heads = ("ratings", "users", "movies")
    table = output.new_table("part", *heads, right=heads)
    for name, part in summary.parts.items():
        table.add_row(name, f"{part.ratings:,}", f"{part.users:,}", f"{part.items:,}")
    output.print_table(table, f"{summary.name}, seed {summary.seed}")
    others = {
        "users without test": f"{summary.users_without_test:,}",
        "cold movies, test": f"{summary.cold_items:,}",
        "cold movies, valid": f"{summary.cold_valid_items:,}",
        "fingerprint": summary.fingerprint,
    }
    _print_pairs("\nand", ("what", "value"), others)


def _print_counts(title: str, what: str, counts: Mapping[str, int]) -> None:
    shown = {name: f"{count:,}" for name, count in counts.items()}
    _print_pairs(title, (what, "count"), shown, right=True)


def _print_pairs(
    title: str, heads: tuple[str, str], pairs: Mapping[str, str], *, right: bool = False
) -> None:
    if not pairs:
        return
    table = output.new_table(*heads, right=heads[1:] if right else ())
    for name, value in pairs.items():
        table.add_row(name, value)
    output.print_table(table, title)

"""Where words go: results to standard output, messages to standard error.

Colours appear on a terminal only, and not where ``NO_COLOR`` is set.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_UNWRAPPED = 10_000


Format = Literal["table", "json", "csv"]
"""How a result is written."""

DocumentFormat = Literal["table", "json"]
"""How a result is written that has no rows."""


def console(*, stderr: bool = False) -> Console:
    """A console; where it is no terminal, lines are as long as they need to be."""
    from rich.console import Console

    made = Console(
        stderr=stderr,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=stderr,
    )
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _UNWRAPPED
    return made


def new_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table with a heading a column; those named in ``right`` are aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(Text(column), justify=justify, overflow="fold")
    return made


def print_table(table: Table, title: str = "") -> None:
    """A table on standard output below its title, without spaces at the end of a line."""
    from rich.text import Text

    shown = console()
    with shown.capture() as captured:
        if title:
            shown.print(Text(title, style="bold"), soft_wrap=True)
        shown.print(table)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip(), color=True)


def print_rows(
    heads: Sequence[str],
    rows: Iterable[Iterable[str | Text]],
    title: str = "",
    right: Sequence[str] = (),
) -> None:
    """A table of rows of text below its title."""
    table = new_table(*heads, right=right)
    for row in rows:
        table.add_row(*row)
    print_table(table, title)


def print_pairs(
    heads: tuple[str, str], pairs: Mapping[str, str], title: str = "", *, right: bool = False
) -> None:
    """A table of names and values, the values aligned to the right where they are numbers."""
    print_rows(heads, pairs.items(), title, heads[1:] if right else ())


def print_counts(what: str, counts: Mapping[str, int], title: str) -> None:
    """A table of how many there are of each, if there is anything."""
    if counts:
        shown = {name: f"{count:,}" for name, count in counts.items()}
        print_pairs((what, "count"), shown, title, right=True)


def show(answer: Any, format_: DocumentFormat, as_tables: Callable[[Any], None]) -> None:
    """An answer on standard output: one JSON document, or what a function prints of it."""
    if format_ == "table":
        as_tables(answer)
    else:
        print_json(answer.model_dump(mode="json") if hasattr(answer, "model_dump") else answer)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def print_csv(header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A heading and what rows have under it on standard output; lists are joined by bars."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        cells = (row[name] for name in header)
        writer.writerow("|".join(cell) if isinstance(cell, list) else cell for cell in cells)


def complain(message: str) -> None:
    """What went wrong, on standard error."""
    from rich.text import Text

    console(stderr=True).print(Text.assemble(("error: ", "bold red"), message))


def note(message: str) -> None:
    """What a reader should know besides the result, on standard error."""
    typer.echo(f"note: {message}", err=True)


def say(topic: str, message: str, seconds: float | None = None) -> None:
    """What was done, on standard error, perhaps with how long it took."""
    took = "" if seconds is None else f"  [{seconds:.1f} s]"
    typer.echo(f"{topic:<9} {message}{took}", err=True)


@contextmanager
def busy(message: str) -> Iterator[None]:
    """A sign of life on a terminal while something takes its time."""
    with console(stderr=True).status(message):
        yield


@contextmanager
def progress(message: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; what it yields is told how many are done, and of how many."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    shown = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task(message, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

"""A bar on a terminal or in a notebook while a model is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(epochs: int, done: int) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """A bar that is told the record of every epoch; nothing where nobody would see it.

    Args:
        epochs: how many are planned.
        done: how many are behind us.
    """
    console = Console(stderr=True)
    shown = console.is_terminal or console.is_jupyter
    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("epoch {task.completed:.0f}/{task.total:.0f} {task.fields[status]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task("training", total=epochs, completed=done, status="")

        def advance(record: Mapping[str, float]) -> None:
            valid = {k: v for k, v in record.items() if k.startswith("valid/")}
            progress.update(task, advance=1)
            if valid:
                shown = (f"{k.removeprefix('valid/')} {v:.4f}" for k, v in valid.items())
                progress.update(task, status=" ".join(shown))

        yield advance

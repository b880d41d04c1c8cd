"""``recsys doctor``."""

from __future__ import annotations

from typing import Final

import typer

from recsys.cli import output
from recsys.cli.checks import Check, Status, run_checks
from recsys.cli.options import DEFAULT_BUNDLE, BundleOption, DataOption, DocumentFormatOption
from recsys.cli.output import DocumentFormat

_STYLES: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.PROBLEM: "bold red"}


def doctor(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    data: DataOption = None,
    format_: DocumentFormatOption = DocumentFormat.TABLE,
) -> None:
    """Say what works here, what is missing, and what to do.

    A warning is something optional; a problem ends with the exit code of its kind.
    """
    with output.busy("looking"):
        checks = run_checks(bundle, data)
    if format_ is DocumentFormat.JSON:
        documents = [
            {"name": c.name, "status": c.status, "found": c.found, "advice": c.advice}
            for c in checks
        ]
        output.print_json({"schema_version": 1, "checks": documents})
    else:
        _print_table(checks)
    failed = [check.exit_code for check in checks if check.status is Status.PROBLEM]
    if failed:
        raise typer.Exit(failed[0])


def _print_table(checks: list[Check]) -> None:
    from rich.text import Text

    table = output.new_table("", "what", "found", "what to do")
    for check in checks:
        status = Text(check.status, style=_STYLES[check.status])
        table.add_row(status, check.name, check.found, check.advice)
    output.print_table(table)

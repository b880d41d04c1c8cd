"""How verbs become an application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import typer
from typer.core import TyperCommand

from recsys.cli.errors import boundary

_CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Verb(TyperCommand):
    """A command whose errors end in a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with boundary(debug=bool(ctx.find_root().params.get("debug"))):
            return super().invoke(ctx)


def new_app(summary: str) -> typer.Typer:
    """An application that shows its help when it is asked for nothing."""
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        context_settings=_CONTEXT,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def add_verb(app: typer.Typer, name: str, run: Callable[..., None], example: str) -> None:
    """Add a verb; its docstring is its help, the example stands at the end."""
    add = app.command(name, cls=Verb, epilog=f"Example: {example}", context_settings=_CONTEXT)
    add(run)

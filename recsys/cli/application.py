"""How verbs become an application, and what ends a command: one paragraph and an exit code.

==== ==============================
0    done
1    a bug
2    usage or configuration
3    data
4    bundle
5    the network is needed and is off
130  interrupted
==== ==============================
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from typer.core import TyperCommand

import recsys
from recsys.cli.output import complain
from recsys.errors import ConfigError, RecsysError

INTERRUPTED: Final = 130
BUG: Final = 1


@contextmanager
def boundary(debug: bool = False) -> Iterator[None]:
    """Turn whatever a command raises into a message and an exit code.

    Args:
        debug: show the traceback of errors that are nobody's bug too.

    Raises:
        typer.Exit: with the code.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, BrokenPipeError):  # typer knows what becomes of them
        raise
    except KeyboardInterrupt:
        complain("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except (RecsysError, OSError) as error:
        if debug:
            traceback.print_exc()
        known = error if isinstance(error, RecsysError) else _refused(error)
        complain(str(known))
        raise typer.Exit(known.exit_code) from None
    except Exception:
        traceback.print_exc()
        complain(f"this is a bug in recsys {recsys.__version__}; please report the lines above")
        raise typer.Exit(BUG) from None


def _refused(error: OSError) -> ConfigError:
    """A path that the system does not let us use is the user's to correct."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return ConfigError(what, hint="check the path, its permissions and the disk")


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

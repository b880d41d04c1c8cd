"""What ends a command: one paragraph and an exit code.

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

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

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
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        complain("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except RecsysError as error:
        raise typer.Exit(_explained(error, debug)) from None
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever read our output has stopped; typer knows how
            raise
        raise typer.Exit(_refused(error, debug)) from None
    except Exception:
        traceback.print_exc()
        complain(
            f"this is a bug in recsys {recsys.__version__}; please report it with the lines above"
        )
        raise typer.Exit(BUG) from None


def _explained(error: RecsysError, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    complain(str(error))
    return error.exit_code


def _refused(error: OSError, debug: bool) -> int:
    """A path that the system does not let us use is the user's to correct."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return _explained(ConfigError(what, hint="check the path, its permissions and the disk"), debug)

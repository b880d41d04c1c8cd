"""The programs ``recsys`` and ``recommend``.

Heavy libraries are imported by the verbs that need them, so that ``--help`` is quick.
"""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

import recsys
from recsys.cli import answers, benchmark, config, data, doctor, evaluate, features, train, tune
from recsys.cli.application import add_verb, new_app
from recsys.cli.options import option

SUMMARY: Final = """Movie recommendation: train, measure, recommend, explain.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 a bug, 2
usage or configuration, 3 data, 4 bundle, 5 network needed but offline, 130 interrupted."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"recsys {recsys.__version__}")
        raise typer.Exit


def recsys_command(
    version: Annotated[
        bool,
        option("--version", "Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
    debug: Annotated[
        bool, option("--debug", "Show the traceback of an error.", envvar="RECSYS_DEBUG")
    ] = False,
) -> None:
    """Take the options that stand before the verb; they are read from the context."""


def make_app() -> typer.Typer:
    """The program ``recsys`` with all its verbs."""
    app = new_app(SUMMARY)
    app.callback()(recsys_command)
    add_verb(app, "train", train.train, "recsys train --split ro --seed 2020 --out runs/ro")
    add_verb(app, "models", train.models, "recsys models")
    add_verb(app, "tune", tune.tune, "recsys tune --space joint --trials 50 --out runs/tuned")
    add_verb(app, "evaluate", evaluate.evaluate, "recsys evaluate --bundle runs/ro --baselines")
    add_verb(app, "recommend", answers.recommend, f"recsys {answers.RECOMMEND_EXAMPLE}")
    add_verb(app, "similar", answers.similar, 'recsys similar "Toy Story" --k 5')
    add_verb(app, "movie", answers.movie, 'recsys movie "Heat (1995)"')
    add_verb(app, "predict", answers.predict, 'recsys predict --user 42 "Heat (1995)"')
    app.add_typer(data.app, name="data")
    app.add_typer(features.app, name="features")
    app.add_typer(benchmark.app, name="benchmark")
    app.add_typer(config.app, name="config")
    add_verb(app, "doctor", doctor.doctor, "recsys doctor --format json")
    return app


def main() -> None:
    """Entry point of ``recsys``."""
    _accept_any_encoding()
    make_app()(prog_name="recsys")


def recommend_main() -> None:
    """Entry point of ``recommend``, which is that verb alone."""
    _accept_any_encoding()
    app = new_app("")
    add_verb(app, "recommend", answers.recommend, answers.RECOMMEND_EXAMPLE)
    app(prog_name="recommend")


def _accept_any_encoding() -> None:
    """A title that a terminal cannot show must not end the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


if __name__ == "__main__":
    main()

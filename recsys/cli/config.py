"""``recsys config show|validate|list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli import output
from recsys.cli.application import add_verb, new_app
from recsys.cli.options import SetOption, argument

app = new_app("Show, check and list configurations of experiments.")


def show(
    *,
    source: Annotated[
        str, argument("NAME|FILE", "A shipped configuration or a YAML file.")
    ] = "default",
    changes: SetOption = None,
) -> None:
    """Print a configuration as YAML, every default spelt out."""
    from recsys.config.loading import dump_experiment, load_experiment

    typer.echo(dump_experiment(load_experiment(source, changes or [])), nl=False)


def validate(
    file: Annotated[Path, argument("FILE", "A YAML file.")],
) -> None:
    """Check a configuration file.

    Unknown keys are named with the nearest known one, unusable values with what is expected.
    """
    from recsys.config.loading import load_experiment

    experiment = load_experiment(file)
    typer.echo(f"{file} is valid: experiment {experiment.name}, {experiment.fingerprint[:12]}")


def list_() -> None:
    """List the configurations that come with the program."""
    from recsys.resources import names, read_text

    first = {name: read_text("configs", name).partition("\n")[0] for name in names("configs")}
    told = {name.removesuffix(".yaml"): line.lstrip("# ") for name, line in first.items()}
    output.print_pairs(("name", "what it is"), told)


add_verb(app, "show", show, "recsys config show default --set training.epochs=20")
add_verb(app, "validate", validate, "recsys config validate my.yaml")
add_verb(app, "list", list_, "recsys config list")

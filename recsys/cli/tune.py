"""``recsys tune``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recsys.cli import options, output, stages
from recsys.cli import train as training
from recsys.cli.options import option
from recsys.errors import MissingExtra

if TYPE_CHECKING:
    from recsys.benchmark.tuning import Budget
    from recsys.benchmark.tuning_report import TuningDocument
    from recsys.config.experiment import ExperimentConfig

DEFAULT_TRIALS: Final = 30
_SHOWN: Final = 5


def tune(
    *,
    config: training.ConfigOption = "default",
    space: Annotated[
        str,
        option("--space NAME|FILE", "A shipped search space (joint), or a YAML file of one."),
    ] = "joint",
    trials: Annotated[
        int | None, option("--trials N", "Most, in all runs. Default: 30 without --seconds.", min=1)
    ] = None,
    seconds: Annotated[
        float | None, option("--seconds S", "No trial starts after S, all runs together.", min=1)
    ] = None,
    changes: options.SetOption = None,
    split: training.SplitOption = None,
    seed: training.SeedOption = None,
    data: options.DataOption = None,
    out: Annotated[
        Path, option("--out DIR", "Receives the study, tuning.json and best.yaml, for --config.")
    ] = Path("runs/tuned"),
    resume: Annotated[
        bool, option("--resume", "Go on with the study in DIR, if there is one.")
    ] = False,
    format_: options.DocumentFormatOption = "table",
) -> None:
    """Search for the configuration that validates best.

    Every trial is trained on the training part of the split and evaluated on its validation part,
    by training.monitor; the test part is not looked at. Interrupted or killed, a study goes on with
    --resume. A search space has lines such as
    'training.learning_rate: {low: 0.001, high: 0.02, log: true}'.
    """
    training.require_library("joint")
    if find_spec("optuna") is None:
        raise MissingExtra("optuna", "tune")
    given = {"split.name": split, "seed": seed, "split.seed": seed}
    experiment = training.resolved(config, training.overrides(given, changes), data)
    from recsys.benchmark.tuning import Budget

    if trials is None and seconds is None:
        trials = DEFAULT_TRIALS
    try:
        found = _run(experiment, space, Budget(trials=trials, seconds=seconds), data, out, resume)
    except KeyboardInterrupt:
        output.note(f"the study in {out} goes on with --resume")
        raise
    output.say("best", f"{out / 'best.yaml'}, of {_spent(found)}")
    output.show(found, format_, _print)


def _run(
    experiment: ExperimentConfig,
    space: str,
    budget: Budget,
    data: Path | None,
    out: Path,
    resume: bool,
) -> TuningDocument:
    import optuna

    from recsys.benchmark.tuning_study import TuningStudy
    from recsys.config.search import load_space

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    tuning = TuningStudy(experiment, load_space(space), out, resume)
    if tuning.trials:
        output.say("study", f"{len(tuning.trials)} trials are in {out}")
    split = stages.ready_split(experiment, data)
    return tuning.run(split, budget, _say_trial)


def _say_trial(found: TuningDocument) -> None:
    """How the last trial ended."""
    trial, budget = found.trials[-1], found.budget.trials
    score = "" if trial.score is None else f", score {trial.score:.4f}"
    best = ", the best so far" if trial.number == found.best else ""
    reason = f": {trial.reason}" if trial.reason else ""
    done = f"{found.spent.trials}" + ("" if budget is None else f" of {budget}")
    text = f"number {trial.number} {trial.state}{score}{best}{reason} ({done})"
    output.say("trial", text, trial.seconds)


def _spent(found: TuningDocument) -> str:
    return f"{found.spent.trials} trials in {found.spent.seconds:.0f} s"


def _print(found: TuningDocument) -> None:
    """The best trials side by side, and what each key is worth."""
    best = found.ranked()[:_SHOWN]
    heads = [f"trial {trial.number}" for trial in best]
    rows = [
        ("score", *(f"{trial.score:.4f}" for trial in best)),
        *((name, *(f"{trial.metrics[name]:.4f}" for trial in best)) for name in found.monitor),
        ("seconds", *(f"{trial.seconds or 0:.1f}" for trial in best)),
        *((key, *(_value(trial.values[key]) for trial in best)) for key in found.space.root),
    ]
    split = found.split
    title = f"best on valid of split {split.name}, seed {split.seed}, of {_spent(found)}"
    output.print_rows(("", *heads), rows, title, heads)
    if found.importance:
        shares = {key: f"{share:.1%}" for key, share in found.importance.items()}
        typer.echo()
        output.print_pairs(("what sets the good ones apart", "share"), shares, right=True)


def _value(value: object) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)

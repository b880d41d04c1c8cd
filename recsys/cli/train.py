"""``recsys train|models``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from recsys.cli import options, output, scores, stages
from recsys.cli.options import DEFAULT_BUNDLE, OnBadRow, option
from recsys.cli.output import DocumentFormat
from recsys.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from recsys.config.experiment import ExperimentConfig
    from recsys.evaluation.report import EvaluationDocument
    from recsys.recommenders.joint.training.log import RunOptions
    from recsys.recommenders.registry import ModelEntry

ConfigOption = Annotated[
    str, option("--config NAME|FILE", "One of 'recsys config list', or a YAML file.")
]
SplitOption = Annotated[
    str | None,
    option("--split NAME", f"{options.SPLITS} (nothing is tested)."),
]
SeedOption = Annotated[
    int | None,
    option("--seed N", "Of training and split; --set seed=N or split.seed=N wins over it."),
]


def train(
    *,
    model: Annotated[
        str,
        option("--model NAME", "One of 'recsys models'; --set l2=300 sets a hyper-parameter."),
    ] = "joint",
    config: ConfigOption = "default",
    changes: options.SetOption = None,
    split: SplitOption = None,
    seed: SeedOption = None,
    data: options.DataOption = None,
    on_bad_row: Annotated[
        OnBadRow | None,
        option("--on-bad-row [error|quarantine]", "Refuse bad rows, or set them aside."),
    ] = None,
    out: Annotated[
        Path,
        option("--out DIR", "The bundle; a complete new one replaces the one that is there."),
    ] = DEFAULT_BUNDLE,
    resume: Annotated[
        bool, option("--resume", "Go on where a training of DIR was cut off; else start anew.")
    ] = False,
    format_: options.DocumentFormatOption = "table",
) -> None:
    """Train a model, evaluate it, and keep it as a bundle.

    It is evaluated on the test part of its split, which training never sees. The log goes to
    DIR.log.jsonl and, where TensorBoard is installed, to DIR.tensorboard; while training lasts, its
    state and its log are in DIR.checkpoint. --split ro --seed 2020 is the split that RecBole makes
    with seed 2020.
    """
    given = {"split.name": split, "seed": seed, "split.seed": seed, "data.on_bad_row": on_bad_row}
    experiment = resolved(config, overrides(given, changes), data, model)
    require_library(model)
    _show(_run(experiment, data, out, resume), format_)


def require_library(model: str) -> None:
    """Refuse to start where a library that fitting needs is missing.

    Raises:
        MissingExtra: it is.
        ConfigError: there is no such model.
    """
    from recsys.recommenders.registry import create

    facts = create(model).facts
    if facts.library and find_spec(facts.library) is None:
        raise MissingExtra(facts.library, facts.extra or "train")
    if model == "joint" and find_spec("sklearn") is None:
        raise MissingExtra("scikit-learn", "train")


def overrides(options: Mapping[str, object], changes: list[str] | None) -> list[str]:
    """What options say of the configuration, as --set takes it, and what --set says after that."""
    given = {key: value for key, value in options.items() if value is not None}
    return [*(f"{key}={json.dumps(value)}" for key, value in given.items()), *(changes or [])]


def resolved(
    config: str, changes: list[str], data: Path | None, model: str = "joint"
) -> ExperimentConfig:
    """The experiment that the options describe.

    Where the configuration does not choose a data set, and ``data`` holds another than the default
    one, that is what is meant.

    Raises:
        ConfigError: it is not a valid one.
        DataError: ``data`` holds no data set.
    """
    from recsys.config.experiment import DataConfig, RecommenderConfig
    from recsys.config.loading import load_experiment
    from recsys.recommenders.registry import configured, parsed

    own, others = ([], changes) if model == "joint" else _divided(changes)
    experiment = load_experiment(config, others)
    if data is not None and experiment.data.name == DataConfig().name:
        name = json.dumps(_name_of_data(experiment.data.name, data))
        experiment = load_experiment(config, [*others, f"data.name={name}"])
    if model == "joint":
        return experiment
    chosen = RecommenderConfig(name=model, options=parsed(own))
    configured(model, chosen.options)  # refused before any work
    return experiment.model_copy(update={"recommender": chosen, "name": model})


def _divided(changes: list[str]) -> tuple[list[str], list[str]]:
    """Changes of the model's own hyper-parameters, and of the experiment around it."""
    around = ("name", "seed", "data", "sources", "split", "features", "evaluation")
    own = [c for c in changes if c.partition("=")[0].strip().split(".")[0] not in around]
    return own, [c for c in changes if c not in own]


def _name_of_data(name: str, folder: Path) -> str:
    from recsys.data.sources import find_dataset

    try:
        return find_dataset(name, folder).name
    except DataError:
        found = find_dataset(None, folder).name
    output.note(f"{folder} holds {found}, not {name}: {found} is what is read")
    return found


def beside(bundle: Path, ending: str) -> Path:
    """A file next to a bundle, which itself holds nothing but its own files."""
    whole = bundle.resolve()
    folder = bundle.parent if bundle.name == whole.name else whole.parent  # "." is its own parent
    return folder / f"{whole.name}{ending}"


def _run(
    experiment: ExperimentConfig, data: Path | None, out: Path, resume: bool
) -> EvaluationDocument | None:
    """Train, evaluate and write the bundle; the evaluation, where the split has a test part."""
    from recsys.bundle.writing import require_replaceable

    require_replaceable(out.resolve())
    name = experiment.recommender.name
    if name != "joint":
        if resume:
            output.note(f"{name} is fitted in one go: there is nothing to resume")
        return _fitted(experiment, data, out)
    from recsys.recommenders.joint.training.devices import device_of
    from recsys.recommenders.joint.training.log import RunOptions

    device_of(experiment.training)  # refused before any work
    checkpoint, log = beside(out, ".checkpoint"), beside(out, ".log.jsonl")
    live = checkpoint / stages.LIVE_LOG
    run = RunOptions(live, beside(out, ".tensorboard"), checkpoint, resume)
    with stages.resumable(checkpoint, resume):
        found = _fitted(experiment, data, out, run)
    live.replace(log)
    stages.clear(checkpoint)
    output.say("log", str(log))
    return found


def _fitted(
    experiment: ExperimentConfig, data: Path | None, out: Path, run: RunOptions | None = None
) -> EvaluationDocument | None:
    from recsys import workflow
    from recsys.bundle.loading import read_manifest
    from recsys.recommenders.joint.recommender import JointRecommender

    split = stages.ready_split(experiment, data, features=workflow.reads_content(experiment))
    model = workflow.model_of(experiment, run)
    if isinstance(model, JointRecommender):
        stages.say_training(experiment)
        stages.say_trained(model.fit(split), experiment.training.monitor)
    else:
        with output.busy(f"fitting {model.name}"):
            model.fit(split)
        output.say("fitted", f"{model.name}, {model.parameters:,} numbers", model.fit_seconds)
    started = time.perf_counter()
    found = workflow.save(model, out, experiment, split)
    measured = "evaluated on test and " if found else ""
    what = f"{out} ({read_manifest(out).label}), {measured}verified"
    output.say("bundle", what, time.perf_counter() - started)
    return found


def _show(found: EvaluationDocument | None, format_: DocumentFormat) -> None:
    if found is None:
        output.note("the split has no test part, so nothing was evaluated")
    if found is not None or format_ == "json":
        output.show(found, format_, scores.print_evaluation)


def models(*, format_: options.DocumentFormatOption = "table") -> None:
    """List the models that 'recsys train --model' makes, and what each can be asked.

    What cannot be trained here, for want of a library, can be loaded and asked all the same.
    """
    from recsys.recommenders.registry import MODELS

    output.show([_described(entry) for entry in MODELS.values()], format_, _print_models)


def _print_models(known: list[dict[str, Any]]) -> None:
    rows = (
        (
            f"{model['name']}[:MODALITY]" if model["by_modality"] else model["name"],
            model["summary"],
            model["payload"],
            ", ".join(model["answers"]),
            _needed(model),
        )
        for model in known
    )
    output.print_rows(("name", "what it is", "made of", "answers", "to train it"), rows)


def _described(entry: ModelEntry) -> dict[str, Any]:
    from recsys.recommenders.registry import create

    model = create(entry.name)
    more = {"by_modality": entry.by_modality, "installed": entry.is_available}
    return {"name": entry.name, **asdict(model.facts), "answers": model.answers(), **more}


def _needed(model: dict[str, Any]) -> str:
    if model["library"] is None:
        return "nothing more"
    return "installed" if model["installed"] else f"pip install 'recsys[{model['extra']}]'"

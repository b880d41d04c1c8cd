"""The functions of the front door: train, evaluate and encode in one call each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recsys.config.experiment import EvaluationConfig, ExperimentConfig, RecommenderConfig
from recsys.config.loading import load_experiment, with_values
from recsys.data.dataset import Dataset
from recsys.data.split import Split
from recsys.evaluation.evaluate import Evaluator
from recsys.recommenders.base import Recommender
from recsys.recommenders.registry import create

if TYPE_CHECKING:
    from recsys.evaluation.frame import EvaluationFrame


def encode(dataset: Dataset, config: str | Path = "default") -> Dataset:
    """The same data set, its movies with the modalities that a configuration names.

    Args:
        dataset: whose movies.
        config: a shipped configuration (titles and metadata, with "default") or a YAML file.

    Raises:
        DataError: a source is missing or cannot be used as it is.
        ConfigError: there is no such configuration.
        MissingExtra: a library that encoding needs is not installed.
    """
    from recsys.workflow import extract_features

    return dataset.with_catalogue(extract_features(load_experiment(config), dataset).catalogue)


def train(
    model: str = "joint",
    split: Split | None = None,
    *,
    config: str | Path = "default",
    **options: Any,
) -> Recommender:
    """A fitted model.

    Args:
        model: its name in the registry.
        split: what it is fitted on; that of the configuration, read and encoded, unless given. A
            model that reads content gets the configuration's modalities where the movies of the
            split have none.
        config: a shipped configuration or a YAML file.
        options: hyper-parameters; those of ``joint`` are dotted keys, as in
            ``**{"training.epochs": 20}``.

    Raises:
        RecsysError: a name, a value or the data cannot be used.
    """
    from recsys import workflow

    experiment = _experiment(model, config, options)
    if split is None:
        return workflow.train(experiment)
    if workflow.reads_content(experiment) and not split.catalogue.modalities:
        split = split.with_catalogue(encode(split.dataset, config).catalogue)
    return workflow.model_of(experiment).fit(split)


def _experiment(model: str, config: str | Path, options: dict[str, Any]) -> ExperimentConfig:
    experiment = load_experiment(config)
    if model == "joint":
        return with_values(experiment, options, "options")
    chosen = RecommenderConfig(name=model, options=options)
    return experiment.model_copy(update={"recommender": chosen})


def evaluate(
    models: Recommender | str | Iterable[Recommender | str],
    split: Split,
    *,
    part: Literal["test", "valid"] = "test",
    ks: tuple[int, ...] = (5, 10, 20),
) -> EvaluationFrame:
    """How well models do, as a frame; its method ``paired`` tests them in pairs.

    Args:
        models: fitted ones, and names or unfitted ones, which are fitted on the split first.
        split: whose train part is the users' histories.
        part: what is to be predicted.
        ks: list lengths.

    Raises:
        DataError: the split has no such part.
        RecsysError: a model cannot be fitted.
    """
    from recsys.evaluation.frame import EvaluationFrame

    config = EvaluationConfig(ks=ks)
    on = Evaluator.on_test if part == "test" else Evaluator.on_valid
    evaluator = on(split, config)
    given = [models] if isinstance(models, str | Recommender) else list(models)
    return EvaluationFrame.of([evaluator.evaluate(_fitted(one, split)) for one in given])


def _fitted(model: Recommender | str, split: Split) -> Recommender:
    if isinstance(model, str):
        return create(model).fit(split)
    return model if model.is_fitted else model.fit(split)

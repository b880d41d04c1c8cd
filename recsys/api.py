"""The functions of the front door: train, evaluate and encode in one call each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import ValidationError

from recsys.config.experiment import EvaluationConfig, RecommenderConfig
from recsys.config.loading import load_experiment, with_values
from recsys.data.dataset import Dataset
from recsys.data.split import Split
from recsys.errors import ConfigError
from recsys.evaluation.evaluate import Evaluator
from recsys.recommenders.base import Recommender
from recsys.recommenders.registry import create, entry_of

if TYPE_CHECKING:
    from recsys.evaluation.frame import EvaluationFrame

_MAKE_SPLIT = 'make one: recsys.make_split(dataset, "ro")'


def encode(dataset: Dataset, config: str | Path = "default") -> Dataset:
    """The same data set, its movies with the modalities that a configuration names.

    Args:
        dataset: whose movies.
        config: a shipped configuration (titles and metadata, with "default") or a YAML file.

    Raises:
        DataError: a source is missing or cannot be used as it is.
        ConfigError: there is no such configuration, or this is no data set.
        MissingExtra: a library that encoding needs is not installed.
    """
    from recsys.workflow import extract_features

    _require(dataset, Dataset, 'open one: recsys.load_dataset("ml-100k")')
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

    entry_of(model)
    if split is not None:
        _require(split, Split, _MAKE_SPLIT)
    experiment = load_experiment(config)
    if model == "joint":
        experiment = with_values(experiment, options, "options")
    else:
        chosen = RecommenderConfig(name=model, options=options)
        experiment = experiment.model_copy(update={"recommender": chosen})
    if split is None:
        return workflow.train(experiment)
    if workflow.reads_content(experiment) and not split.catalogue.modalities:
        split = split.with_catalogue(encode(split.dataset, config).catalogue)
    return workflow.model_of(experiment).fit(split)


def evaluate(
    models: Recommender | str | Iterable[Recommender | str],
    split: Split,
    *,
    part: Literal["test", "valid"] = "test",
    ks: Iterable[int] | int = (5, 10, 20),
) -> EvaluationFrame:
    """How well models do, as a frame; its method ``paired`` tests them in pairs.

    Args:
        models: fitted ones, and names or unfitted ones, which are fitted on the split first.
        split: whose train part is the users' histories.
        part: what is to be predicted.
        ks: list lengths.

    Raises:
        DataError: the split has no such part.
        ConfigError: there is no such part, or what is given are no models, split or list lengths.
        RecsysError: a model cannot be fitted.
    """
    from recsys.evaluation.frame import EvaluationFrame

    _require(split, Split, _MAKE_SPLIT)
    if part not in ("test", "valid"):
        raise ConfigError(f"there is no part {part!r}", hint="it is 'test' or 'valid'")
    try:
        config = EvaluationConfig(ks=tuple(ks) if isinstance(ks, Iterable) else (ks,))
    except ValidationError as error:
        raise ConfigError(f"ks is {ks!r}", hint=error.errors()[0]["msg"]) from None
    evaluator = (Evaluator.on_test if part == "test" else Evaluator.on_valid)(split, config)
    alone = isinstance(models, str | Recommender) or not isinstance(models, Iterable)
    given: list[Any] = [models] if alone else list(cast(Iterable[Any], models))
    if not given:
        raise ConfigError("there are no models to evaluate")
    return EvaluationFrame.of([evaluator.evaluate(_fitted(one, split)) for one in given])


def _fitted(model: Any, split: Split) -> Recommender:
    if isinstance(model, str):
        return create(model).fit(split)
    if not isinstance(model, Recommender):
        raise ConfigError(f"{model!r:.60} is no model", hint='such as "ease" or models.Ease()')
    return model if model.is_fitted else model.fit(split)


def _require(given: Any, kind: type, hint: str) -> None:
    if not isinstance(given, kind):
        what = f"a {kind.__name__} is needed, not a {type(given).__name__}"
        raise ConfigError(what, hint=hint)

"""A model to a bundle and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from recsys.bundle import (
    Bundle,
    BundleContents,
    DatasetRecord,
    Provenance,
    load_bundle,
    write_bundle,
)
from recsys.config.experiment import DataConfig, ExperimentConfig, RecommenderConfig, SplitConfig
from recsys.data.split import Source, SplitSpec
from recsys.errors import BundleError, ConfigError
from recsys.evaluation.report import EvaluationDocument
from recsys.recommenders.base import Recommender
from recsys.recommenders.registry import configured, entry_of


def save(
    model: Recommender,
    path: str | Path,
    experiment: ExperimentConfig | None = None,
    metrics: EvaluationDocument | None = None,
) -> Path:
    """Write a fitted model as a bundle.

    Args:
        model: of the registry, fitted.
        path: the folder to make; a bundle that is there is replaced once the new one is complete.
        experiment: which data, features and split it was trained with; what the model remembers of
            these unless given.
        metrics: the evaluation on test, where there was one.

    Raises:
        NotFittedError: the model was not fitted.
        BundleError: something other than a bundle is at ``path``, or the disk refuses.
    """
    if not isinstance(path, str | Path):
        raise BundleError(f"{path!r} is no folder", hint="name the folder to make")
    write_bundle(path, contents_of(model, experiment, metrics), restore)
    return Path(path)


def load(path: str | Path) -> Bundle:
    """The bundle in a folder, verified, its model restored.

    Raises:
        BundleError: see ``recsys.bundle.load_bundle``.
    """
    return load_bundle(path, restore)


def contents_of(
    model: Recommender,
    experiment: ExperimentConfig | None = None,
    metrics: EvaluationDocument | None = None,
) -> BundleContents:
    """What a bundle of a fitted model holds; see ``save``."""
    if not isinstance(model, Recommender):
        raise ConfigError(f"{model!r} is no model", hint="fit one: recsys.models.create('ease')")
    context, facts = model.context, model.facts
    about = f"{facts.summary} ({facts.reference})" if facts.reference else facts.summary
    return BundleContents(
        model=model.name,
        about=about,
        config=_told(model, experiment or _remembered(model)),
        context=context,
        arrays=model.arrays(),
        provenance=Provenance.of(_dataset(model), model.source, context.catalogue),
        metrics=metrics,
    )


def restore(contents: BundleContents) -> Recommender:
    """The model of a bundle."""
    kind = entry_of(contents.model)[0].load()
    chosen = contents.config.recommender
    config = contents.config if chosen.name == "joint" else configured(chosen.name, chosen.options)
    record = contents.provenance
    source = Source(
        record.dataset.name,
        SplitSpec(
            record.split.name, record.split.seed, record.split.params, record.dataset.fingerprint
        ),
        record.split.fingerprint,
    )
    model = kind.restore(config, contents.arrays, source, contents.context)
    model.name = contents.model
    return model


def options_of(model: Recommender) -> dict[str, bool | int | float | str | None]:
    """The hyper-parameters that are not the defaults of the model's registry entry."""
    usual = configured(model.name, {})
    fields = dataclasses.fields(model.config)
    values = {f.name: getattr(model.config, f.name) for f in fields}
    return {name: value for name, value in values.items() if value != getattr(usual, name)}


def _told(model: Recommender, experiment: ExperimentConfig) -> ExperimentConfig:
    """The experiment with the hyper-parameters that the model was made with, however it was."""
    if isinstance(model.config, ExperimentConfig):
        return experiment
    chosen = RecommenderConfig(name=model.name, options=options_of(model))
    return experiment.model_copy(update={"recommender": chosen})


def _remembered(model: Recommender) -> ExperimentConfig:
    """The experiment of which a model knows its data and its split alone."""
    spec, own = model.source.spec, isinstance(model.config, ExperimentConfig)
    known = model.config if own else ExperimentConfig(name=model.name)
    data = DataConfig(name=model.source.dataset)
    split = SplitConfig(name=spec.name, seed=spec.seed)
    return known.model_copy(update={"data": data, "split": split})


def _dataset(model: Recommender) -> DatasetRecord:
    """What the ratings are, with the terms of their recipe where one is known."""
    from recsys.data.recipes import load_recipe, recipe_names  # slow: they read data sets

    name = model.source.dataset
    terms = ("licence", "citation", "homepage") if name in recipe_names() else ()
    told = {term: getattr(load_recipe(name), term) for term in terms}
    return DatasetRecord(name=name, fingerprint=model.source.spec.dataset, **told)

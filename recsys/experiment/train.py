"""Train the joint model on prepared data, judge it, and keep it as a bundle."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.bundle.contents import BundleContents
from recsys.bundle.manifest import DatasetRecord, Manifest, Provenance
from recsys.bundle.writing import write_bundle
from recsys.data.recipes import load_recipe, recipe_names
from recsys.experiment.evaluate import Candidate, Material, document_of, judge
from recsys.experiment.prepare import Prepared
from recsys.experiment.validation import SplitValidation
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.training.options import RunOptions


@dataclass(frozen=True)
class Trained:
    """A fitted model and what fitting took.

    Attributes:
        recommender: the model.
        seconds: wall-clock time of fitting.
    """

    recommender: JointRecommender
    seconds: float


def train(prepared: Prepared, options: RunOptions | None = None) -> Trained:
    """Fit the joint model; the test part is not touched.

    Args:
        prepared: the material.
        options: where the run writes and whom it tells.

    Raises:
        DataError: the split has no valid part, or see ``JointRecommender.fit``.
        RecsysError: see ``JointRecommender.fit``.
    """
    config, split = prepared.config, prepared.split
    validation = SplitValidation(split, prepared.catalogue, prepared.labels, config.evaluation)
    recommender = JointRecommender(config, lambda *_: validation, options)
    started = time.perf_counter()
    recommender.fit(split.train, split.valid, prepared.catalogue)
    return Trained(recommender, time.perf_counter() - started)


def save(prepared: Prepared, trained: Trained, path: Path) -> Manifest:
    """Judge the model on test, if its split has one, and write the bundle.

    Raises:
        BundleError: ``path`` holds something that is not a bundle.
    """
    split, model = prepared.split, trained.recommender.model
    contents = BundleContents(
        config=prepared.config,
        catalogue=prepared.catalogue,
        histories=split.train,
        seen=split.train.matrix() + split.valid.matrix(),
        model=model,
        tower=trained.recommender.tower,
        provenance=Provenance.of(dataset_record(prepared), split, prepared.catalogue),
    )
    if len(split.test):
        candidate = Candidate(
            contents.label,
            scorer=model,
            predictor=model,
            genres=model.genre_probabilities(),
            audience=model.audience(),
        )
        row = judge(candidate, Material.of(prepared))
        contents = replace(contents, metrics=document_of(row, split))
    return write_bundle(path, contents)


def dataset_record(prepared: Prepared) -> DatasetRecord:
    """What the ratings are, with the terms of their recipe where one is known."""
    dataset = prepared.dataset
    known = dataset.name in recipe_names()
    recipe = load_recipe(dataset.name) if known else None
    return DatasetRecord(
        name=dataset.name,
        fingerprint=dataset.interactions.fingerprint,
        licence=recipe.licence if recipe else "",
        citation=recipe.citation if recipe else "",
        homepage=recipe.homepage if recipe else "",
    )

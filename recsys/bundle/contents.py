"""What a bundle holds, before it is written and after it was read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recsys.bundle.arrays import flattened
from recsys.bundle.manifest import Provenance
from recsys.config.experiment import ExperimentConfig
from recsys.data.files import fingerprint
from recsys.evaluation.report import EvaluationDocument
from recsys.queries.context import Context
from recsys.queries.query import Predictor, Query, Scorer


class Served(Scorer, Predictor, Protocol):
    """A model as a bundle asks it."""

    @property
    def ranks(self) -> bool:
        """Whether it scores all movies for a user."""


@runtime_checkable
class ServedByVectors(Served, Protocol):
    """A model whose scores are inner products."""

    def item_vectors(self) -> NDArray[np.float32]:
        """(I, D) vectors, for an index."""

    def user_vectors(self, query: Query) -> NDArray[np.float32]:
        """(Q, D) vectors."""


@dataclass(frozen=True)
class BundleContents:
    """Everything that is needed to serve a model and to say what it is.

    Attributes:
        model: its name in the registry.
        about: what it is, in a line.
        config: the experiment, resolved; its ``recommender`` names the model.
        context: movies, users, training ratings; facts and content vectors are not stored.
        arrays: what the model learnt.
        provenance: data, split and encoders.
        metrics: the evaluation on test, or None for a model that was not evaluated.
    """

    model: str
    about: str
    config: ExperimentConfig
    context: Context
    arrays: Mapping[str, Any]
    provenance: Provenance
    metrics: EvaluationDocument | None = None

    @cached_property
    def version(self) -> str:
        """A short hash of the trained numbers and of the movies and users they are aligned with."""
        own = self.config.recommender.name == "joint"
        rules = {"user", "fusion"} if own else {"recommender"}
        told = self.config.model_dump(mode="json", include=rules)
        vocabularies = self.context.histories.users, self.context.catalogue.items
        named = [part for item in flattened(self.arrays).items() for part in item]
        aligned = (vocabulary.fingerprint for vocabulary in vocabularies)
        return fingerprint([*aligned, self.model, json.dumps(told, sort_keys=True), *named])[:12]

    @property
    def label(self) -> str:
        """Name and version of the model, as every output states them."""
        return f"{self.model}-{self.version}"

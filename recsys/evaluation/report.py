"""Results as documents: one JSON, from which every table is generated."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, FiniteFloat

from recsys.data.files import atomic_write_text, read_document
from recsys.documents import Document
from recsys.evaluation.environment import Hardware

Metrics = dict[str, FiniteFloat]


class SplitReference(Document):
    """Which split was used.

    Attributes:
        name: "u1", "ro", ...
        seed: the seed it was drawn with; None for one that is not random.
        fingerprint: hash of what it holds.
    """

    name: str
    seed: int | None
    fingerprint: str


class Seconds(Document):
    """Wall-clock seconds of the two halves of a run; ``fit`` is None for a model fitted before."""

    fit: FiniteFloat | None
    score: FiniteFloat


class ResultRow(Document):
    """One model on one split with one seed.

    Attributes:
        model: its name.
        seed: the root seed of its training; None where nothing is random.
        rating: "rmse", "mae", ... or None where it predicts no ratings.
        ranking: "ndcg@10", ... or None where it ranks nothing; over the cold movies alone on a
            split that has some.
        overall: the same over all movies, where ``ranking`` is over the cold ones.
        genre: "macro_f1", ... or None where it knows no genres.
        audience: "rmse", ... of the movies' mean ratings, or None where it predicts none; of the
            cold movies alone on a split that has some.
        seconds: how long fitting and scoring took.
        n_users: users with a relevant item, over whom the ranking is averaged.
        parameters: learnt numbers, or None where that has no meaning.
    """

    model: str
    seed: int | None
    rating: Metrics | None = None
    ranking: Metrics | None = None
    overall: Metrics | None = None
    genre: Metrics | None = None
    audience: Metrics | None = None
    seconds: Seconds
    n_users: int = Field(ge=0)
    parameters: int | None = None


class ResultsDocument(Document):
    """One benchmark: everything needed to read its numbers and to run it again.

    Attributes:
        schema_version: of this document.
        created: the day it was made.
        versions: Python and libraries.
        hardware: what it ran on.
        dataset: fingerprint of the interactions.
        split: which split was used.
        config: fingerprint of the resolved configuration.
        rows: one for each model and seed.
    """

    schema_version: Literal[1] = 1
    created: date
    versions: dict[str, str]
    hardware: Hardware
    dataset: str
    split: SplitReference
    config: str
    rows: list[ResultRow]

    def save(self, path: Path) -> None:
        """Write the document as JSON; a file that is already there is replaced at once or not."""
        atomic_write_text(path, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a document.

        Raises:
            DataError: the file is absent, no JSON, or not a document of this schema version.
        """
        return read_document(cls, path, "results", "run the benchmark again to write it anew")


class RatingScores(Document):
    """Rating errors, in stars."""

    rmse: FiniteFloat
    mae: FiniteFloat


class EvaluationDocument(Document):
    """What ``recsys evaluate --format json`` prints.

    Attributes:
        schema_version: of this document.
        split: which split was evaluated.
        rating: errors in stars, None where the model predicts no ratings.
        ranking: "ndcg@10", "recall@10" and the like; over the cold movies alone on a split that
            has some.
        genre: "macro_f1" and the like, None where the model knows no genres.
        n_users: users with a relevant item.
        model: name of the model.
        overall: ranking over all movies, where ``ranking`` is over the cold ones; None elsewhere.
        audience: "rmse" and the like of the movies' mean ratings, None where none are predicted.
        uncertainty: "nll", "coverage_80", "level_nll", "pit_80" and the like, of the ratings; None
            where only their means are predicted.
    """

    schema_version: Literal[1] = 1
    split: SplitReference
    rating: RatingScores | None
    ranking: Metrics
    genre: Metrics | None
    n_users: int = Field(ge=0)
    model: str
    overall: Metrics | None = Field(default=None, exclude_if=lambda metrics: metrics is None)
    audience: Metrics | None = Field(default=None, exclude_if=lambda metrics: metrics is None)
    uncertainty: Metrics | None = Field(default=None, exclude_if=lambda metrics: metrics is None)

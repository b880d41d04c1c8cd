"""What a benchmark leaves behind: one JSON for each contender under each protocol.

Everything printed about a benchmark is made from these files and from nothing else.

Legend: Q users (or pairs) that were judged.
"""

from __future__ import annotations

import base64
import zlib
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from recsys.data.files import atomic_write
from recsys.errors import DataError
from recsys.evaluation.environment import Hardware
from recsys.evaluation.report import ResultRow, SplitReference

Point = dict[str, bool | int | float | str | None]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Packed(_Document):
    """A vector of float32, compressed: (Q,) values, in ascending order of user."""

    data: str

    @classmethod
    def of(cls, values: NDArray[Any]) -> Self:
        """Compress; what is read back is the values as float32."""
        raw = np.ascontiguousarray(values, dtype="<f4").tobytes()
        return cls(data=base64.b64encode(zlib.compress(raw, 9)).decode("ascii"))

    def values(self) -> NDArray[np.float32]:
        """(Q,) values."""
        raw = zlib.decompress(base64.b64decode(self.data))
        return np.frombuffer(raw, dtype="<f4").astype(np.float32)


class Trial(_Document):
    """One point of a search space, tried on valid.

    Attributes:
        options: the point.
        score: of the protocol's headline metric on valid, higher better; None where it failed.
        seconds: of fitting and scoring.
        failure: why it failed.
    """

    options: Point
    score: FiniteFloat | None
    seconds: FiniteFloat
    failure: str | None = None


class Tuning(_Document):
    """How the options of all runs were chosen: on valid of one seed, which is stated.

    Attributes:
        seed: of the split that was tuned on.
        max_trials: budget; how many points might be tried.
        max_seconds: budget; no trial begins after so many seconds of trials.
        n_points: size of the whole search space.
        trials: those that were made, in their order.
        chosen: the options with the best score.
    """

    seed: int
    max_trials: int
    max_seconds: float
    n_points: int
    trials: list[Trial]
    chosen: Point


class NullFit(_Document):
    """One fit with the chosen options to shuffled ratings, which must come to chance.

    Attributes:
        seed: of the split, of what was shuffled and of the training.
        split: its name.
        seconds: of fitting.
        gates: what it was judged by, see ``recsys.benchmark.null_fit``.
        failure: why it was no chance, and the contender is not ranked; None where it was.
        commit: of the program that made it.
    """

    seed: int
    split: str
    seconds: FiniteFloat
    gates: dict[str, FiniteFloat]
    failure: str | None = None
    commit: str | None = None


class Run(_Document):
    """One fit with the chosen options, and what it came to on test.

    Attributes:
        seed: of the split and the training.
        split: what it was.
        row: metrics, seconds and parameters.
        per_user: "ndcg@10", "recall@10", "squared_error" to one value a judged user.
        peak_mib: highest resident memory of the process, data included, MiB.
        gates: sanity check to the value it was judged by; a run that fails one is not kept.
        commit: of the program that made the run, see ``ContenderDocument``.
        reference: the contender's own figures, where it has an evaluator of its own ("ndcg@10").
        users: rows of the judged users in the order of ``per_user``, by which a user is followed
            from one run to another; None where the rows of different runs are of other users.
    """

    seed: int
    split: SplitReference
    row: ResultRow
    per_user: dict[str, Packed]
    peak_mib: FiniteFloat
    gates: dict[str, FiniteFloat] = Field(default_factory=dict)
    commit: str | None = None
    reference: dict[str, FiniteFloat] = Field(default_factory=dict)
    users: Packed | None = None


class ContenderDocument(_Document):
    """Everything measured of one contender under one protocol.

    Attributes:
        schema_version: of this document.
        created: the day of its last trial or run.
        commit: of the program then, with "+" where its files had changed since; None where unknown.
        versions: Python and libraries.
        hardware: what it ran on.
        dataset: fingerprint of the interactions.
        movies: fingerprint of the movies with their modalities; None where it was not told.
        content: each modality of the movies, to the share of them that have it; None where it was
            not told.
        protocol: its name.
        contender: its name.
        family: of the contender.
        fingerprint: of everything that decides the numbers: contender, space, budget, protocol.
        tuning: how its options were chosen.
        null: a fit to shuffled ratings; None where there is none yet.
        runs: one a seed, in order.
    """

    schema_version: Literal[1] = 1
    created: date
    commit: str | None
    versions: dict[str, str]
    hardware: Hardware
    dataset: str
    movies: str | None = None
    content: dict[str, FiniteFloat] | None = None
    protocol: str
    contender: str
    family: str
    fingerprint: str
    tuning: Tuning
    null: NullFit | None = None
    runs: list[Run]

    @property
    def null_failed(self) -> bool:
        """Whether it finds test ratings after a fit to shuffled ones: its runs mean nothing."""
        return self.null is not None and self.null.failure is not None

    def save(self, path: Path) -> None:
        """Write as JSON; a file that is there is replaced at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a document.

        Raises:
            DataError: the file is absent, or not a document of this schema version.
        """
        if not path.is_file():
            raise DataError(f"there is no benchmark file {path}")
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            found = error.errors(include_url=False)
            raise DataError(
                f"{path} is not a benchmark document of schema version 1",
                rows=[f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in found],
                hint="delete it and run the benchmark again",
            ) from None

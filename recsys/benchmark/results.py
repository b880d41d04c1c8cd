"""What a benchmark leaves behind: one JSON document a model and protocol, read as one tidy table.

Every page is made from these files and from nothing else.

Legend: Q users (or pairs) that were evaluated.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import FiniteFloat, ValidationError

from recsys.data.files import atomic_write
from recsys.documents import Document
from recsys.errors import DataError
from recsys.evaluation.environment import Hardware
from recsys.evaluation.report import SplitReference

HyperParameters = dict[str, bool | int | float | str | None]
Metrics = dict[str, FiniteFloat]

FIXED_TESTS: Final = frozenset({"u1", "u2", "u3", "u4", "u5", "leave-last", "global-time"})
"""Splits whose test part is the same for every seed; see ``recsys.data.splits``."""

COLUMNS: Final = ("protocol", "model", "variant", "fold", "seed", "part", "metric", "value")


class Packed(Document):
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


class Trial(Document):
    """One configuration of a search space, tried on valid.

    Attributes:
        hyper_parameters: the configuration.
        score: of the protocol's headline metric on valid, higher better; None where it failed.
        seconds: of fitting and scoring.
        failure: why it failed.
    """

    hyper_parameters: HyperParameters
    score: FiniteFloat | None
    seconds: FiniteFloat
    failure: str | None = None


class Tuning(Document):
    """How the hyper-parameters of all runs were chosen: on valid of one seed.

    Attributes:
        seed: of the split that was tuned on.
        max_trials: budget of configurations.
        max_seconds: budget of seconds; no trial begins after so many seconds of trials.
        n_configurations: size of the whole search space.
        trials: those that were made, in their order.
        chosen: the hyper-parameters with the best score.
    """

    seed: int
    max_trials: int | None
    max_seconds: float | None
    n_configurations: int
    trials: list[Trial]
    chosen: HyperParameters


class PermutationTest(Document):
    """One fit to shuffled ratings, which must come to chance.

    Attributes:
        seed: of the split, of the shuffling and of the training.
        split: its name.
        seconds: of fitting.
        checks: figures it was checked by, see ``recsys.benchmark.permutation``.
        failure: why it is not chance, and the model is not ranked; None where it is.
        commit: of the program that made it.
    """

    seed: int
    split: str
    seconds: FiniteFloat
    checks: Metrics
    failure: str | None = None
    commit: str | None = None


class Run(Document):
    """One fit with the chosen hyper-parameters, and its figures on test.

    Attributes:
        seed: of the split and the training.
        split: which split it was.
        metrics: "ranking.ndcg@10", "overall.ndcg@10" (over all movies, where ``ranking`` is over
            the cold ones), "rating.rmse", "genre.macro_f1", "audience.rmse", "valid.ndcg@10",
            "weights.text" (mean weight of a modality), "seconds.fit", "seconds.score", "peak_mib",
            "parameters", "epochs", "n_users".
        views: the metrics of the same fitted model looked at otherwise, by name: with some of its
            modalities, or with one σ for all ratings.
        per_user: "ndcg@10", "recall@10", "squared_error" to one value an evaluated user.
        users: rows of these users, by which a user is followed from one run to another; None where
            the rows of different runs are of other users.
        checks: sanity check to its value; a run that fails one is not kept.
        reference: the figures of the library's own evaluator ("ndcg@10"), where it has one.
        commit: of the program that made the run, see ``ModelDocument``.
    """

    seed: int
    split: SplitReference
    metrics: Metrics
    views: dict[str, Metrics] = {}  # noqa: RUF012 - pydantic copies defaults
    per_user: dict[str, Packed] = {}  # noqa: RUF012
    users: Packed | None = None
    checks: Metrics = {}  # noqa: RUF012
    reference: Metrics = {}  # noqa: RUF012
    commit: str | None = None

    def metric(self, name: str) -> float:
        """One figure, NaN where the run has none."""
        return self.metrics.get(name, np.nan)

    @property
    def part(self) -> str:
        """The test part: runs that share it differ in their training alone."""
        fixed = self.split.name in FIXED_TESTS
        return self.split.name if fixed else f"{self.split.name} {self.split.seed}"


class ModelDocument(Document):
    """Everything measured of one model, or of one variant of it, under one protocol.

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
        model: its name.
        variant: which configuration of the model; "" for the one that bears its name alone.
        family: of the model.
        fingerprint: of everything that decides the figures: model, space, budget, protocol.
        tuning: how its hyper-parameters were chosen; None where they are fixed.
        permutation: a fit to shuffled ratings; None where there is none yet.
        runs: one a seed, in order.
    """

    schema_version: Literal[2] = 2
    created: date
    commit: str | None
    versions: dict[str, str]
    hardware: Hardware
    dataset: str
    movies: str | None = None
    content: Metrics | None = None
    protocol: str
    model: str
    variant: str = ""
    family: str
    fingerprint: str
    tuning: Tuning | None = None
    permutation: PermutationTest | None = None
    runs: list[Run]

    @property
    def name(self) -> str:
        """Of its rows: the model, and its variant if it is one."""
        return f"{self.model}, {self.variant}" if self.variant else self.model

    def mean(self, metric: str) -> float:
        """Of one figure over the runs that have it; NaN without any."""
        return float(pd.Series([run.metric(metric) for run in self.runs], dtype=float).mean())

    @property
    def is_ranked(self) -> bool:
        """Whether its runs mean something: it finds no test ratings after a permutation."""
        return self.permutation is None or self.permutation.failure is None

    def save(self, path: Path) -> None:
        """Write as JSON; a file that is there is replaced at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            text = self.model_dump_json(indent=1, exclude_defaults=True)
            head = '{\n "schema_version": 2,' if text.startswith("{\n") else text[0]
            temporary.write_text(head + text[1:] + "\n", encoding="utf-8")

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
                f"{path} is not a benchmark document of schema version 2",
                rows=[f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in found],
                hint="delete it and run the benchmark again",
            ) from None


def file_name(name: str) -> str:
    """The name of a model as one of a file, on any system.

    >>> file_name("ADMMSLIM (RecBole)")
    'admmslim-recbole'
    """
    return re.sub(r"[^a-z0-9.+]+", "-", name.lower()).strip("-")


def load(folder: Path) -> pd.DataFrame:
    """Everything that was measured, as one row a figure: see ``tidy``.

    Raises:
        DataError: see ``read``.
    """
    return tidy(read(folder))


def read(folder: Path) -> list[ModelDocument]:
    """All documents of a results folder, ``folder/<protocol>/<model>.json``, by protocol and name.

    Raises:
        DataError: there is no document; one cannot be read, is not of the protocol of its folder,
            or repeats a model; or data or splits differ within a protocol.
    """
    paths = sorted(folder.glob("*/*.json"))
    if not paths:
        raise DataError(
            f"there are no benchmark documents in {folder}",
            hint="measure something first: recsys benchmark run",
        )
    documents: dict[tuple[str, str], ModelDocument] = {}
    for path in paths:
        document = ModelDocument.load(path)
        key = document.protocol, document.name
        if document.protocol != path.parent.name:
            raise DataError(f"{path} is of protocol {document.protocol!r}", hint="move it there")
        if key in documents:
            raise DataError(f"{path} repeats model {document.name!r}", hint="delete one")
        documents[key] = document
    found = [documents[key] for key in sorted(documents)]
    for protocol in dict.fromkeys(document.protocol for document in found):
        require_comparable([d for d in found if d.protocol == protocol])
    return found


def tidy(documents: Iterable[ModelDocument]) -> pd.DataFrame:
    """A row a figure: protocol, model, variant, fold, seed, part (of test), metric, value.

    Views of a fitted model are variants of their own: "fs-sum, one σ".
    """
    return pd.DataFrame.from_records(list(_rows(documents)), columns=COLUMNS)


def _rows(documents: Iterable[ModelDocument]) -> Iterator[tuple[Any, ...]]:
    for document in documents:
        for run in document.runs:
            for view, metrics in {"": run.metrics, **run.views}.items():
                variant = ", ".join(filter(None, (document.variant, view)))
                key = (document.protocol, document.model, variant, run.split.name, run.seed)
                for metric, value in metrics.items():
                    yield (*key, run.part, metric, value)


def require_comparable(documents: Sequence[ModelDocument]) -> None:
    """Refuse documents of one protocol that are of different data.

    Raises:
        DataError: they are of different ratings, movies or splits.
    """
    splits = [
        (f"splits {run.split.name} {run.split.seed}, seed {run.seed},", d, run.split.fingerprint)
        for d in documents
        for run in d.runs
    ]
    # Documents that do not tell their movies are taken to be of the same.
    movies = [("movies", d, d.movies) for d in documents if d.movies is not None]
    found: dict[str, dict[str, list[str]]] = {}
    for what, document, fingerprint in (
        *(("ratings", d, d.dataset) for d in documents),
        *movies,
        *splits,
    ):
        of_what = found.setdefault(what, {})
        of_what.setdefault(fingerprint, []).append(f"{document.name} ({document.created})")
    for what, names in found.items():
        if len(names) > 1:
            raise DataError(
                f"documents of {documents[0].protocol} are of different {what.rstrip(',')}",
                rows=[f"{key[:12]}: {', '.join(told)}" for key, told in names.items()],
                hint="delete the older documents and run the benchmark again",
            )

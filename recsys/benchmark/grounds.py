"""The material of a protocol: data, divided, and the questions that are asked of it.

Legend: U users, I items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.benchmark.fold_in import COLD_USERS, HEADLINE_LIKES, hold_out_users, newcomers
from recsys.benchmark.protocols import Cell, Protocol
from recsys.config.experiment import EvaluationConfig, ExperimentConfig
from recsys.config.loading import load_experiment
from recsys.config.section import expand
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.files import fingerprint
from recsys.data.interactions import Interactions
from recsys.data.sources import find_dataset, open_dataset
from recsys.data.splits import Split, make_split
from recsys.errors import ConfigError, DataError
from recsys.evaluation.evaluator import RankingTask
from recsys.experiment.measure import Judge, Part
from recsys.experiment.prepare import extract_features
from recsys.queries.query import Query

MAIN = ""
OVERALL = "overall"


class Asked(NamedTuple):
    """Lists that are asked for.

    Attributes:
        task: what is ranked, and what counts as right.
        query: all U users, with what is known of them.
    """

    task: RankingTask
    query: Query


@dataclass(frozen=True)
class Material:
    """A data set, not divided yet.

    Attributes:
        dataset: the ratings and movies as they were read.
        catalogue: the movies with their modalities.
        evaluation: what is reported.
        split_seed: of every division; None for that of its cell.
    """

    dataset: Dataset
    catalogue: Catalogue
    evaluation: EvaluationConfig
    split_seed: int | None = None

    @classmethod
    def of(cls, protocol: Protocol) -> Material:
        """Read a protocol's data; its movies have every modality that the configuration names.

        Raises:
            DataError: the data, or a source of the configuration, is missing or unusable.
        """
        config = configuration(protocol)
        dataset = open_dataset(config.data.name, protocol.folder, config.data.on_bad_row)
        catalogue = extract_features(config, dataset).catalogue
        return cls(dataset, catalogue, config.evaluation, protocol.split_seed)

    @cached_property
    def movies(self) -> str:
        """Fingerprint of the movies: their ids, years, genres and the vectors of their modalities.

        Encoders may fall back and files may change without a word in the configuration.
        """
        catalogue = self.catalogue
        parts: list[str | NDArray[Any]] = [catalogue.items.fingerprint, catalogue.years]
        parts.append(catalogue.genres)
        for name, table in sorted(catalogue.modalities.items()):
            parts += [name, table.vectors, table.present]
        return fingerprint(parts)

    @property
    def content(self) -> dict[str, float]:
        """Each modality to the share of the movies that have it."""
        modalities = sorted(self.catalogue.modalities.items())
        return {name: float(table.present.mean()) for name, table in modalities}

    def ground(self, cell: Cell) -> Ground:
        """Divide it."""
        ratings = self.dataset.interactions
        seed = cell.seed if self.split_seed is None else self.split_seed
        if cell.fold == COLD_USERS:
            held_out = hold_out_users(ratings, seed)
            return Ground(self, held_out.split, held_out.choosing)
        return Ground(self, make_split(ratings, self.dataset.catalogue, cell.fold, seed))


@dataclass(frozen=True)
class Ground:
    """Data that is divided.

    Attributes:
        material: what is divided.
        split: train, valid, test.
        choosing: ratings of users held out to choose by; None where ``valid`` is for that.
    """

    material: Material
    split: Split
    choosing: Interactions | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The movies with their modalities."""
        return self.material.catalogue

    def judge(self, part: Part) -> Judge:
        """The project's rules for one part."""
        return Judge(self.split, part, self.material.evaluation)

    @cached_property
    def refitted(self) -> Ground:
        """The same test, with train and valid to learn from and no valid."""
        whole = joined(self.split.train, self.split.valid)
        empty = whole.select(np.arange(0))
        split = Split(whole, empty, self.split.test, self.split.spec)
        return replace(self, split=split)

    def of_known_users(self, part: Interactions) -> Interactions:
        """Without the ratings of users who have no training rating.

        Nothing is known of them: what they get is no merit of a model that ranks.
        """
        known = self.split.train.user_counts() > 0
        return part.select(np.flatnonzero(known[part.user]))

    def asked(self, part: Part) -> dict[str, Asked]:
        """Every kind of list that is judged, the one of the headline first.

        ``MAIN`` and, on a split with cold movies, ``OVERALL``; "likes=5" and the like for users who
        were not there in training.
        """
        if self.choosing is None:
            return dict(self._usual(part))
        return dict(self._folded_in(self.split.test if part == "test" else self.choosing))

    def _usual(self, part: Part) -> Iterator[tuple[str, Asked]]:
        judge, train = self.judge(part), self.split.train.matrix()
        seen = train + self.split.valid.matrix() if part == "test" else train
        task = self._task(self.of_known_users(judge.truth).matrix(), seen)
        if len(judge.cold):
            yield MAIN, Asked(replace(task, candidates=judge.cold), judge.query)
            yield OVERALL, Asked(task, judge.query)
        else:
            yield MAIN, Asked(task, judge.query)

    def _folded_in(self, ratings: Interactions) -> Iterator[tuple[str, Asked]]:
        found = newcomers(ratings, self.split.spec.seed)
        task = self._task(found.truth, found.drawn)
        for likes in sorted(found.queries, key=lambda n: (n != HEADLINE_LIKES, n)):
            yield f"likes={likes}", Asked(task, found.queries[likes])

    def _task(self, truth: sp.csr_array, seen: sp.csr_array) -> RankingTask:
        rules = self.material.evaluation
        counts = self.split.train.item_counts()
        return RankingTask(truth, seen, None, rules.ks, counts, rules.block)


def joined(first: Interactions, second: Interactions) -> Interactions:
    """The interactions of both, over their common vocabularies."""
    time = None
    if first.time is not None and second.time is not None:
        time = np.concatenate([first.time, second.time])
    names = ("user", "item", "rating")
    columns: dict[str, Any] = {
        n: np.concatenate([getattr(first, n), getattr(second, n)]) for n in names
    }
    return replace(first, **columns, time=time)


def configuration(protocol: Protocol) -> ExperimentConfig:
    """The configuration that a protocol's data is read by: of the first of its bases."""
    return load_experiment(protocol.bases[0], protocol.overrides)


def located(protocol: Protocol) -> Protocol:
    """The protocol with the first of its bases whose data and sources are there.

    Raises:
        DataError: there is none; it says what is missing.
    """
    missing: list[str] = []
    for base in protocol.bases:
        candidate = replace(protocol, bases=(base,))
        lacking = _lacking(candidate)
        if lacking is None:
            return candidate
        missing.append(f"{base}: {lacking}")
    raise DataError(f"its data is not there ({'; '.join(missing)})")


def _lacking(protocol: Protocol) -> str | None:
    """The first thing that a protocol's only base needs and that is not there."""
    config = configuration(protocol)
    try:
        for path in _sources(config):
            if not expand(path).exists():
                return f"there is no {path}"
        find_dataset(config.data.name, protocol.folder)
    except (ConfigError, DataError) as error:
        return error.what.splitlines()[0]
    return None


def _sources(config: ExperimentConfig) -> Iterator[Path]:
    sources = config.sources
    yield from (table.path for table in sources.items)
    yield from (folder.path for folder in (sources.posters, sources.trailers) if folder)
    yield from (source.path for source in sources.features.values())

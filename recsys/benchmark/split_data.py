"""The data of a protocol, split, and the lists that are asked for on it.

Legend: U users, I items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.held_out_users import (
    COLD_USERS,
    HEADLINE_GIVEN,
    held_out_users,
    hold_out_users,
)
from recsys.benchmark.protocols import Protocol, SplitSeed
from recsys.config.experiment import EvaluationConfig, ExperimentConfig
from recsys.config.loading import load_experiment
from recsys.config.section import expand
from recsys.data.dataset import Dataset
from recsys.data.files import fingerprint
from recsys.data.interactions import Interactions
from recsys.data.sources import find_dataset
from recsys.data.split import Split
from recsys.data.splits import make_split
from recsys.errors import ConfigError, DataError
from recsys.evaluation.evaluate import Evaluator, Part
from recsys.evaluation.evaluator import RankingTask
from recsys.queries.query import Query
from recsys.workflow import extract_features, read_dataset

MAIN = ""
OVERALL = "overall"


class Lists(NamedTuple):
    """Lists that are asked for.

    Attributes:
        task: what is ranked, and what counts as right.
        query: all U users, with what is known of them.
    """

    task: RankingTask
    query: Query


@dataclass(frozen=True)
class BenchmarkData:
    """A data set, not split yet.

    Attributes:
        dataset: ratings and movies, with every modality that the configuration names.
        evaluation: what is reported.
        split_seed: of every split; None for that of its run.
    """

    dataset: Dataset
    evaluation: EvaluationConfig
    split_seed: int | None = None

    @classmethod
    def of(cls, protocol: Protocol) -> BenchmarkData:
        """Read a protocol's data.

        Raises:
            DataError: the data, or a source of the configuration, is missing or unusable.
        """
        config = configuration(protocol)
        dataset = read_dataset(config, protocol.folder)
        catalogue = extract_features(config, dataset).catalogue
        return cls(dataset.with_catalogue(catalogue), config.evaluation, protocol.split_seed)

    @cached_property
    def movies(self) -> str:
        """Fingerprint of the movies: their ids, years, genres and the vectors of their modalities.

        Encoders may fall back and files may change without a word in the configuration.
        """
        catalogue = self.dataset.catalogue
        parts: list[str | NDArray[Any]] = [catalogue.items.fingerprint, catalogue.years]
        parts.append(catalogue.genres)
        for name, table in sorted(catalogue.modalities.items()):
            parts += [name, table.vectors, table.present]
        return fingerprint(parts)

    @property
    def content(self) -> dict[str, float]:
        """Each modality to the share of the movies that have it."""
        modalities = sorted(self.dataset.catalogue.modalities.items())
        return {name: float(table.present.mean()) for name, table in modalities}

    def keeping(self, modalities: tuple[str, ...] | None) -> BenchmarkData:
        """The same with movies that have some of their modalities alone; None for all.

        A modality is encoded without looking at the others, so taking its vectors away is what not
        encoding it would be.
        """
        if modalities is None:
            return self
        catalogue = self.dataset.catalogue
        kept = {n: t for n, t in catalogue.modalities.items() if n in modalities}
        dataset = self.dataset.with_catalogue(replace(catalogue, modalities=kept))
        return replace(self, dataset=dataset)

    def split(self, which: SplitSeed) -> SplitData:
        """One split of it; the genre task is divided by the seed of the run."""
        seed = which.seed if self.split_seed is None else self.split_seed
        if which.fold == COLD_USERS:
            return SplitData(self, *hold_out_users(self.dataset, seed, which.seed))
        return SplitData(self, make_split(self.dataset, which.fold, seed, label_seed=which.seed))


@dataclass(frozen=True)
class SplitData:
    """Data that is split.

    Attributes:
        data: what is split.
        split: train, valid, test.
        choosing: ratings of users held out to choose by; None where ``valid`` is for that.
    """

    data: BenchmarkData
    split: Split
    choosing: Interactions | None = None

    def evaluator(self, part: Part) -> Evaluator:
        """The project's rules for one part."""
        on = Evaluator.on_test if part == "test" else Evaluator.on_valid
        return on(self.split, self.data.evaluation)

    def refit_on_train_valid(self) -> SplitData:
        """The same test, with train and valid to learn from and no valid."""
        return replace(self, split=self.split.refit_on_train_valid())

    def of_known_users(self, part: Interactions) -> Interactions:
        """Without the ratings of users who have no training rating.

        Nothing is known of them: what they get is no merit of a model that ranks.
        """
        known = self.split.train.user_counts() > 0
        return part.select(np.flatnonzero(known[part.user]))

    def lists(self, part: Part) -> dict[str, Lists]:
        """Every kind of list that is evaluated, the one of the headline first.

        ``MAIN`` and, on a split with cold movies, ``OVERALL``; "given-5" and the like for held-out
        users.
        """
        if self.choosing is None:
            return dict(self._of_known(part))
        return dict(self._of_held_out(self.split.test if part == "test" else self.choosing))

    def _of_known(self, part: Part) -> Iterator[tuple[str, Lists]]:
        evaluator = self.evaluator(part)
        truth = self.of_known_users(evaluator.truth).matrix()
        if len(evaluator.cold):
            task = replace(evaluator.task(evaluator.cold), truth=truth)
            yield MAIN, Lists(task, evaluator.query)
        task = replace(evaluator.task(), truth=truth)
        yield OVERALL if len(evaluator.cold) else MAIN, Lists(task, evaluator.query)

    def _of_held_out(self, ratings: Interactions) -> Iterator[tuple[str, Lists]]:
        found = held_out_users(ratings, self.split.spec.seed)
        rules, counts = self.data.evaluation, self.split.train.item_counts()
        task = RankingTask(found.truth, found.drawn, None, rules.ks, counts, rules.block)
        for given in sorted(found.queries, key=lambda n: (n != HEADLINE_GIVEN, n)):
            yield f"given-{given}", Lists(task, found.queries[given])


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

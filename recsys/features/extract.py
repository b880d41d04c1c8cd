"""A catalogue in, the same catalogue with its modalities out, and an account of what was done.

Legend: I items.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pkgutil import resolve_name

import numpy as np
from numpy.typing import NDArray

from recsys.config.modalities import MODALITIES, FeaturesConfig, Modality
from recsys.config.section import Section, expand
from recsys.config.sources import SourcesConfig
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.coverage import SourceReport
from recsys.errors import ConfigError, MissingExtra
from recsys.features.alignment import ImportReport, import_modality
from recsys.features.cache import FeatureCache
from recsys.features.jobs import JobOptions, JobReport, extract_files, file_jobs
from recsys.features.media import Encoder, ItemEncoder
from recsys.features.sources import with_sources

BLOCK = 1024
"""Materials encoded between two writes of the cache: what an interrupted run may lose."""


@dataclass(frozen=True)
class ExtractionReport:
    """What encoding one modality came to.

    Attributes:
        modality: its name.
        card: the encoder.
        movies: size of the catalogue.
        present: movies that have the modality.
        encoded: vectors computed now.
        seconds: wall-clock time.
        failed: movies that have a file from which no vector could be made.
    """

    modality: str
    card: EncoderCard
    movies: int
    present: int
    encoded: int
    seconds: float
    failed: int = 0

    @property
    def reused(self) -> int:
        """Movies whose vector was known: cached, imported, or made for equal input."""
        return self.present - self.encoded

    @property
    def coverage(self) -> float:
        """Share of the movies that have the modality."""
        return self.present / self.movies if self.movies else 0.0


@dataclass(frozen=True)
class Origin:
    """What movies belong to.

    Attributes:
        dataset: name of the data set.
        ratings: (I,) ratings of each movie, for reports alone; None where there are none.
    """

    dataset: str = ""
    ratings: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Extraction:
    """A catalogue with its modalities, and how it came to them.

    Attributes:
        catalogue: the movies.
        reports: one a modality.
        facts: one a table of facts.
        files: one a modality that was encoded from files, with a status for each of them.
        imports: one a modality that was imported.
    """

    catalogue: Catalogue
    reports: list[ExtractionReport]
    facts: list[SourceReport]
    files: list[JobReport]
    imports: list[ImportReport]

    def with_table(
        self, table: ModalityTable, encoded: int, started: float, failed: int = 0
    ) -> Extraction:
        """With a modality, in the catalogue where a movie has it and among the reports anyway."""
        present, seconds = int(table.present.sum()), time.perf_counter() - started
        size = len(self.catalogue)
        report = ExtractionReport(table.name, table.card, size, present, encoded, seconds, failed)
        catalogue = self.catalogue.with_modality(table) if present else self.catalogue
        return replace(self, catalogue=catalogue, reports=[*self.reports, report])


def extract(
    catalogue: Catalogue,
    config: FeaturesConfig,
    sources: SourcesConfig | None = None,
    origin: Origin | None = None,
    cache: FeatureCache | None = None,
) -> Extraction:
    """Attach the facts of every source, then make every modality.

    A modality that no movie has is reported and left out of the catalogue.

    Args:
        catalogue: the movies.
        config: how modalities are encoded.
        sources: tables, folders and vectors beside the data set's own; none unless given.
        origin: what the movies belong to.
        cache: where vectors are kept; the user's cache folder unless given.

    Raises:
        ConfigError: a source, a field or an encoder cannot be used, or two make one modality.
        MissingExtra: a library that the configuration needs is not installed.
        OfflineError: weights must be downloaded, and the network is off or out of reach.
        DataError: a file or a folder is missing, or cannot be used as it is.
    """
    sources, origin = sources or SourcesConfig(), origin or Origin()
    store = FeatureCache() if cache is None else cache
    known, facts = with_sources(catalogue, origin.dataset, sources, origin.ratings)
    done = Extraction(known, [], facts, [], [])
    for name, row in MODALITIES.items():
        options = getattr(config, name)
        if options is not None:
            done = _encoded(done, row, options, sources, store)
    for name in sources.features:
        done = _imported(done, name, sources, origin)
    return done


def _encoded(
    done: Extraction,
    row: Modality,
    options: Section,
    sources: SourcesConfig,
    cache: FeatureCache,
) -> Extraction:
    """With one more modality, unless the files that it would be encoded from are not there."""
    started = time.perf_counter()
    files_of, folder = row.files, getattr(sources, row.files.folder) if row.files else None
    if files_of is not None and folder is None:
        return done  # before the libraries of an encoder that has nothing to do are asked for
    with _libraries(row):
        make = partial(resolve_name(row.encoder), options)
        if files_of is None or folder is None:
            table, encoded = encode_cached(make(), done.catalogue, cache)
            return done.with_table(table, encoded, started)
        names = done.catalogue.film_ids if folder.key == "film" else None
        jobs = file_jobs(done.catalogue, expand(folder.path), files_of.suffixes, names)
        files = extract_files(make, jobs, cache, JobOptions(**dict(sources.jobs)))
        done.files.append(files)
        table = files.table(done.catalogue, cache)
        return done.with_table(table, files.encoded, started, files.failed)


@contextmanager
def _libraries(row: Modality) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("recsys"):
            raise
        raise MissingExtra(error.name.partition(".")[0], row.extra) from None


def _imported(done: Extraction, name: str, sources: SourcesConfig, origin: Origin) -> Extraction:
    if name in {report.modality for report in done.reports}:
        raise ConfigError(
            f"modality {name!r} is both encoded and imported",
            hint=f"set features.{name} to null, or leave sources.features.{name} out",
        )
    started = time.perf_counter()
    source = sources.features[name]
    table, alignment = import_modality(name, source, done.catalogue, origin.ratings)
    done.imports.append(alignment)
    return done.with_table(table, 0, started)


def encode_cached(
    encoder: Encoder, catalogue: Catalogue, cache: FeatureCache
) -> tuple[ModalityTable, int]:
    """Vectors of all movies and how many were computed; only new input is encoded.

    An encoder that looks at all movies at once is not cached: with one movie changed, every vector
    may change.
    """
    if not isinstance(encoder, ItemEncoder):
        table = encoder.encode(catalogue)
        return table, int(table.present.sum())
    inputs = encoder.inputs(catalogue)
    known = dict(cache.read(encoder.card))
    new = {m.digest: m for m in inputs if m is not None and m.digest not in known}
    pending = iter(new.items())
    while block := dict(islice(pending, BLOCK)):
        vectors = encoder.encode_inputs(list(block.values()))
        fresh = dict(zip(block, vectors, strict=True))
        cache.add(encoder.card, fresh)
        known |= fresh
    return encoder.table(catalogue, inputs, known), len(new)

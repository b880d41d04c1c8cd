"""A catalogue in, the same catalogue with its modalities out, and an account of what was done.

Legend: I items.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from recsys.config.features import FeaturesConfig
from recsys.config.sources import SourcesConfig
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.source_report import SourceReport
from recsys.errors import ConfigError
from recsys.features.alignment import AlignmentReport
from recsys.features.cache import FeatureCache
from recsys.features.encoder import Encoder, ItemEncoder
from recsys.features.imported import import_modality
from recsys.features.jobs import JobReport
from recsys.features.metadata import MetadataEncoder
from recsys.features.sources import encode_files, with_sources
from recsys.features.text import text_encoder

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
        reused: movies whose vector was known: cached, or made for a movie of equal material.
        seconds: wall-clock time.
        failed: movies that have a file from which no vector could be made.
    """

    modality: str
    card: EncoderCard
    movies: int
    present: int
    encoded: int
    reused: int
    seconds: float
    failed: int = 0

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

    dataset: str
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
    imports: list[AlignmentReport]


def add_features(
    catalogue: Catalogue, config: FeaturesConfig, *, cache: FeatureCache | None = None
) -> tuple[Catalogue, list[ExtractionReport]]:
    """Encode the configured modalities.

    A modality that no movie has is reported and left out of the catalogue.

    Args:
        catalogue: movies with titles, years and facts.
        config: the modalities.
        cache: where vectors are kept; the user's cache folder unless given.

    Raises:
        ConfigError: a field or an encoder that cannot be used.
        MissingExtra: a library that the configuration needs is not installed.
        OfflineError: weights must be downloaded, and the network is off or out of reach.
    """
    store = FeatureCache() if cache is None else cache
    reports = []
    for encoder in list(_encoders(config)):
        started = time.perf_counter()
        table, encoded = encode_cached(encoder, catalogue, store)
        present = int(table.present.sum())
        reports.append(
            ExtractionReport(
                modality=table.name,
                card=table.card,
                movies=len(catalogue),
                present=present,
                encoded=encoded,
                reused=present - encoded,
                seconds=time.perf_counter() - started,
            )
        )
        if present:
            catalogue = catalogue.with_modality(table)
    return catalogue, reports


def extract(
    catalogue: Catalogue,
    config: FeaturesConfig,
    sources: SourcesConfig,
    origin: Origin,
    cache: FeatureCache | None = None,
) -> Extraction:
    """Attach the facts of every source, then make every modality.

    Args:
        catalogue: the movies.
        config: how modalities are encoded.
        sources: tables, folders and vectors beside the data set's own.
        origin: what the movies belong to.
        cache: where vectors are kept; the user's cache folder unless given.

    Raises:
        ConfigError: a source or an encoder cannot be used, or two make one modality.
        DataError: a file or a folder is missing, or cannot be used as it is.
    """
    store = FeatureCache() if cache is None else cache
    known, facts = with_sources(catalogue, origin.dataset, sources, origin.ratings)
    known, reports = add_features(known, config, cache=store)
    files = encode_files(known, config, sources, store)
    for job in files:
        reports.append(_report_of(job, len(known)))
        if job.present:
            known = known.with_modality(job.table(known, store))
    imports = []
    for name, source in sources.features.items():
        if name in {report.modality for report in reports}:
            raise ConfigError(
                f"modality {name!r} is both encoded and imported",
                hint=f"set features.{name} to null, or leave sources.features.{name} out",
            )
        started = time.perf_counter()
        table, alignment = import_modality(name, source, known, origin.ratings)
        known = known.with_modality(table) if alignment.present else known
        seconds = time.perf_counter() - started
        present = alignment.present
        reports.append(ExtractionReport(name, table.card, len(known), present, 0, present, seconds))
        imports.append(alignment)
    return Extraction(known, reports, facts, files, imports)


def _report_of(job: JobReport, movies: int) -> ExtractionReport:
    return ExtractionReport(
        modality=job.modality,
        card=job.card,
        movies=movies,
        present=job.present,
        encoded=job.encoded,
        reused=job.present - job.encoded,
        seconds=job.seconds,
        failed=job.failed,
    )


def _encoders(config: FeaturesConfig) -> Iterator[Encoder]:
    if config.text is not None:
        yield text_encoder(config.text)
    if config.metadata is not None:
        yield MetadataEncoder(config.metadata)


def encode_cached(
    encoder: Encoder, catalogue: Catalogue, cache: FeatureCache
) -> tuple[ModalityTable, int]:
    """Vectors of all movies and how many were computed; only new material is encoded.

    An encoder that looks at all movies at once is not cached: with one movie changed, every vector
    may change.
    """
    if not isinstance(encoder, ItemEncoder):
        table = encoder.encode(catalogue)
        return table, int(table.present.sum())
    materials = encoder.materials(catalogue)
    known = dict(cache.read(encoder.card))
    new = {m.digest: m for m in materials if m is not None and m.digest not in known}
    pending = iter(new.items())
    while block := dict(islice(pending, BLOCK)):
        vectors = encoder.encode_materials(list(block.values()))
        fresh = dict(zip(block, vectors, strict=True))
        cache.add(encoder.card, fresh)
        known |= fresh
    return encoder.table(catalogue, materials, known), len(new)

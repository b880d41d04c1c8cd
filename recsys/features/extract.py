"""A catalogue in, the same catalogue with its modalities out, and an account of what was done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from recsys.config.features import FeaturesConfig
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.features.cache import FeatureCache
from recsys.features.encoder import Encoder, ItemEncoder
from recsys.features.metadata import MetadataEncoder
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
    """

    modality: str
    card: EncoderCard
    movies: int
    present: int
    encoded: int
    reused: int
    seconds: float

    @property
    def coverage(self) -> float:
        """Share of the movies that have the modality."""
        return self.present / self.movies if self.movies else 0.0


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

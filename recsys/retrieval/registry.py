"""Indexes by kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from recsys.errors import ConfigError, did_you_mean
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.faiss_flat import FaissFlatIndex
from recsys.retrieval.index import Index

INDEXES: Mapping[str, type[Index]] = MappingProxyType(
    {index.kind: index for index in (ExactIndex, FaissFlatIndex)}
)


def open_index(kind: str) -> type[Index]:
    """The index of a kind: ``open_index("faiss-flat").build(vectors)``, or ``from_bytes``.

    Raises:
        ConfigError: the kind is unknown; the error names those there are.
    """
    if kind not in INDEXES:
        hint = did_you_mean(kind, INDEXES, f"known: {', '.join(INDEXES)}")
        raise ConfigError(f"unknown index kind {kind!r}", hint=hint)
    return INDEXES[kind]

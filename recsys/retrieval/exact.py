"""The reference: all inner products in NumPy, then the best of them.

Legend: Q queries, I items, D dimensions, k list length, B queries of a block.
"""

from __future__ import annotations

import io
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.errors import BundleError, DataError
from recsys.queries.query import Floats
from recsys.queries.topk import TopK, joined, top_k
from recsys.retrieval.index import Index, checked_vectors

BLOCK_BYTES = 64 * 2**20


def exact_search(
    vectors: Floats, queries: Floats, k: int, eligible: NDArray[np.bool_] | None
) -> TopK:
    """The k best of (I, D) vectors for (Q, D) queries, see ``Index.search``; nothing is checked."""
    columns = vectors.T.astype(np.float64)
    step = max(1, BLOCK_BYTES // (8 * max(1, len(vectors))))
    blocks = []
    for start in range(0, max(len(queries), 1), step):
        block = slice(start, start + step)
        scores = (queries[block].astype(np.float64) @ columns).astype(np.float32)
        if eligible is not None:
            allowed = eligible if eligible.ndim == 1 else eligible[block]
            scores = np.where(allowed, scores, np.float32(-np.inf))
        blocks.append(top_k(scores, k))
    return joined(blocks)


class ExactIndex(Index):
    """Keeps float32 vectors and computes every score at each search."""

    kind: ClassVar[str] = "exact"

    @classmethod
    def build(cls, vectors: NDArray[np.floating[Any]], *, threads: int = 1) -> Self:
        """An index of (I, D) vectors."""
        return cls(checked_vectors(vectors), threads)

    def _search(self, queries: Floats, k: int, eligible: NDArray[np.bool_] | None) -> TopK:
        with threadpool_limits(self._threads, "blas"):
            return exact_search(self._vectors, queries, k, eligible)

    def to_bytes(self) -> bytes:
        """The vectors in NumPy's ``.npy`` format."""
        stream = io.BytesIO()
        np.save(stream, self._vectors, allow_pickle=False)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, *, threads: int = 1) -> Self:
        """The index that ``to_bytes`` wrote.

        Raises:
            BundleError: the bytes are no ``.npy`` file of finite vectors.
        """
        try:
            return cls.build(np.load(io.BytesIO(data), allow_pickle=False), threads=threads)
        except (ValueError, TypeError, EOFError, OSError, DataError) as error:
            raise BundleError(f"not the bytes of an exact index: {error}") from error

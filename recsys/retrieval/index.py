"""What an index promises: the k items whose vectors have the largest inner product with a query.

Legend: Q queries, I items, D dimensions, k list length.

Scores are inner products accumulated in float64 and rounded to float32. So two movies with equal
vectors tie, whatever the order in which a library sums, and the lower row comes first, whichever
index answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.errors import DataError
from recsys.queries.query import Floats
from recsys.queries.topk import TopK

LARGEST = 1e15
"""No coordinate is larger, so that no float32 inner product overflows."""


class Index(ABC):
    """Searches vectors it owns: the caller's arrays are copied, never altered.

    Attributes:
        kind: the name under which ``open_index`` knows it.
    """

    kind: ClassVar[str]

    def __init__(self, vectors: Floats, threads: int) -> None:
        self._vectors = vectors
        self._threads = threads

    @property
    def ntotal(self) -> int:
        """I."""
        return int(self._vectors.shape[0])

    @property
    def dim(self) -> int:
        """D."""
        return int(self._vectors.shape[1])

    @classmethod
    @abstractmethod
    def build(cls, vectors: NDArray[np.floating[Any]], *, threads: int = 1) -> Self:
        """An index of (I, D) vectors.

        Args:
            vectors: one row an item, finite.
            threads: how many threads a search may use.

        Raises:
            DataError: the vectors are no finite matrix with at least one column.
        """

    def search(
        self, queries: NDArray[np.floating[Any]], k: int, eligible: NDArray[np.bool_] | None = None
    ) -> TopK:
        """Exactly ``min(k, eligible items)`` items for each query, the rest is -1.

        Args:
            queries: (Q, D), finite.
            k: length of the lists, at least 1; more than I is no error.
            eligible: (I,) for all queries or (Q, I) for each; all items by default.

        Raises:
            DataError: a shape or type is wrong, or a query is not finite.
            ValueError: ``k`` is below 1.
        """
        if k < 1:
            raise ValueError(f"k is {k}, at least 1 is needed")
        asked = checked_queries(queries, self.dim)
        return self._search(asked, k, checked_eligible(eligible, len(asked), self.ntotal))

    @abstractmethod
    def _search(self, queries: Floats, k: int, eligible: NDArray[np.bool_] | None) -> TopK:
        """As ``search``, of what was checked."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The whole index, for ``from_bytes``."""

    @classmethod
    @abstractmethod
    def from_bytes(cls, data: bytes, *, threads: int = 1) -> Self:
        """The index that ``to_bytes`` wrote.

        Verify a hash of the bytes first: native readers accept altered files.

        Raises:
            BundleError: the bytes are no index of this kind.
        """


def checked_vectors(vectors: NDArray[np.floating[Any]]) -> Floats:
    """A contiguous float32 copy.

    Raises:
        DataError: see ``Index.build``.
    """
    copy = np.array(vectors, dtype=np.float32, order="C")
    if copy.ndim != 2 or copy.shape[1] == 0:
        raise DataError(f"vectors to index have shape {copy.shape}, (items, dim) is needed")
    _require_finite("vectors to index", copy)
    return copy


def checked_queries(queries: NDArray[np.floating[Any]], dim: int) -> Floats:
    """(Q, D) contiguous float32.

    Raises:
        DataError: the shape is not (Q, D) or a query is not finite.
    """
    asked = np.ascontiguousarray(queries, dtype=np.float32)
    if asked.ndim != 2 or asked.shape[1] != dim:
        raise DataError(f"queries have shape {asked.shape}, the index needs (queries, {dim})")
    _require_finite("queries", asked)
    return asked


def _require_finite(what: str, array: Floats) -> None:
    bad = np.flatnonzero(~(np.abs(array) <= LARGEST).all(axis=1))
    if len(bad):
        rows = [f"row {row}" for row in bad[:5]]
        raise DataError(
            f"{len(bad)} {what} are not finite or hold a number beyond {LARGEST:g}",
            rows=rows,
            count=len(bad),
        )


def checked_eligible(
    eligible: NDArray[np.bool_] | None, n_queries: int, n_items: int
) -> NDArray[np.bool_] | None:
    """The mask as it is.

    Raises:
        DataError: it is not boolean, or neither (I,) nor (Q, I).
    """
    if eligible is None:
        return None
    if eligible.dtype != np.bool_ or eligible.shape not in {(n_items,), (n_queries, n_items)}:
        raise DataError(
            f"eligible is {eligible.dtype} of shape {eligible.shape}",
            hint=f"a boolean mask ({n_items},) or ({n_queries}, {n_items}) is needed",
        )
    return eligible

"""FAISS nominates, float64 decides: exact search at FAISS's speed, with ties settled.

A native library sums in float32, and in another order for a batch than for one query, so movies
with equal vectors may differ in the last bits. It is therefore asked for a few more than k. The
nominees are scored again in float64 and sorted by score, then row. Where the score of the last one
is within rounding error of the k-th, something that was not nominated might belong in the list.

Legend: Q queries, I items, D dimensions, k list length, W nominees of a query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recsys.errors import BundleError
from recsys.queries.query import Floats
from recsys.queries.topk import TopK, joined
from recsys.retrieval.exact import exact_search
from recsys.retrieval.index import Index, checked_vectors

# SWIG's generated signatures are not those its Python wrappers accept, hence no static import.
faiss: Any = import_module("faiss")

SPARE = 16
QUERIES_AT_A_TIME = 256


class FaissFlatIndex(Index):
    """An ``IndexFlatIP`` with exact filters and ties that go to the lower row."""

    kind: ClassVar[str] = "faiss-flat"

    def __init__(self, native: Any, threads: int) -> None:
        super().__init__(_view(native), threads)
        self._native = native
        self._longest = float(np.linalg.norm(self._vectors, axis=1).max(initial=0.0))

    @classmethod
    def build(cls, vectors: NDArray[np.floating[Any]], *, threads: int = 1) -> Self:
        """An index of (I, D) vectors, which FAISS copies."""
        own = checked_vectors(vectors)
        native = faiss.IndexFlatIP(own.shape[1])
        native.add(own)
        return cls(native, threads)

    def _search(self, queries: Floats, k: int, eligible: NDArray[np.bool_] | None) -> TopK:
        starts = range(0, max(len(queries), 1), QUERIES_AT_A_TIME)
        parts = [slice(start, start + QUERIES_AT_A_TIME) for start in starts]
        found = [self._search_block(queries[p], k, _part(eligible, p)) for p in parts]
        return joined(found)

    def _search_block(self, queries: Floats, k: int, mask: NDArray[np.bool_] | None) -> TopK:
        width = min(k + SPARE, self.ntotal)
        if width == 0:
            return exact_search(self._vectors, queries, k, mask)
        scores, items = self._nominate(queries, width, mask)
        found = decide(self._vectors, queries, items, k)
        unsure = self._unsure(queries, scores, items, k)
        if len(unsure):
            exact = exact_search(self._vectors, queries[unsure], k, _part(mask, unsure))
            found.items[unsure], found.scores[unsure] = exact.items, exact.scores
        return found

    def _unsure(
        self, queries: Floats, scores: Floats, items: NDArray[np.int64], k: int
    ) -> NDArray[np.int64]:
        if items.shape[1] == self.ntotal:
            return np.empty(0, dtype=np.int64)
        lengths = np.linalg.norm(queries.astype(np.float64), axis=1)
        return np.flatnonzero(undecided(scores, items, k, self.dim * self._longest * lengths))

    def _nominate(
        self, queries: Floats, width: int, mask: NDArray[np.bool_] | None
    ) -> tuple[Floats, NDArray[np.int64]]:
        """(Q, W) scores and rows as FAISS finds them, row -1 where nothing more is eligible."""
        with _faiss_threads(self._threads):
            if mask is None or mask.ndim == 1:
                found = self._native.search(queries, width, params=_filter(mask))
                return found[0], found[1]
            each = [
                self._native.search(query[None], width, params=_filter(allowed))
                for query, allowed in zip(queries, mask, strict=True)
            ]
        empty = np.empty((0, width))
        scores = np.concatenate([empty, *(found[0] for found in each)])
        return scores, np.concatenate([empty, *(found[1] for found in each)]).astype(np.int64)

    def to_bytes(self) -> bytes:
        """FAISS's own format."""
        return bytes(faiss.serialize_index(self._native))

    @classmethod
    def from_bytes(cls, data: bytes, *, threads: int = 1) -> Self:
        """The index that ``to_bytes`` wrote.

        Raises:
            BundleError: FAISS cannot read the bytes, or they hold another kind of index.
        """
        try:
            native = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        except RuntimeError as error:
            raise BundleError(f"not the bytes of a FAISS index: {error}") from error
        if not isinstance(native, faiss.IndexFlatIP):
            raise BundleError(f"a {type(native).__name__}, not the flat FAISS index expected")
        return cls(native, threads)


def _view(native: Any) -> Floats:
    """(I, D) the index's own memory, valid while the index lives."""
    shape = (int(native.ntotal), int(native.d))
    if shape[0] == 0:
        return np.empty(shape, dtype=np.float32)
    view: Floats = faiss.rev_swig_ptr(native.get_xb(), shape[0] * shape[1])
    view.setflags(write=False)
    return view.reshape(shape)


def _filter(mask: NDArray[np.bool_] | None) -> Any:
    if mask is None:
        return None
    bits = np.packbits(mask, bitorder="little")
    return faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))


@contextmanager
def _faiss_threads(count: int) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _part(
    mask: NDArray[np.bool_] | None, queries: slice | NDArray[np.integer[Any]]
) -> NDArray[np.bool_] | None:
    return mask if mask is None or mask.ndim == 1 else mask[queries]


def decide(vectors: Floats, queries: Floats, nominees: NDArray[np.int64], k: int) -> TopK:
    """The k best of (Q, W) nominated rows, by float64 score and then by row; -1 is nobody."""
    theirs = vectors[nominees].astype(np.float64)
    scores = np.einsum("qd,qwd->qw", queries.astype(np.float64), theirs).astype(np.float32)
    scores[nominees < 0] = -np.inf
    order = np.lexsort((nominees, -scores), axis=1)[:, :k]
    each = np.arange(len(order))[:, None]
    items = np.full((len(order), k), -1, dtype=np.int32)
    best = np.full((len(order), k), -np.inf, dtype=np.float32)
    items[:, : order.shape[1]] = nominees[each, order]
    best[:, : order.shape[1]] = scores[each, order]
    return TopK(items, best)


def undecided(
    scores: Floats, nominees: NDArray[np.int64], k: int, magnitude: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(Q,) whether an item that was not nominated might belong among the k best.

    Args:
        scores: (Q, W) float32 scores in descending order, W > k.
        nominees: (Q, W) their rows; -1 says that nothing more was eligible.
        k: length of the lists.
        magnitude: (Q,) D · ‖q‖ · max‖v‖. A float32 sum of D products is within that times the
            machine epsilon of the true one, whatever the order of summation.
    """
    error = magnitude * np.finfo(np.float32).eps
    gap = scores[:, k - 1].astype(np.float64) - scores[:, -1]
    return np.asarray((gap <= 2 * error) & (nominees[:, -1] >= 0))

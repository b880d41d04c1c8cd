"""Searching in small blocks finds the same."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.retrieval import exact, faiss_flat
from recsys.testing.index_contract import vectors_and_queries


@pytest.mark.parametrize("per_query", [False, True])
@pytest.mark.parametrize(
    ("module", "index", "size", "small"),
    [
        (exact, exact.ExactIndex, "BLOCK_BYTES", 8 * 300 * 2),
        (faiss_flat, faiss_flat.FaissFlatIndex, "QUERIES_AT_A_TIME", 2),
    ],
)
def test_blocks_change_nothing(monkeypatch, module, index, size, small, per_query):
    vectors, queries = vectors_and_queries()
    shape = (len(queries), len(vectors)) if per_query else (len(vectors),)
    eligible = np.random.default_rng(0).random(shape) < 0.3
    built = index.build(vectors)
    whole = built.search(queries, 10, eligible)
    monkeypatch.setattr(module, size, small)
    blocks = built.search(queries, 10, eligible)
    np.testing.assert_array_equal(blocks.items, whole.items)
    np.testing.assert_allclose(blocks.scores, whole.scores, rtol=1e-6)

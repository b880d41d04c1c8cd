"""Every index keeps the promises of an index."""

from __future__ import annotations

import pytest

from recsys.errors import BundleError, ConfigError
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.faiss_flat import FaissFlatIndex
from recsys.retrieval.registry import INDEXES, open_index
from recsys.testing.index_contract import IndexContract, vectors_and_queries


class TestExact(IndexContract):
    index = ExactIndex


class TestFaissFlat(IndexContract):
    index = FaissFlatIndex

    def test_a_faiss_index_of_another_kind_is_refused(self):
        import faiss

        other = faiss.serialize_index(faiss.IndexFlatL2(4)).tobytes()
        with pytest.raises(BundleError, match="IndexFlatL2"):
            FaissFlatIndex.from_bytes(other)

    def test_searching_leaves_the_threads_of_faiss_as_they_were(self):
        import faiss

        before = faiss.omp_get_max_threads()
        vectors, queries = vectors_and_queries()
        FaissFlatIndex.build(vectors, threads=before + 1).search(queries, 3)
        assert faiss.omp_get_max_threads() == before


def test_every_kind_opens():
    assert {kind: open_index(kind).kind for kind in INDEXES} == {kind: kind for kind in INDEXES}
    assert open_index("exact") is ExactIndex


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean faiss-flat"):
        open_index("faiss_flat")

"""What every index promises.

Legend: Q queries, I items, D dimensions, k list length.
"""

# ruff: noqa: D102 - the name of a test says what it tests

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.files import fingerprint
from recsys.errors import BundleError, DataError
from recsys.queries.topk import TopK
from recsys.retrieval.index import Index
from recsys.seeding import stream
from recsys.testing.contract import require, require_error

I, D, Q = 300, 12, 7  # noqa: E741 - the letters of the legend


def vectors_and_queries() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(I, D) vectors and (Q, D) queries; always the same."""
    random = stream(0, "index contract")
    vectors = random.normal(size=(I, D)).astype(np.float32)
    return vectors, random.normal(size=(Q, D)).astype(np.float32)


def ranked_by_hand(
    vectors: NDArray[np.floating[Any]],
    query: NDArray[np.floating[Any]],
    k: int,
    eligible: NDArray[np.bool_],
) -> list[int]:
    """The rows that belong in one list, found by sorting everything, padded with -1."""
    scores = (vectors.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    rows = sorted(np.flatnonzero(eligible).tolist(), key=lambda row: (-scores[row], row))
    return (rows + [-1] * k)[:k]


class IndexContract:
    """Tests of an ``Index``."""

    index: type[Index]

    def search(self, k: int, eligible: NDArray[np.bool_] | None = None) -> TopK:
        """A search of the usual vectors for the usual queries."""
        vectors, queries = vectors_and_queries()
        return self.index.build(vectors).search(queries, k, eligible)

    def require_ranked(self, k: int, eligible: NDArray[np.bool_] | None) -> None:
        """Fails unless a search finds what sorting everything finds."""
        vectors, queries = vectors_and_queries()
        found = self.search(k, eligible)
        masks = np.broadcast_to(True if eligible is None else eligible, (Q, I))
        expected = [
            ranked_by_hand(vectors, query, k, mask)
            for query, mask in zip(queries, masks, strict=True)
        ]
        np.testing.assert_array_equal(found.items, expected)
        scores = queries.astype(np.float64) @ vectors.T.astype(np.float64)
        exact = np.take_along_axis(scores, np.maximum(found.items, 0).astype(np.int64), axis=1)
        np.testing.assert_allclose(
            found.scores, np.where(found.items >= 0, exact, -np.inf), rtol=1e-5, atol=1e-5
        )

    def test_index_knows_its_size(self) -> None:
        index = self.index.build(vectors_and_queries()[0])
        require((index.ntotal, index.dim) == (I, D), f"{index.ntotal} vectors of {index.dim}")

    def test_search_gives_int32_rows_and_float32_scores(self) -> None:
        found = self.search(5)
        require(found.items.shape == found.scores.shape == (Q, 5), f"{found.items.shape}")
        require(found.items.dtype == np.int32, f"items are {found.items.dtype}")
        require(found.scores.dtype == np.float32, f"scores are {found.scores.dtype}")

    def test_search_finds_the_best(self) -> None:
        for k in (1, 10, I):
            self.require_ranked(k, None)

    def test_k_beyond_the_index_gives_everything(self) -> None:
        found = self.search(I + 20)
        require((found.items[:, I:] == -1).all(), "rows beyond the index")
        require(np.isneginf(found.scores[:, I:]).all(), "scores beyond the index")
        self.require_ranked(I + 20, None)

    def test_one_filter_for_all_queries(self) -> None:
        for share in (0.01, 0.5, 0.99):
            self.require_ranked(10, stream(1, "filter").random(I) < share)

    def test_a_filter_for_each_query(self) -> None:
        eligible = stream(2, "filters").random((Q, I)) < np.linspace(0, 1, Q)[:, None]
        self.require_ranked(10, eligible)

    def test_a_list_holds_exactly_what_is_eligible(self) -> None:
        for count in (1, 9, 10, 11):
            found = self.search(10, np.arange(I) < count)
            require(((found.items >= 0).sum(axis=1) == min(10, count)).all(), f"{count} eligible")

    def test_nothing_eligible_gives_nothing(self) -> None:
        for eligible in (np.zeros(I, dtype=bool), np.zeros((Q, I), dtype=bool)):
            found = self.search(3, eligible)
            require((found.items == -1).all(), "an item that is not eligible")
            require(np.isneginf(found.scores).all(), "a score of no item")

    def test_ties_go_to_the_lower_row(self) -> None:
        vectors, queries = vectors_and_queries()
        doubled = np.repeat(vectors[:100], 3, axis=0)
        found = self.index.build(doubled).search(queries, 12).items
        for q, query in enumerate(queries):
            expected = ranked_by_hand(doubled, query, 12, np.ones(I, dtype=bool))
            np.testing.assert_array_equal(found[q], expected)

    def test_ties_that_reach_far_go_to_the_lower_row(self) -> None:
        vectors, queries = vectors_and_queries()
        same = np.repeat(vectors[:1], I, axis=0)
        eligible = np.arange(I) % 2 == 1
        index = self.index.build(same)
        require((index.search(queries, 4).items == np.arange(4)).all(), "not the lowest rows")
        found = index.search(queries, 4, eligible).items
        require((found == [1, 3, 5, 7]).all(), "not the lowest eligible rows")
        nothing = index.search(np.zeros((1, D), dtype=np.float32), 4).items
        require((nothing == np.arange(4)).all(), "a zero query does not give the lowest rows")

    def test_rounding_does_not_break_ties(self) -> None:
        random = stream(3, "rounding")
        numbers = random.normal(size=D).astype(np.float32)
        vectors = np.stack([random.permutation(numbers) for _ in range(I)])
        # All sums are equal, but not when they are accumulated in float32.
        ones = np.ones((1, D), dtype=np.float32)
        found = self.index.build(vectors).search(ones, 5)
        require((found.items == np.arange(5)).all(), f"{found.items} instead of the lowest rows")

    def test_lists_do_not_depend_on_the_batch(self) -> None:
        vectors, queries = vectors_and_queries()
        many = np.tile(queries, (40, 1))
        allowed = stream(4, "batch").random((Q, I)) < 0.5
        index = self.index.build(vectors)
        whole = index.search(many, 10, np.tile(allowed, (40, 1)))
        for q in range(Q):
            one = index.search(queries[q : q + 1], 10, allowed[q : q + 1])
            np.testing.assert_array_equal(whole.items[q::Q], np.tile(one.items, (40, 1)))
            np.testing.assert_allclose(
                whole.scores[q::Q], np.tile(one.scores, (40, 1)), rtol=1e-6, atol=1e-6
            )

    def test_the_number_of_threads_changes_nothing(self) -> None:
        vectors, queries = vectors_and_queries()
        one, two = (self.index.build(vectors, threads=n).search(queries, 10) for n in (1, 2))
        np.testing.assert_array_equal(one.items, two.items)

    def test_the_callers_arrays_are_not_altered(self) -> None:
        vectors, queries = vectors_and_queries()
        eligible = np.arange(I) % 2 == 0
        before = fingerprint((vectors, queries, eligible))
        self.index.build(vectors).search(queries, 10, eligible)
        require(fingerprint((vectors, queries, eligible)) == before, "an array was altered")

    def test_the_index_owns_its_vectors(self) -> None:
        vectors, queries = vectors_and_queries()
        index = self.index.build(vectors)
        before = index.search(queries, 10).items
        vectors[:] = 0
        np.testing.assert_array_equal(index.search(queries, 10).items, before)

    def test_no_query_and_no_vector(self) -> None:
        vectors, queries = vectors_and_queries()
        index = self.index.build(vectors)
        for eligible in (None, np.ones(I, dtype=bool), np.ones((0, I), dtype=bool)):
            require(index.search(queries[:0], 3, eligible).items.shape == (0, 3), "no query")
        empty = self.index.build(vectors[:0])
        require((empty.search(queries, 3).items == -1).all(), "no vector")

    def test_bytes_bring_the_index_back(self) -> None:
        vectors, queries = vectors_and_queries()
        for some in (vectors, vectors[:0]):
            index = self.index.build(some)
            again = self.index.from_bytes(index.to_bytes())
            require((again.ntotal, again.dim) == (len(some), D), "another size")
            first, second = index.search(queries, 10), again.search(queries, 10)
            np.testing.assert_array_equal(first.items, second.items)
            np.testing.assert_array_equal(first.scores, second.scores)

    def test_equal_vectors_give_equal_bytes(self) -> None:
        vectors = vectors_and_queries()[0]
        first, second = (self.index.build(vectors).to_bytes() for _ in range(2))
        require(first == second, "the bytes differ")

    def test_bytes_of_something_else_are_refused(self) -> None:
        whole = self.index.build(vectors_and_queries()[0]).to_bytes()
        for data in (b"", b"not an index", whole[: len(whole) // 2]):
            require_error(BundleError, partial(self.index.from_bytes, data))

    def test_bad_arguments_are_refused(self) -> None:
        vectors, queries = vectors_and_queries()
        index = self.index.build(vectors)
        require_error(ValueError, partial(index.search, queries, 0))
        bad = np.where(np.arange(D) == 3, np.nan, queries)
        for query in (queries[0], queries[:, :-1], bad):
            require_error(DataError, partial(index.search, query, 3))
        rows = np.arange(I)
        masks: list[Any] = [rows, rows[:-1] > 3, np.ones((Q + 1, I), dtype=bool)]
        for eligible in masks:
            require_error(DataError, partial(index.search, queries, 3, eligible))
        for table in (vectors[0], vectors[:, :0], np.where(vectors > 1, np.inf, vectors)):
            require_error(DataError, partial(self.index.build, table))

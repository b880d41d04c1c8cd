"""Queries with their right answers, so that a bundle that loads also answers as it was measured.

Hashes say that no byte changed; the golden queries say that the index, read by the libraries of
this machine, still finds what the evaluation found.

Legend: Q queries, I movies, k list length.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from recsys.bundle.contents import BundleContents
from recsys.errors import BundleError
from recsys.queries.query import Query
from recsys.queries.topk import top_k
from recsys.retrieval.index import Index

GOLDEN_USERS: Final = 16
GOLDEN_K: Final = 10
TOLERANCE: Final = 1e-4
"""Relative, and absolute below 1: float32 sums differ between libraries by less."""


class GoldenQuery(BaseModel):
    """A user, and the ids and scores of the k best movies they have not seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    items: list[str]
    scores: list[float]


class Golden(BaseModel):
    """The content of ``golden.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: int
    queries: list[GoldenQuery]

    def to_bytes(self) -> bytes:
        """The one JSON text of these queries."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def golden_queries(contents: BundleContents) -> Golden:
    """Answers for users evenly spread over the vocabulary, by the path that evaluation takes."""
    users, items = contents.histories.users, contents.catalogue.items
    rows = np.linspace(0, len(users) - 1, min(GOLDEN_USERS, len(users))).astype(np.int32)
    scores = contents.model.score(Query.known(contents.histories, rows)).copy()
    scores[contents.seen[rows].nonzero()] = -np.inf
    best = top_k(scores, GOLDEN_K)
    queries = []
    for row, found, values in zip(rows, best.items, best.scores, strict=True):
        there = found >= 0
        ids = [items.id(i) for i in found[there]]
        rounded = [round(float(score), 6) for score in values[there]]
        queries.append(GoldenQuery(user=users.id(int(row)), items=ids, scores=rounded))
    return Golden(k=GOLDEN_K, queries=queries)


def replay(golden: Golden, contents: BundleContents, index: Index) -> None:
    """Ask the index the golden queries.

    Raises:
        BundleError: scores differ beyond rounding, or movies differ beyond ties.
    """
    users, items = contents.histories.users, contents.catalogue.items
    rows = users.rows([query.user for query in golden.queries], unknown="error")
    vectors = contents.model.user_vectors(Query.known(contents.histories, rows))
    unseen = ~contents.seen[rows].toarray()
    found = index.search(vectors, golden.k, unseen)
    for position, query in enumerate(golden.queries):
        expected = items.rows(query.items, unknown="error")
        there = found.items[position] >= 0
        same = _agree(
            (expected, np.array(query.scores)),
            (found.items[position][there], found.scores[position][there]),
        )
        if not same:
            raise BundleError(
                f"the index answers golden query {position} (user {query.user}) otherwise than the "
                "evaluated model did",
                hint="export the bundle again with the libraries that are installed here",
            )


def _agree(
    expected: tuple[NDArray[np.int32], NDArray[np.float64]],
    found: tuple[NDArray[np.int32], NDArray[np.float32]],
) -> bool:
    """Whether two ranked lists are equal up to rounding, and up to the order of ties."""
    (items, scores), (other_items, other_scores) = expected, found
    if len(items) != len(other_items):
        return False
    slack = TOLERANCE * np.maximum(1, np.abs(scores))
    if (np.abs(scores - other_scores) > slack).any():
        return False
    position = {int(item): p for p, item in enumerate(items)}
    # What is not in the expected list can only have tied with its last entry.
    place = [position.get(int(item), len(items) - 1) for item in other_items]
    return bool((np.abs(scores[place] - scores) <= 2 * slack).all())

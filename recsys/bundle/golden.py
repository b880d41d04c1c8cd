"""Queries with their right answers, so that a bundle that loads also answers as it was measured.

Hashes say that no byte changed; the golden queries say that the index, read by the libraries of
this machine, still finds what the evaluation found.

Legend: Q queries, I movies, k list length.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from recsys.bundle.contents import Served, ServedByVectors
from recsys.documents import Document
from recsys.errors import BundleError
from recsys.queries.context import Context
from recsys.queries.topk import TopK, top_k
from recsys.retrieval.index import Index

GOLDEN_USERS: Final = 16
GOLDEN_K: Final = 10
TOLERANCE: Final = 1e-4
"""Relative, and absolute below 1: float32 sums differ between libraries by less."""

Scores = NDArray[np.floating[Any]]
Answer = tuple[NDArray[np.int32], Scores]
"""Rows of movies, and their scores."""


class GoldenQuery(Document):
    """A user, and what they were answered.

    Attributes:
        user: id.
        items: ids of the best movies they have not seen; of some movies for a model that only
            predicts stars.
        scores: of these movies, or their stars.
    """

    user: str
    items: list[str]
    scores: list[float]


class Golden(Document):
    """The content of ``golden.json``; ``k`` is 0 where the answers are stars."""

    k: int
    queries: list[GoldenQuery]

    def to_bytes(self) -> bytes:
        """The one JSON text of these queries."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def golden_queries(context: Context, model: Served) -> Golden:
    """Answers for users evenly spread over the vocabulary, by the path that evaluation takes."""
    users = context.histories.users
    rows = np.linspace(0, len(users) - 1, min(GOLDEN_USERS, len(users))).astype(np.int32)
    answers = (
        _lists(context, model, rows, GOLDEN_K) if model.ranks else _stars(context, model, rows)
    )
    queries = [
        GoldenQuery(
            user=users.id(int(row)),
            items=[context.catalogue.items.id(i) for i in items],
            scores=[round(float(score), 6) for score in scores],
        )
        for row, (items, scores) in zip(rows, answers, strict=True)
    ]
    return Golden(k=GOLDEN_K if model.ranks else 0, queries=queries)


def _lists(context: Context, model: Served, rows: NDArray[np.int32], k: int) -> list[Answer]:
    scores = np.array(model.score(context.query(rows)))
    scores[context.seen[rows].nonzero()] = -np.inf
    return _answers(top_k(scores, k))


def _answers(best: TopK) -> list[Answer]:
    """The lists without what fills them up."""
    there = best.items >= 0
    return [(best.items[q][there[q]], best.scores[q][there[q]]) for q in range(len(there))]


def _stars(context: Context, model: Served, rows: NDArray[np.int32]) -> list[Answer]:
    count = len(context.catalogue)
    items = np.linspace(0, count - 1, min(GOLDEN_K, count)).astype(np.int32)
    return [(items, _predicted(context, model, int(row), items)) for row in rows]


def _predicted(context: Context, model: Served, row: int, items: NDArray[np.int32]) -> Scores:
    query = context.query(np.array([row]))
    return model.predict_ratings(query, np.zeros(len(items), dtype=np.int64), items).mean


def replay(golden: Golden, context: Context, model: Served, index: Index | None) -> None:
    """Ask a model, or the index of its vectors, the golden queries.

    Raises:
        BundleError: scores differ beyond rounding, or movies differ beyond ties.
    """
    users, items = context.histories.users, context.catalogue.items
    rows = users.rows([query.user for query in golden.queries], unknown="error")
    expected = [items.rows(query.items, unknown="error") for query in golden.queries]
    if not golden.k:
        pairs = zip(rows.tolist(), expected, strict=True)
        found = [(asked, _predicted(context, model, row, asked)) for row, asked in pairs]
    elif index is not None:
        vectors = cast(ServedByVectors, model).user_vectors(context.query(rows))
        found = _answers(index.search(vectors, golden.k, ~context.seen[rows].toarray()))
    else:
        found = _lists(context, model, rows, golden.k)
    for position, query in enumerate(golden.queries):
        if not _agree((expected[position], np.array(query.scores)), found[position]):
            raise BundleError(
                f"the model answers golden query {position} (user {query.user}) otherwise than the "
                "evaluated one did",
                hint="export the bundle again with the libraries that are installed here",
            )


def _agree(expected: Answer, found: Answer) -> bool:
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

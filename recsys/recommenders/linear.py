"""Models whose scores are linear: item weights, and inner products of vectors.

Legend: Q queries, U users, I items, D dimensions.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import scipy.sparse as sp

from recsys.errors import DataError
from recsys.queries.query import Floats, Query, Rows, rated_mask
from recsys.queries.topk import inner_products
from recsys.recommenders.base import Addends, Contributions, Recommender, UserView


class ItemWeights(Recommender):
    """Scores ``x W``: x what every rating of a history weighs, W items × items.

    The arrays hold "weights", (I, I) dense or CSR: row j, column i says what having rated movie j
    adds to the score of movie i.
    """

    def history_weights(self, query: Query) -> sp.csr_array:
        """(Q, I) what every rating weighs: 1 unless a model says otherwise."""
        return rated_mask(query.histories)

    @property
    def _weights(self) -> Any:
        return self.arrays()["weights"]

    def score(self, query: Query) -> Floats:
        """(Q, I) scores; all 0 for an empty history."""
        weights = self._weights
        self._require_items(query, weights.shape[0])
        scores = _dense(self.history_weights(query) @ weights)
        return self._settled(np.asarray(scores, dtype=np.float32))

    def _settled(self, scores: Floats) -> Floats:
        """The scores as they are given out."""
        return scores

    def _addends(self, query: Query) -> Addends:
        """Every movie of the history adds its weighted row of W."""
        own = self.history_weights(query)
        rows, data = own.indices, own.data

        def contributions(items: Rows) -> Contributions:
            block = _dense(self._weights[rows][:, items])
            return Contributions(rows, (data[:, None] * block).T, np.zeros(len(items)))

        return rows, contributions

    def similarities(self, row: int) -> Floats:
        """(I,) what having rated one movie adds to the score of each."""
        found = np.array(_dense(self._weights[[row]])[0], dtype=np.float32)
        found[found == 0] = -np.inf
        return self._settled(found)


class VectorModel(Recommender):
    """Scores that are inner products, which is all an index needs.

    The arrays hold "items", (I, D), unless a model says otherwise.
    """

    @abstractmethod
    def user_vectors(self, query: Query) -> Floats:
        """(Q, D) vectors."""

    def item_vectors(self) -> Floats:
        """(I, D) vectors; a score is the inner product of user and item."""
        return np.array(self.arrays()["items"])

    def score(self, query: Query) -> Floats:
        """(Q, I) scores."""
        return inner_products(self.user_vectors(query), self.item_vectors())

    def view(self, query: Query) -> UserView:
        """One user, with the vector that an index is asked with."""
        vector, (rows, contributions) = self.user_vectors(query), self._addends(query)

        def scores() -> Floats:
            return np.asarray(inner_products(vector, self.item_vectors())[0])

        return UserView(rows, scores, vector[0], contributions)

    def similarities(self, row: int) -> Floats:
        """(I,) cosine of the item vectors; -inf where an item has none."""
        vectors = self.directions()
        found = np.clip(vectors @ vectors[row], -1, 1)
        found[~vectors.any(axis=1)] = -np.inf
        return found if vectors[row].any() else np.full_like(found, -np.inf)

    def directions(self) -> Floats:
        """(I, D) item vectors at length one; zero where there is none."""
        return unit_rows(self.item_vectors())


class KnownUserFactors(VectorModel):
    """Vectors for every user of training, and none for others; the history is not looked at.

    The arrays hold "users" (U, D), "items" (I, D) and "parameters", the numbers learnt.
    """

    def user_vectors(self, query: Query) -> Floats:
        """(Q, D) vectors of users of training.

        Raises:
            DataError: a user was not in training.
        """
        users: Floats = self.arrays()["users"]
        self._require_items(query, len(self.arrays()["items"]))
        strange = np.flatnonzero((query.users < 0) | (query.users >= len(users)))
        if len(strange):
            raise DataError(
                f"{self.name} has no vector for {len(strange)} users who were not in training",
                rows=[f"query {row}" for row in strange[:5]],
                hint="ask a model that folds users in from their history, such as ease",
                count=len(strange),
            )
        return users[query.users]


def unit_rows(vectors: Floats) -> Floats:
    """(I, D) vectors at length one; zero where one is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _dense(matrix: Any) -> Any:
    return matrix.toarray() if sp.issparse(matrix) else matrix

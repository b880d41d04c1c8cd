"""Where the scale of a table begins and ends: what chance reaches, and what knowing the test does.

Legend: Q queries, I items.
"""

from __future__ import annotations

from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.contender import Contender, Options
from recsys.data.catalogue import Catalogue
from recsys.data.files import fingerprint
from recsys.data.interactions import Interactions
from recsys.queries.query import Query
from recsys.recommenders.checks import require_fitted, require_items
from recsys.seeding import stream


class RandomScores:
    """Scores that are drawn, and are always the same for one user and history."""

    name = "random"
    parameters = 0

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._n_items: int | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Counts the movies."""
        self._n_items = len(train.items)
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) uniform draws."""
        n_items = require_fitted(self._n_items, self.name)
        require_items(query, n_items, self.name)
        scores = np.empty((len(query), n_items), dtype=np.float32)
        for row, user in enumerate(query.users):
            start, stop = query.histories.indptr[row : row + 2]
            history = np.sort(query.histories.indices[start:stop]).astype(np.int64)
            name = fingerprint((str(user), history))
            scores[row] = stream(self.seed, name).random(n_items, dtype=np.float32)
        return scores


class TruePopularity:
    """Scores a movie by all ratings it has, those to be predicted among them.

    What no model can know of a movie that nobody has rated: how many will.
    """

    name = "true-popularity"

    def __init__(self) -> None:
        self._counts: NDArray[np.float32] | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Counts the ratings that may be known."""
        self._counts = (train.item_counts() + valid.item_counts()).astype(np.float32)
        return self

    def see(self, test: Interactions) -> None:
        """Counts those that may not."""
        self._counts = require_fitted(self._counts, self.name) + test.item_counts()

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) the counts in every row."""
        counts = require_fitted(self._counts, self.name)
        require_items(query, len(counts), self.name)
        return np.tile(counts.astype(np.float32), (len(query), 1))

    @property
    def parameters(self) -> int:
        """The counts."""
        return require_fitted(self._counts, self.name).size


def _random(options: Options, seed: int) -> RandomScores:  # noqa: ARG001
    return RandomScores(seed)


def _true_popularity(options: Options, seed: int) -> TruePopularity:  # noqa: ARG001
    return TruePopularity()


ORACLES: Final[tuple[Contender, ...]] = (
    Contender(
        name="random",
        family="oracle",
        tasks=frozenset({"warm", "cold", "fold-in"}),
        about="scores that are drawn: chance",
        make=_random,
        random=True,
    ),
    Contender(
        name="true-popularity",
        family="oracle",
        tasks=frozenset({"cold"}),
        about="how many ratings a movie has, those to be predicted among them",
        make=_true_popularity,
        sees_test=True,
    ),
)

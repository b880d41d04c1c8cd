"""Ranking quality of anything that scores: a model, a matrix, or a stream of blocks.

The evaluator is fair because it is ignorant: whatever the source, scores become lists and lists
become numbers in one place. All items are ranked, never a sample of them, and only one block of
scores is held at a time.

Legend: U users, I items, Q users with at least one relevant item, B users of one block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.errors import ConfigError, DataError
from recsys.evaluation.blocks import Rows, Scores, Shape, Source, score_blocks
from recsys.evaluation.metrics import (
    PER_USER,
    Floats,
    coverage,
    gini,
    hits_of,
    novelty,
    recommendation_counts,
)
from recsys.queries.query import Query, entries_of
from recsys.queries.topk import top_k


@dataclass(frozen=True)
class RankingTask:
    """What is to be ranked, for whom, and what counts as right.

    Attributes:
        truth: relevant items, as interactions (all of them count) or as a (U, I) CSR whose stored
            entries count.
        seen: what each user already has, in the same form; never recommended. None masks nothing.
        candidates: rows of the items that may be recommended; None for all.
        ks: list lengths to report.
        popularity: (I,) training interactions of each item; without it there is no novelty.
        block: users scored at a time.

    Raises:
        ConfigError: a list length or the block is below 1.
    """

    truth: Interactions | sp.csr_array
    seen: Interactions | sp.csr_array | None = None
    candidates: NDArray[np.integer[Any]] | None = None
    ks: tuple[int, ...] = (10,)
    popularity: NDArray[np.integer[Any]] | None = None
    block: int = 1024

    def __post_init__(self) -> None:
        if not self.ks or min(self.ks) < 1:
            raise ConfigError(f"ks is {self.ks}", hint="give list lengths of at least 1")
        if self.block < 1:
            raise ConfigError(f"block is {self.block}", hint="score at least one user at a time")


@dataclass(frozen=True)
class RankingResult:
    """How well the lists fit the truth.

    Attributes:
        users: (Q,) int64 rows of the users that were evaluated, ascending.
        per_user: "recall@10" and the like to (Q,) values, aligned with ``users``.
        catalogue: "coverage@10", "gini@10", "novelty@10" and the like: one value for all lists,
            over the candidate items.
        n_skipped: users without a relevant item; they are in no number.
    """

    users: Rows
    per_user: Mapping[str, Floats]
    catalogue: Mapping[str, float]
    n_skipped: int

    @property
    def n_users(self) -> int:
        """Q."""
        return len(self.users)

    def means(self) -> dict[str, float]:
        """The mean over the evaluated users of every per-user metric."""
        return {name: float(values.mean()) for name, values in self.per_user.items()}

    def summary(self) -> dict[str, float]:
        """The means and the catalogue-level metrics together, as they are reported."""
        return {**self.means(), **self.catalogue}


class RankingEvaluator:
    """Evaluates sources on one task.

    Raises:
        DataError: shapes of the task disagree, no user has a relevant item, or a relevant item can
            never be recommended because it is seen or not a candidate.
    """

    def __init__(self, task: RankingTask) -> None:
        self.task = task
        self._truth = _stored(task.truth)
        empty = sp.csr_array(self._truth.shape, dtype=bool)
        self._seen = empty if task.seen is None else _stored(task.seen)
        self._barred = _barred(task.candidates, self._truth.shape[1])
        self._users = np.flatnonzero(np.diff(self._truth.indptr)).astype(np.int64)
        self._check()

    @property
    def users(self) -> Rows:
        """(Q,) rows of the users with a relevant item: the only ones a model is asked about."""
        return self._users.copy()

    def evaluate(self, source: Source, query: Query | None = None) -> RankingResult:
        """Rank every evaluated user's items and compare with the truth.

        Scores are compared as float32; ties go to the lower item row. A user with fewer than k
        scoreable items gets a shorter list. The arrays of the source are left as they are.

        Args:
            source: a model, a (U, I) array of scores, or blocks of consecutive rows of one.
            query: the U users, for a model; ignored otherwise.

        Raises:
            ConfigError: the source is a model and there is no query.
            DataError: rows or columns do not fit the truth, or a score is NaN.
        """
        n_users, n_items = self._truth.shape
        shape = Shape(n_users, n_items, self.task.block)
        longest = max(self.task.ks)
        lists = [
            top_k(self._eligible(rows, scores), longest).items
            for rows, scores in score_blocks(source, self._users, shape, query)
        ]
        return self._result(np.concatenate(lists))

    def _check(self) -> None:
        if self._seen.shape != self._truth.shape:
            raise DataError(f"seen is {self._seen.shape}, the truth is {self._truth.shape}")
        popularity = self.task.popularity
        if popularity is not None and popularity.shape != self._barred.shape:
            raise DataError(f"popularity is {popularity.shape}, the truth is {self._truth.shape}")
        if not len(self._users):
            raise DataError("no user has a relevant item", hint="there is nothing to evaluate")
        seen = self._truth.multiply(self._seen).nnz
        barred = np.count_nonzero(self._barred[self._truth.indices])
        if seen or barred:
            raise DataError(
                f"some relevant items can never be recommended: {seen} are seen, {barred} are no "
                "candidates",
                hint="leave them out of the truth, or out of what is masked",
            )

    def _eligible(self, rows: Rows, scores: Scores) -> NDArray[np.float32]:
        """(B, I) a copy of the scores with -inf wherever nothing may be recommended."""
        eligible = np.array(scores, dtype=np.float32)
        eligible[:, self._barred] = -np.inf
        eligible[self._seen[rows].nonzero()] = -np.inf
        return eligible

    def _result(self, recommended: NDArray[np.int32]) -> RankingResult:
        lists = hits_of(recommended, self._truth[self._users])
        per_user = {
            f"{name}@{k}": metric(lists.at(k))
            for k in self.task.ks
            for name, metric in PER_USER.items()
        }
        each = (self._catalogue_metrics(recommended[:, :k], k) for k in self.task.ks)
        catalogue = {name: value for found in each for name, value in found.items()}
        n_skipped = self._truth.shape[0] - len(self._users)
        return RankingResult(self.users, per_user, catalogue, n_skipped)

    def _catalogue_metrics(self, recommended: NDArray[np.int32], k: int) -> dict[str, float]:
        candidates = ~self._barred
        counts = recommendation_counts(recommended, len(candidates))
        found = {f"coverage@{k}": coverage(counts[candidates])}
        found[f"gini@{k}"] = gini(counts[candidates])
        if self.task.popularity is not None:
            found[f"novelty@{k}"] = novelty(counts, self.task.popularity.astype(np.int64))
        return found


def _stored(matrix: Interactions | sp.csr_array) -> sp.csr_array:
    """(U, I) bool: true wherever an entry is stored, a rating of zero included; a copy."""
    return entries_of(matrix.matrix() if isinstance(matrix, Interactions) else matrix)


def _barred(candidates: NDArray[np.integer[Any]] | None, n_items: int) -> NDArray[np.bool_]:
    """(I,) which items may not be recommended."""
    barred = np.full(n_items, candidates is not None)
    if candidates is not None:
        outside = (candidates < 0) | (candidates >= n_items)
        if outside.any():
            rows = [f"item row {row}" for row in candidates[outside]]
            raise DataError(f"{len(rows)} candidates are not among {n_items} items", rows=rows)
        barred[candidates] = False
    return barred

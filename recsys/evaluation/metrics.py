"""What is measured, as pure functions of ranked lists, ratings and labels.

The conventions are RecBole 1.2.1's; where others compute another number under the same name, the
docstring says so. Every ranking value belongs to one user: the mean is taken over the users with at
least one relevant item, and the value of a user without any is NaN.

Legend: Q users, I items, k list length, G labels, N pairs; R relevant items of a user; h_j = 1 if
position j = 1 … k of the list holds one of them, else 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Hits:
    """Which positions of ranked lists hold a relevant item.

    Attributes:
        hits: (Q, k) bool, h.
        n_relevant: (Q,) int64, |R|.
    """

    hits: NDArray[np.bool_]
    n_relevant: NDArray[np.int64]

    @property
    def k(self) -> int:
        """The length of the lists; a list that ran out of items is padded to it, not shortened."""
        return int(self.hits.shape[1])

    def at(self, k: int) -> Hits:
        """The same lists cut at ``k``.

        Raises:
            ValueError: ``k`` is below 1 or longer than the lists.
        """
        if not 1 <= k <= self.k:
            raise ValueError(f"k is {k}, the lists hold {self.k}")
        return Hits(self.hits[:, :k], self.n_relevant)


def hits_of(recommended: NDArray[np.int32], relevance: sp.csr_array) -> Hits:
    """Look up every recommended item in the truth.

    Args:
        recommended: (Q, k) item rows, best first, -1 where the list has ended.
        relevance: (Q, I) CSR; an item whose entry is stored is relevant, whatever the value.
    """
    n_users, n_items = relevance.shape
    n_relevant = np.diff(relevance.indptr).astype(np.int64)
    user = np.arange(n_users, dtype=np.int64)
    relevant = np.repeat(user, n_relevant) * n_items + relevance.indices
    asked = user[:, None] * n_items + recommended
    return Hits(np.isin(asked, relevant) & (recommended >= 0), n_relevant)


def _where_relevant(values: Floats, lists: Hits) -> Floats:
    return np.where(lists.n_relevant > 0, values, np.nan)


def recall(lists: Hits) -> Floats:
    """(Q,) Recall@k = Σ_j h_j / |R|. Some divide by min(|R|, k), so that 1 is always in reach."""
    return _where_relevant(lists.hits.sum(axis=1) / np.maximum(lists.n_relevant, 1), lists)


def precision(lists: Hits) -> Floats:
    """(Q,) Precision@k = Σ_j h_j / k, even where fewer than k items were left to recommend."""
    return _where_relevant(lists.hits.sum(axis=1) / lists.k, lists)


def hit(lists: Hits) -> Floats:
    """(Q,) Hit@k = 1 if any h_j, else 0. Also called hit rate, HR, or success."""
    return _where_relevant(np.where(lists.hits.any(axis=1), 1.0, 0.0), lists)


def mrr(lists: Hits) -> Floats:
    """(Q,) MRR@k = 1 / position of the first hit, 0 where the list has none."""
    first = 1 / (lists.hits.argmax(axis=1) + 1)
    return _where_relevant(np.where(lists.hits.any(axis=1), first, 0.0), lists)


def average_precision(lists: Hits) -> Floats:
    """(Q,) MAP@k = Σ_j h_j Precision@j / min(|R|, k).

    trec_eval's ``map_cut`` divides by |R|: the two agree where |R| ≤ k.
    """
    at_position = lists.hits.cumsum(axis=1) / np.arange(1, lists.k + 1)
    reachable = np.clip(lists.n_relevant, 1, lists.k)
    return _where_relevant((at_position * lists.hits).sum(axis=1) / reachable, lists)


def ndcg(lists: Hits) -> Floats:
    """(Q,) NDCG@k with binary gain (Järvelin and Kekäläinen, TOIS 2002).

    DCG = Σ_j h_j / log2(j + 1), divided by Σ_{j ≤ min(|R|, k)} 1 / log2(j + 1), the DCG of the best
    list there is. Others divide by the sum over all k positions, which a user with |R| < k cannot
    reach, or use the rating as the gain.
    """
    discount = 1 / np.log2(np.arange(2, lists.k + 2))
    ideal = discount.cumsum()[np.clip(lists.n_relevant, 1, lists.k) - 1]
    return _where_relevant((lists.hits * discount).sum(axis=1) / ideal, lists)


PER_USER: Mapping[str, Callable[[Hits], Floats]] = MappingProxyType(
    {
        "recall": recall,
        "ndcg": ndcg,
        "mrr": mrr,
        "map": average_precision,
        "hit": hit,
        "precision": precision,
    }
)
"""The accuracy metrics by the name they are reported under."""


def recommendation_counts(recommended: NDArray[np.int32], n_items: int) -> NDArray[np.int64]:
    """(I,) in how many of the (Q, k) lists each item stands; pads count for nothing."""
    shown = recommended[recommended >= 0]
    return np.bincount(shown, minlength=n_items).astype(np.int64)


def coverage(counts: NDArray[np.int64]) -> float:
    """Share of the I items that stand in at least one list.

    RecBole's ItemCoverage, whose I also counts its padding item.
    """
    return float(np.mean(counts > 0))


def gini(counts: NDArray[np.int64]) -> float:
    """Inequality of the (I,) recommendation counts c, RecBole's GiniIndex.

    G = Σ_i (2i - I - 1) c_(i) / (I Σ_i c_i), c_(1) ≤ … ≤ c_(I): 0 where all items are recommended
    equally often, (I - 1) / I where one item is all there is. Never-recommended items count.
    """
    n_items, total = len(counts), counts.sum()
    if total == 0:
        return 0.0
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float(weights @ np.sort(counts) / (n_items * total))


def novelty(counts: NDArray[np.int64], popularity: NDArray[np.int64]) -> float:
    """Mean self-information of the recommendations, in bits.

    Σ_i c_i (-log2 p_i) / Σ_i c_i, c the recommendation counts and p_i the share of the training
    interactions that item i received (Vargas and Castells, RecSys 2011). Others take the share of
    the *users*, which moves every value by the same constant. An item without training
    interactions counts as having one: its surprise is large, not infinite.

    Args:
        counts: (I,) how often each item was recommended.
        popularity: (I,) training interactions of each item.
    """
    if counts.sum() == 0:
        return 0.0
    information = np.log2(max(int(popularity.sum()), 1)) - np.log2(np.maximum(popularity, 1))
    return float(counts @ information / counts.sum())


def f1(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Floats:
    """(G,) F1 = 2 TP / (2 TP + FP + FN) of each column of (N, G) labels.

    A label nobody has and nobody predicted is 0, scikit-learn's default. Macro-F1 is the mean of
    these; micro-F1 is F1 of all labels pooled into a single column.
    """
    true_positive = (predicted & truth).sum(axis=0)
    either = predicted.sum(axis=0) + truth.sum(axis=0)
    return np.asarray(2 * true_positive / np.maximum(either, 1), dtype=np.float64)


def roc_auc(scores: NDArray[np.floating[Any]], truth: NDArray[np.bool_]) -> float:
    """Chance that a random positive of (N,) scores above a random negative, ties counting half.

    AUC = (Σ ranks of the positives - P (P + 1) / 2) / (P (N - P)), P positives, tied scores sharing
    their mean rank (the Mann-Whitney statistic). NaN where one of the two classes is absent.
    """
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    above = rankdata(scores)[truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))

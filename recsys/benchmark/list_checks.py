"""Sanity checks of ranked lists; see ``recsys.benchmark.checks``.

Lists that cannot know what is to be found hit it by chance alone, whatever the model: with n of N
eligible movies in a list, and K of them drawn to be found, the hits are hypergeometric, with mean
nK/N and variance nK/N · (1 − K/N) · (N − n)/(N − 1). That is exact, so that shuffled labels need no
second model to be compared with.

Legend: S sampled users, I items.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.benchmark.split_data import Lists
from recsys.evaluation.evaluator import RankingEvaluator, RankingResult, RankingTask
from recsys.queries.query import Scorer
from recsys.seeding import stream

SAMPLE: Final = 200
K: Final = 10
_BLOCK: Final = 7
_DRAWS: Final = 5
_NDCG: Final = f"ndcg@{K}"
_ROUNDING: Final = 1e-9

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]


def values(scorer: Scorer, lists: Lists, result: RankingResult) -> dict[str, float]:
    """What lists are checked by.

    Args:
        scorer: the fitted model.
        lists: those of the headline.
        result: what evaluating them all came to.
    """
    users, task = sample(lists.task)
    query = lists.query.select(users)
    scores = scorer.score(query)
    model = ndcg(task, scores)
    parts = [scorer.score(query.slice(s, s + _BLOCK)) for s in range(0, len(query), _BLOCK)]
    backwards = scorer.score(query.select(np.arange(len(query))[::-1]))[::-1]
    with two_threads():
        threaded = scorer.score(query)
    truth = _truth(task)
    whole = result.per_user[_NDCG][np.searchsorted(result.users, users)]
    by_block = (whole, ndcg(task, np.concatenate(parts)))
    return {
        "perfect": float(ndcg(task, truth.astype(np.float32)).min()),
        "worst": float(ndcg(task, np.where(truth, -np.inf, 0).astype(np.float32)).max()),
        "model": float(model.mean()),
        "block": max(_changed(model, other) for other in by_block),
        "order": _changed(model, ndcg(task, backwards)),
        "threads": _changed(model, ndcg(task, threaded)),
        "shuffled": shuffled(task, scores),
    }


def sample(task: RankingTask, size: int = SAMPLE) -> tuple[NDArray[np.int64], RankingTask]:
    """(S,) some of the evaluated users, ascending, and the task about them alone."""
    users = RankingEvaluator(task).users
    if len(users) > size:
        rng = stream(0, "gates/users")
        users = np.sort(rng.choice(users, size, replace=False))
    truth, seen = (sp.csr_array(matrix)[users] for matrix in (task.truth, task.seen))
    return users, replace(task, truth=truth, seen=seen, ks=(K,), popularity=None, block=size)


def ndcg(task: RankingTask, scores: Scores) -> Floats:
    """(S,) NDCG@10 of each sampled user."""
    return RankingEvaluator(task).evaluate(scores).per_user[_NDCG]


def _changed(one: Floats, other: Floats) -> float:
    """The share of the users whose value is another."""
    return float(np.mean(np.abs(one - other) > _ROUNDING))


def _truth(task: RankingTask) -> NDArray[np.bool_]:
    """(S, I) what is to be found; a stored rating of 0 counts."""
    found = np.zeros(task.truth.shape, dtype=bool)
    found[_stored(task.truth)] = True
    return found


def _stored(matrix: object) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    coo = sp.coo_array(matrix)
    return coo.row.astype(np.int64), coo.col.astype(np.int64)


def eligible(task: RankingTask) -> NDArray[np.bool_]:
    """(S, I) what may be recommended to whom."""
    free = np.ones(task.truth.shape, dtype=bool)
    if task.candidates is not None:
        free[:] = False
        free[:, task.candidates] = True
    free[_stored(task.seen)] = False
    return free


def shuffled(task: RankingTask, scores: Scores) -> float:
    """Hits, in standard deviations from chance, where what is to be found is drawn at random."""
    free, counts = eligible(task), _truth(task).sum(axis=1)
    rng = stream(0, "gates/shuffled")
    lengths = np.minimum((free & (scores > -np.inf)).sum(axis=1), K)
    hits = 0.0
    for _ in range(_DRAWS):
        truth = sp.csr_array(_drawn(free, counts, rng))
        redrawn = RankingEvaluator(replace(task, truth=truth))
        hits += K * float(redrawn.evaluate(scores).per_user[f"precision@{K}"].sum())
    n = free.sum(axis=1)
    share = counts / n
    expected = lengths * share
    variance = expected * (1 - share) * (n - lengths) / np.maximum(n - 1, 1)
    deviation = float(np.sqrt(_DRAWS * variance.sum()))
    return (hits - _DRAWS * float(expected.sum())) / deviation if deviation else 0.0


def _drawn(
    free: NDArray[np.bool_], counts: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(S, I) as many of the eligible movies of each user as are to be found, at random."""
    drawn = np.zeros_like(free)
    for row, count in enumerate(counts):
        drawn[row, rng.choice(np.flatnonzero(free[row]), count, replace=False)] = True
    return drawn


@contextmanager
def two_threads() -> Iterator[None]:
    """Linear algebra with two threads, torch's among it where that is in use."""
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    with threadpool_limits(limits=2):
        if torch is not None:
            torch.set_num_threads(2)
        try:
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(before)

"""How well the codes of one modality find those of another: the plot's own metadata among others.

Legend: I movies, F dimensions of a code, Q movies looked for, C movies looked among, B of a block.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_BLOCK = 512  # queries scored at a time
_TIE = 1e-6  # cosines closer than this cannot be told apart

Ranks = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(Q,) place of each movie's own code, from 1, and (Q,) how many it was looked for among."""


def own_ranks(
    anchor: Tensor, target: Tensor, films: Tensor, queries: Tensor, pool: Tensor
) -> Ranks:
    """Where each movie's own target code comes when all are ordered by cosine to its anchor code.

    Other entries of the same film are passed over, for finding them is no mistake. A tie counts
    against, so codes that are all alike find nothing.

    Args:
        anchor: (I, F) of length one.
        target: (I, F) of length one.
        films: (I,) one number a film.
        queries: (Q,) rows looked for.
        pool: (C,) rows looked among.
    """
    ranks, counts = [], []
    for rows in torch.split(queries, _BLOCK):
        rivals = films[rows][:, None] != films[pool]
        own = (anchor[rows] * target[rows]).sum(dim=1, keepdim=True)
        ahead = anchor[rows] @ target[pool].T >= own - _TIE
        ranks.append(1 + (rivals & ahead).sum(dim=1))
        counts.append(1 + rivals.sum(dim=1))
    return torch.cat(ranks).cpu().numpy(), torch.cat(counts).cpu().numpy()


def retrieval_metrics(ranks: NDArray[np.int64]) -> dict[str, float]:
    """Recall at 1 and 10, and the mean reciprocal rank."""
    return {
        "recall@1": float((ranks <= 1).mean()),
        "recall@10": float((ranks <= 10).mean()),
        "mrr": float((1 / ranks).mean()),
    }


def chance_metrics(counts: NDArray[np.int64]) -> dict[str, float]:
    """What a random order is expected to reach: ranks uniform from 1 to each of (Q,) ``counts``."""
    harmonic = np.cumsum(1 / np.arange(1, counts.max() + 1))
    return {
        "recall@1": float((1 / counts).mean()),
        "recall@10": float(np.minimum(10 / counts, 1).mean()),
        "mrr": float((harmonic[counts - 1] / counts).mean()),
    }

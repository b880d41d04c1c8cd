from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.interactions import Interactions, RatingScale
from recsys.data.vocabulary import Vocabulary

Triples = Sequence[tuple[int, int, float]]


@pytest.fixture
def interactions() -> Callable[..., Interactions]:
    def make(
        triples: Triples, shape: tuple[int, int], scale: RatingScale | None = None
    ) -> Interactions:
        columns = list(zip(*triples, strict=True)) or [(), (), ()]
        return Interactions(
            users=Vocabulary([f"u{u}" for u in range(shape[0])], kind="user"),
            items=Vocabulary([f"i{i}" for i in range(shape[1])], kind="movie"),
            user=np.array(columns[0], dtype=np.int32),
            item=np.array(columns[1], dtype=np.int32),
            rating=np.array(columns[2], dtype=np.float32),
            scale=scale or RatingScale(),
        )

    return make


@pytest.fixture
def marks() -> Callable[..., sp.csr_array]:
    """CSR of 0/1 from the relevant rows of every user."""

    def make(items_of: Sequence[Sequence[int]], n_items: int) -> sp.csr_array:
        dense = np.zeros((len(items_of), n_items), dtype=np.float32)
        for user, items in enumerate(items_of):
            dense[user, list(items)] = 1
        return sp.csr_array(dense)

    return make

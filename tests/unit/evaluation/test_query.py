from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.models.recommender import Query


@pytest.fixture
def train(interactions: Callable[..., Interactions]) -> Interactions:
    return interactions([(0, 1, 4.0), (2, 0, 1.0), (2, 2, 5.0)], (3, 4))


def test_known_users_bring_their_history(train: Interactions) -> None:
    query = Query.known(train)
    assert query.users.tolist() == [0, 1, 2]
    assert query.histories.toarray().tolist() == [[0, 4, 0, 0], [0, 0, 0, 0], [1, 0, 5, 0]]


def test_some_known_users_in_any_order(train: Interactions) -> None:
    query = Query.known(train, np.array([2, 0], dtype=np.int32))
    assert query.users.tolist() == [2, 0]
    assert query.histories.toarray().tolist() == [[1, 0, 5, 0], [0, 4, 0, 0]]
    assert len(query) == 2


def test_strangers_have_no_row(train: Interactions) -> None:
    query = Query.of(train.matrix())
    assert query.users.tolist() == [-1, -1, -1]
    assert query.users.dtype == np.int32


def test_slice_keeps_users_and_histories_together(train: Interactions) -> None:
    part = Query.known(train).slice(1, 3)
    assert part.users.tolist() == [1, 2]
    assert part.histories.toarray().tolist() == [[0, 0, 0, 0], [1, 0, 5, 0]]


def test_lengths_must_agree(train: Interactions) -> None:
    with pytest.raises(DataError, match="3 histories"):
        Query(train.matrix(), np.zeros(2, dtype=np.int32))
    with pytest.raises(DataError, match="1 histories"):
        Query(sp.csr_array((1, 4)), np.zeros((1, 1), dtype=np.int32))

from __future__ import annotations

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import make_split
from recsys.data.splits.rules import part_sizes, torch_permutation
from recsys.errors import ConfigError


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        (0, (0, 0, 0)),
        (1, (1, 0, 0)),
        (2, (1, 0, 1)),  # test is served first
        (3, (1, 1, 1)),
        (9, (7, 1, 1)),
        (10, (8, 1, 1)),
        (19, (17, 1, 1)),
        (20, (16, 2, 2)),
        (737, (591, 73, 73)),
    ],
)
def test_part_sizes_by_hand(ratings: int, expected: tuple[int, int, int]) -> None:
    assert tuple(part_sizes(np.array([ratings]), (8, 1, 1))[:, 0]) == expected


def test_the_permutation_does_not_change_with_numpy() -> None:
    assert torch_permutation(10, 2020).tolist() == [0, 7, 5, 4, 2, 6, 1, 8, 9, 3]
    assert torch_permutation(1, 0).tolist() == [0]


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_recbole_cannot_take_is_refused(
    toy: Interactions, toy_catalogue: Catalogue, seed: int
) -> None:
    with pytest.raises(ConfigError, match=f"seed {seed} of split ro"):
        make_split(Dataset("toy", toy, toy_catalogue), "ro", seed)


def test_every_user_is_divided_alone(toy: Interactions, toy_catalogue: Catalogue) -> None:
    split = make_split(Dataset("toy", toy, toy_catalogue), "ro")
    sizes = part_sizes(toy.user_counts(), (8, 1, 1))
    counts = [part.user_counts() for part in split.parts.values()]
    np.testing.assert_array_equal(counts, sizes)

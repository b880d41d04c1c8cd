"""Batches of users with their histories.

Legend: U users, B users of a batch, I movies.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import scipy.sparse as sp
import torch
from torch import Tensor

from recsys.config.experiment import UserConfig
from recsys.data.interactions import Interactions
from recsys.models.histories import item_weights, liked_weights, rated_mask


class Batch(NamedTuple):
    """Everything known of B users.

    Attributes:
        ratings: (B, I) stars, 0 where there is no rating.
        rated: (B, I) 1 where there is a rating.
        weights: (B, I) weight of each movie in the user mean.
    """

    ratings: Tensor
    rated: Tensor
    weights: Tensor


class UserBatches:
    """Users with at least two ratings, in a new random order each epoch.

    A user with one rating has nothing left to predict once it is their history.
    """

    def __init__(self, train: Interactions, rule: UserConfig, size: int) -> None:
        self.size = size
        self.ratings = train.matrix()
        self.rated = rated_mask(self.ratings)
        per_item = item_weights(train.item_counts(), rule.popularity_exponent)
        self.weights = liked_weights(self.ratings, rule, per_item)
        self.users = torch.from_numpy((train.user_counts() >= 2).nonzero()[0])

    def __len__(self) -> int:
        return math.ceil(len(self.users) / self.size)

    def __iter__(self) -> Iterator[Batch]:
        order = self.users[torch.randperm(len(self.users))]
        for rows in torch.split(order, self.size):
            yield Batch(*(_dense(m[rows.numpy()]) for m in self._matrices()))

    def _matrices(self) -> tuple[sp.csr_array, sp.csr_array, sp.csr_array]:
        return self.ratings, self.rated, self.weights


def _dense(rows: sp.csr_array) -> Tensor:
    return torch.from_numpy(rows.toarray())

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
from recsys.queries.query import rated_mask
from recsys.recommenders.joint.histories import item_weights, liked_weights
from recsys.seeding import seed_for


class Batch(NamedTuple):
    """Everything known of B users.

    Attributes:
        ratings: (B, I) stars, 0 where there is no rating.
        rated: (B, I) 1 where there is a rating.
        weights: (B, I) weight of each movie in the user mean. Recency is that within the whole
            history: a rating that training hides makes no other one more recent.
    """

    ratings: Tensor
    rated: Tensor
    weights: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(*(tensor.to(device) for tensor in self))


class UserBatches:
    """Users with at least two ratings, in a random order that seed and epoch alone decide.

    A user with one rating has nothing left to predict once it is their history.

    Args:
        train: the ratings.
        rule: how a history becomes a user.
        size: B, of all batches but the last.
        seed: root seed of the order.
    """

    def __init__(self, train: Interactions, rule: UserConfig, size: int, seed: int = 0) -> None:
        self.size, self.seed = size, seed
        self.ratings = train.matrix()
        self.rated = rated_mask(self.ratings)
        per_item = item_weights(train.item_counts(), rule.popularity_exponent)
        self.weights = liked_weights(self.ratings, rule, per_item, train.times())
        self.users = torch.from_numpy((train.user_counts() >= 2).nonzero()[0])

    def __len__(self) -> int:
        return math.ceil(len(self.users) / self.size)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch.

        Args:
            number: which epoch.
            start: how many batches to pass over.
        """
        rng = torch.Generator().manual_seed(seed_for(self.seed, f"batches/{number}"))
        order = self.users[torch.randperm(len(self.users), generator=rng)]
        for rows in torch.split(order, self.size)[start : len(self)]:
            yield Batch(*(_dense(m[rows.numpy()]) for m in self._matrices()))

    def _matrices(self) -> tuple[sp.csr_array, sp.csr_array, sp.csr_array]:
        return self.ratings, self.rated, self.weights


def _dense(rows: sp.csr_array) -> Tensor:
    return torch.from_numpy(rows.toarray())

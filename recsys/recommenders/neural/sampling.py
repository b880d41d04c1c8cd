"""Ratings in random order, and movies that their users did not rate.

Legend: N ratings, B of a batch, K drawn movies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from recsys.data.interactions import Interactions
from recsys.queries.query import rated_mask
from recsys.seeding import seed_for

_DRAWS = 20
"""Times that a movie is drawn again because its user rated it: beyond, it is taken as it is. A user
who rated half of all movies is left with one in a million."""


def generator(seed: int, name: str) -> torch.Generator:
    """An independent stream of random numbers for one named purpose."""
    return torch.Generator().manual_seed(seed_for(seed, name))


def drawn(shape: tuple[int, ...], std: float, rng: torch.Generator) -> Tensor:
    """Normal numbers around 0."""
    return torch.randn(shape, generator=rng) * std


class Triples(NamedTuple):
    """Ratings, each beside a movie that its user did not rate.

    Attributes:
        user: (B,) rows.
        liked: (B,) rows of rated movies.
        other: (B,) rows of movies that somebody else rated.
    """

    user: Tensor
    liked: Tensor
    other: Tensor


class Ratings:
    """The training ratings as tensors; every rating counts as 1.

    Movies are drawn among those that somebody rated: a cold movie must not be learnt as disliked.
    """

    def __init__(self, train: Interactions) -> None:
        self.user = torch.from_numpy(train.user.astype("int64"))
        self.item = torch.from_numpy(train.item.astype("int64"))
        self.candidates = torch.from_numpy((train.item_counts() > 0).nonzero()[0])
        self._n_items = len(train.items)
        self._pairs = torch.sort(self.user * self._n_items + self.item).values
        self._rated = rated_mask(train.matrix()).astype(bool)

    def batches(self, size: int, rng: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Users and movies of all ratings once, in random order."""
        order = torch.randperm(len(self.user), generator=rng)
        for rows in torch.split(order, size):
            yield self.user[rows], self.item[rows]

    def triples(self, size: int, rng: torch.Generator) -> Iterator[Triples]:
        """All ratings once, in random order."""
        for user, item in self.batches(size, rng):
            yield Triples(user, item, self.unrated(user, rng))

    def drawn(self, count: int, rng: torch.Generator) -> Tensor:
        """(K,) rows of rated movies, all equally likely."""
        picks = torch.randint(len(self.candidates), (count,), generator=rng)
        return self.candidates[picks]

    def unrated(self, user: Tensor, rng: torch.Generator) -> Tensor:
        """(B,) for each user one rated movie that is not theirs."""
        other = self.drawn(len(user), rng)
        for _ in range(_DRAWS):
            taken = self.has(user, other).nonzero().squeeze(1)
            if not len(taken):
                break
            other[taken] = self.drawn(len(taken), rng)
        return other

    def has(self, user: Tensor, item: Tensor) -> Tensor:
        """(B,) whether users rated movies."""
        wanted = user * self._n_items + item
        place = torch.searchsorted(self._pairs, wanted).clamp(max=len(self._pairs) - 1)
        return self._pairs[place] == wanted

    def have(self, user: Tensor, items: Tensor) -> Tensor:
        """(B, K) whether each of some users rated each of some movies."""
        return torch.from_numpy(self._rated[user.numpy()].toarray())[:, items]

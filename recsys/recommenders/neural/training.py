"""How a network is trained: on drawn ratings, until valid says that it was enough.

Legend: U users, I items, D dimensions, N ratings, B of a batch, K drawn movies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.data.split import TrainingData
from recsys.evaluation.evaluator import RankingEvaluator, RankingTask
from recsys.queries.query import Floats, Query, Scorer, rated_mask
from recsys.recommenders.neural.models import Schedule

METRIC = "ndcg@10"

_DRAWS = 20
"""Times that a movie is drawn again because its user rated it: beyond, it is taken as it is. A user
who rated half of all movies is left with one in a million."""


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


class UserItemVectors(NamedTuple):
    """Vectors whose inner products are scores.

    Attributes:
        users: (U, D) float32.
        items: (I, D) float32.
    """

    users: Floats
    items: Floats

    def score(self, query: Query) -> Floats:
        """(Q, I) scores of users of training."""
        return self.users[query.users] @ self.items.T


class ValidEvaluator:
    """NDCG@10 on valid, by the project's evaluator.

    All movies but those of the training history are ranked; the movies of valid alone where they
    are cold, for so are those that will be evaluated.
    """

    def __init__(self, data: TrainingData) -> None:
        cold = data.cold_valid_items if len(data.cold_valid_items) else None
        task = RankingTask(data.valid, seen=data.train, candidates=cold)
        self._evaluator = RankingEvaluator(task) if len(data.valid) else None
        self._query = Query.known(data.train)

    def __call__(self, scorer: Scorer) -> float | None:
        """What a scorer reaches; None where there is nothing to evaluate by."""
        if self._evaluator is None:
            return None
        return self._evaluator.evaluate(scorer, self._query).means()[METRIC]


def n_trained(net: nn.Module) -> int:
    """How many numbers training moves."""
    return sum(parameter.numel() for parameter in net.parameters())


def improve(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down the gradient of a loss."""
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def train_until_best(
    net: nn.Module,
    run_epoch: Callable[[int], None],
    measure: Callable[[], float | None],
    schedule: Schedule,
) -> int:
    """Trains, and leaves the network as it was after its best epoch.

    Args:
        net: what is trained.
        run_epoch: trains for the epoch of a number.
        measure: the quality of the network as it is, higher better; None where it is not known.
        schedule: when to stop.

    Returns:
        The number of epochs after which the network is left.
    """
    best, kept, state = float("-inf"), 0, _copied(net)
    for epoch in range(1, schedule.epochs + 1):
        net.train()
        run_epoch(epoch)
        net.eval()
        quality = measure()
        if quality is None or quality > best:
            best = best if quality is None else quality
            kept, state = epoch, _copied(net)
        elif epoch - kept >= schedule.patience:
            break
    net.load_state_dict(state)
    return kept


def _copied(net: nn.Module) -> dict[str, object]:
    return {name: value.detach().clone() for name, value in net.state_dict().items()}

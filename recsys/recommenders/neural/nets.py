"""The networks of this package and how each is trained; the one module here that needs torch.

Legend: U users, I items, D dimensions of content, B of a batch; of VBPR: K factors, C content
factors; of CLCRec: E dimensions of a vector, K negatives; of DropoutNet: Q queries, R rank of what
is given, E rank of what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.split import TrainingData
from recsys.queries.query import Floats, Query, Scorer
from recsys.recommenders.base import Array
from recsys.recommenders.closed_form.ease import RankReducedEase
from recsys.recommenders.joint.training.devices import deterministic
from recsys.recommenders.joint.weights import generator
from recsys.recommenders.neural.models import CLCRecConfig, DropoutNetConfig, VBPRConfig
from recsys.recommenders.neural.training import (
    Ratings,
    Triples,
    UserItemVectors,
    ValidEvaluator,
    drawn,
    improve,
    n_trained,
    train_until_best,
)

_SMALLEST = 1e-8


def train_factors(
    kind: type[VBPRNet | CLCRecNet], config: Any, content: Floats, data: TrainingData
) -> Mapping[str, Array]:
    """The arrays of a network of users and movies, trained until NDCG@10 on valid stops rising."""
    ratings, rated = Ratings(data.train), torch.from_numpy(data.train.item_counts() > 0)
    with deterministic(config.seed, threads=1):
        net = kind(len(data.train.users), torch.from_numpy(content), config)
        _train(net, lambda rng: net.losses(ratings, rng), lambda: net.vectors(rated), data)
        learnt = net.vectors(rated)._asdict()
    return {**learnt, "parameters": np.array([n_trained(net)])}


def train_dropoutnet(
    config: DropoutNetConfig, given: RankReducedEase, content: Floats, data: TrainingData
) -> Mapping[str, Array]:
    """The arrays of DropoutNet, trained until NDCG@10 on valid stops rising."""
    users = torch.from_numpy(given.user_vectors(Query.known(data.train)))
    items = torch.from_numpy(given.item_vectors())
    with deterministic(config.seed, threads=1):
        rated = torch.from_numpy(data.train.item_counts() > 0)
        net = DropoutNets(Given(users, items, torch.from_numpy(content), rated), config)
        _train(net, net.losses, lambda: _Imitation(net, given, net.items()), data)
        return {**net.arrays(), "parameters": np.array([n_trained(net) + given.parameters])}


def _train(
    net: VBPRNet | CLCRecNet | DropoutNets,
    losses: Callable[[torch.Generator], Iterator[Tensor]],
    scorer: Callable[[], Scorer],
    data: TrainingData,
) -> None:
    """Train a network, by Adam, and leave it as it was when its scores on valid were best.

    Args:
        net: what is trained.
        losses: those of an epoch's batches, each computed once the last one was learnt from.
        scorer: what scores with the network as it is.
        data: whose valid part says when to stop.
    """
    evaluator, config = ValidEvaluator(data), net.config
    optimiser = torch.optim.Adam(net.parameters(), config.learning_rate)

    def run_epoch(number: int) -> None:
        for loss in losses(generator(config.seed, f"{net.stream}/{number}")):
            improve(optimiser, loss)

    train_until_best(net, run_epoch, lambda: evaluator(scorer()), config)


class VBPRNet(nn.Module):
    """The parameters of VBPR."""

    stream = "vbpr/triples"

    def __init__(self, n_users: int, content: Tensor, config: VBPRConfig) -> None:
        super().__init__()
        self.content, self.config = content, config
        n_items, dim = content.shape

        def parameter(name: str, *shape: int) -> nn.Parameter:
            return nn.Parameter(drawn(shape, 0.01, generator(config.seed, f"vbpr/{name}")))

        self.bias = nn.Parameter(torch.zeros(n_items))
        self.user = parameter("γ_u", n_users, config.factors)
        self.item = parameter("γ_i", n_items, config.factors)
        self.taste = parameter("θ", n_users, config.content_factors)
        self.embed = parameter("E", dim, config.content_factors)
        self.content_bias = nn.Parameter(torch.zeros(dim))

    def seen(self) -> tuple[Tensor, Tensor]:
        """(I, C) ``E f_i`` and (I,) ``β' · f_i``."""
        return self.content @ self.embed, self.content @ self.content_bias

    def losses(self, ratings: Ratings, rng: torch.Generator) -> Iterator[Tensor]:
        """Those of an epoch's batches of triples."""
        for triples in ratings.triples(self.config.batch, rng):
            yield self.loss(triples, self.config.reg)

    def loss(self, triples: Triples, reg: float) -> Tensor:
        """Mean over the triples."""
        user, taste = self.user[triples.user], self.taste[triples.user]
        placed, offset = self.seen()
        squares = user.square().sum() + taste.square().sum()
        sides: list[Tensor] = []
        for rows in (triples.liked, triples.other):
            item, bias = self.item[rows], self.bias[rows]
            squares = squares + item.square().sum() + bias.square().sum()
            content = (taste * placed[rows]).sum(1) + offset[rows]
            sides.append(bias + (user * item).sum(1) + content)
        ranking = nn.functional.softplus(sides[1] - sides[0]).mean()
        return ranking + reg * squares / len(user)

    @torch.no_grad()
    def vectors(self, rated: Tensor) -> UserItemVectors:
        """What the scores are inner products of."""
        placed, offset = self.seen()
        own = torch.cat([self.item, self.bias[:, None]], dim=1) * rated[:, None]
        items = torch.cat([own[:, :-1], placed, own[:, -1:] + offset[:, None]], dim=1)
        ones = torch.ones(len(self.user), 1)
        users = torch.cat([self.user, self.taste, ones], dim=1)
        return UserItemVectors(*(np.ascontiguousarray(tensor.numpy()) for tensor in (users, items)))


class CLCRecNet(nn.Module):
    """The parameters of CLCRec."""

    stream = "clcrec/batches"

    def __init__(self, n_users: int, content: Tensor, config: CLCRecConfig) -> None:
        super().__init__()
        self.content, self.config = content, config
        n_items, width = content.shape

        def parameter(name: str, *shape: int) -> nn.Parameter:
            std = (2 / sum(shape)) ** 0.5
            return nn.Parameter(drawn(shape, std, generator(config.seed, f"clcrec/{name}")))

        self.user = parameter("user", n_users, config.dim)
        self.item = parameter("item", n_items, config.dim)
        self.inner = parameter("inner", width, config.hidden)
        self.outer = parameter("outer", config.hidden, config.dim)
        self.inner_bias = nn.Parameter(torch.zeros(config.hidden))
        self.outer_bias = nn.Parameter(torch.zeros(config.dim))

    def encoded(self, rows: Tensor) -> Tensor:
        """(B, E) f of some movies."""
        hidden = nn.functional.leaky_relu(self.content[rows] @ self.inner + self.inner_bias)
        return hidden @ self.outer + self.outer_bias

    def losses(self, ratings: Ratings, rng: torch.Generator) -> Iterator[Tensor]:
        """Those of an epoch's batches of ratings."""
        for user, item in ratings.batches(self.config.batch, rng):
            yield self.loss(ratings, user, item, rng)

    def loss(self, ratings: Ratings, user: Tensor, item: Tensor, rng: torch.Generator) -> Tensor:
        """Mean over a batch of ratings."""
        config = self.config
        others = ratings.drawn(config.negatives, rng)
        ids, other_ids = self.item[item], self.item[others]
        met, place = torch.unique(torch.cat([item, others]), return_inverse=True)
        encoded = self.encoded(met)[place]
        features, other_features = encoded[: len(item)], encoded[len(item) :]
        told = _contrast(
            _unit(ids) / config.temperature,
            (_unit(features), _unit(other_features)),
            item[:, None] == others,
        )
        users = self.user[user]
        wanted = _contrast(
            users / config.temperature,
            (self._mixed(ids, features, rng), self._mixed(other_ids, other_features, rng)),
            ratings.have(user, others),
        )
        lengths = _mean_length(users) + _mean_length(torch.cat([ids, other_ids]))
        return config.balance * told + (1 - config.balance) * wanted + config.reg * lengths / 2

    def _mixed(self, ids: Tensor, features: Tensor, rng: torch.Generator) -> Tensor:
        swapped = torch.rand(len(ids), 1, generator=rng) < self.config.mixing
        return torch.where(swapped, features, ids)

    @torch.no_grad()
    def vectors(self, rated: Tensor) -> UserItemVectors:
        """Ids of the rated movies, content of the others."""
        items = self.encoded(torch.arange(len(self.content)))
        items[rated] = self.item[rated]
        return UserItemVectors(np.array(self.user.numpy()), np.array(items.numpy()))


def _contrast(anchors: Tensor, choices: tuple[Tensor, Tensor], barred: Tensor) -> Tensor:
    """Mean over the batch of ``−ln softmax`` of what belongs to an anchor.

    Args:
        anchors: (B, E), over the temperature.
        choices: (B, E) what belongs to each, and (K, E) what is drawn for all.
        barred: (B, K) the drawn ones that are none of an anchor's negatives.
    """
    belonging, others = choices
    right = (anchors * belonging).sum(1, keepdim=True)
    wrong = (anchors @ others.T).masked_fill(barred, -torch.inf)
    return torch.mean(torch.logsumexp(torch.cat([right, wrong], dim=1), dim=1) - right[:, 0])


def _unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors, dim=1)


def _mean_length(vectors: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1)
    return lengths.mean()


@dataclass(frozen=True)
class Given:
    """What the networks are shown.

    Attributes:
        users: (U, R) preferences.
        items: (I, R) preferences; those of movies that nobody rated mean nothing.
        content: (I, D).
        rated: (I,) bool.
    """

    users: Tensor
    items: Tensor
    content: Tensor
    rated: Tensor


class DropoutNets(nn.Module):
    """f_U and f_V."""

    stream = "dropoutnet/batches"

    def __init__(self, given: Given, config: DropoutNetConfig) -> None:
        super().__init__()
        self.config, self._given = config, given
        self.user_scale = Standardiser(given.users)
        preferences = Standardiser(given.items[given.rated])(given.items)
        self._preferences = torch.where(given.rated[:, None], preferences, 0.0)
        spread = (given.users @ given.items[given.rated].T).std()
        self._targets = given.items / spread.clamp(min=_SMALLEST)
        rank, width = given.users.shape[1], given.content.shape[1]
        sizes = (rank, config.hidden, rank), (rank + width, config.hidden, rank)
        self.of_user = _network(sizes[0], generator(config.seed, "dropoutnet/user"))
        self.of_item = _network(sizes[1], generator(config.seed, "dropoutnet/item"))

    def losses(self, rng: torch.Generator) -> Iterator[Tensor]:
        """Those of an epoch's batches of users."""
        order = torch.randperm(len(self._given.users), generator=rng)
        for rows in torch.split(order, self.config.batch):
            yield self.loss(rows, rng)

    def loss(self, rows: Tensor, rng: torch.Generator) -> Tensor:
        """Mean squared error of a batch of users over all rated movies and over their highest."""
        rated = self._given.rated
        withheld = torch.rand(len(rated), 1, generator=rng) < self.config.dropout
        preferences = torch.where(withheld, 0.0, self._preferences)[rated]
        items = self.of_item(torch.cat([preferences, self._given.content[rated]], dim=1))
        given = self._given.users[rows]
        targets = given @ self._targets[rated].T
        errors: Tensor = (self.of_user(self.user_scale(given)) @ items.T - targets).square()
        highest = targets.topk(min(self.config.top, targets.shape[1]), dim=1).indices
        return errors.mean() + errors.gather(1, highest).mean()

    @torch.no_grad()
    def users(self, preferences: Tensor) -> Floats:
        """(Q, E) of any users."""
        made: Floats = self.of_user(self.user_scale(preferences)).numpy()
        return made

    @torch.no_grad()
    def items(self) -> Floats:
        """(I, E) of all movies, with their preferences where there are any."""
        shown = torch.cat([self._preferences, self._given.content], dim=1)
        made: Floats = self.of_item(shown).numpy()
        return made

    @torch.no_grad()
    def arrays(self) -> dict[str, Array]:
        """f_U with the scale of what it is given, and the vectors of f_V."""
        names = "inner", "inner_bias", "outer", "outer_bias"
        learnt: dict[str, Tensor] = dict(zip(names, self.of_user.parameters(), strict=True))
        learnt |= {"mean": self.user_scale.mean, "std": self.user_scale.std}
        copies = {name: np.array(tensor.numpy()) for name, tensor in learnt.items()}
        return {**copies, "items": self.items()}


@dataclass(frozen=True)
class _Imitation:
    """The networks as they are between two epochs."""

    net: DropoutNets
    given: RankReducedEase
    items: Floats

    def score(self, query: Query) -> Floats:
        users = torch.from_numpy(self.given.user_vectors(query))
        return self.net.users(users) @ self.items.T


class Standardiser:
    """Columns brought to mean 0 and variance 1."""

    def __init__(self, vectors: Tensor) -> None:
        self.mean = vectors.mean(dim=0)
        self.std = vectors.std(dim=0, correction=0).clamp(min=_SMALLEST)

    def __call__(self, vectors: Tensor) -> Tensor:
        """The vectors on the scale of those it was made for."""
        return (vectors - self.mean) / self.std


def _network(sizes: tuple[int, int, int], rng: torch.Generator) -> nn.Sequential:
    """Linear, tanh, linear."""
    first, last = nn.Linear(sizes[0], sizes[1]), nn.Linear(sizes[1], sizes[2])
    for layer in (first, last):
        nn.init.xavier_normal_(layer.weight, generator=rng)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(first, nn.Tanh(), last)

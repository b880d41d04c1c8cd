"""The networks of this package and how each is trained; the one module here that needs torch.

Legend: U users, I items, D dimensions of content, B of a batch; of VBPR: K factors, C content
factors; of CLCRec: E dimensions of a vector, K negatives; of DropoutNet: Q queries, R rank of what
is given, E rank of what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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


def train_vbpr(config: VBPRConfig, content: Floats, data: TrainingData) -> Mapping[str, Array]:
    """The arrays of VBPR, trained until NDCG@10 on valid stops rising."""
    ratings, rated = Ratings(data.train), torch.from_numpy(data.train.item_counts() > 0)
    with deterministic(config.seed, threads=1):
        net = VBPRNet(len(data.train.users), torch.from_numpy(content), config)

        def epoch(rng: torch.Generator) -> Iterator[Tensor]:
            for triples in ratings.triples(config.batch, rng):
                yield net.loss(triples, config.reg)

        _train(net, config, "vbpr/triples", epoch, lambda: net.vectors(rated), data)
        return _factors(net.vectors(rated), net)


def train_clcrec(config: CLCRecConfig, content: Floats, data: TrainingData) -> Mapping[str, Array]:
    """The arrays of CLCRec, trained until NDCG@10 on valid stops rising."""
    ratings = Ratings(data.train)
    with deterministic(config.seed, threads=1):
        net = CLCRecNet(len(data.train.users), torch.from_numpy(content), config)

        def epoch(rng: torch.Generator) -> Iterator[Tensor]:
            for user, item in ratings.batches(config.batch, rng):
                yield net.loss(ratings, user, item, rng)

        _train(net, config, "clcrec/batches", epoch, lambda: net.vectors(ratings.candidates), data)
        return _factors(net.vectors(ratings.candidates), net)


def _factors(vectors: UserItemVectors, net: nn.Module) -> Mapping[str, Array]:
    return {**vectors._asdict(), "parameters": np.array([n_trained(net)])}


def train_dropoutnet(
    config: DropoutNetConfig, given: RankReducedEase, content: Floats, data: TrainingData
) -> Mapping[str, Array]:
    """The arrays of DropoutNet, trained until NDCG@10 on valid stops rising."""
    users = torch.from_numpy(given.user_vectors(Query.known(data.train)))
    items = torch.from_numpy(given.item_vectors())
    with deterministic(config.seed, threads=1):
        rated = torch.from_numpy(data.train.item_counts() > 0)
        net = DropoutNets(Given(users, items, torch.from_numpy(content), rated), config)

        def epoch(rng: torch.Generator) -> Iterator[Tensor]:
            for rows in torch.split(torch.randperm(len(users), generator=rng), config.batch):
                yield net.loss(rows, rng)

        _train(
            net,
            config,
            "dropoutnet/batches",
            epoch,
            lambda: _Imitation(net, given, net.items()),
            data,
        )
        return {**net.arrays(), "parameters": np.array([n_trained(net) + given.parameters])}


def _train(
    net: nn.Module,
    config: VBPRConfig | CLCRecConfig | DropoutNetConfig,
    stream: str,
    epoch: Callable[[torch.Generator], Iterator[Tensor]],
    scorer: Callable[[], Scorer],
    data: TrainingData,
) -> None:
    """Train a network, by Adam, and leave it as it was when its scores on valid were best.

    Args:
        net: what is trained.
        config: its hyper-parameters.
        stream: name of the random streams of its epochs.
        epoch: the losses of an epoch's batches, each computed once the last one was learnt from.
        scorer: what scores with the network as it is.
        data: whose valid part says when to stop.
    """
    evaluator = ValidEvaluator(data)
    optimiser = torch.optim.Adam(net.parameters(), config.learning_rate)

    def run_epoch(number: int) -> None:
        for loss in epoch(generator(config.seed, f"{stream}/{number}")):
            improve(optimiser, loss)

    train_until_best(net, run_epoch, lambda: evaluator(scorer()), config)


class VBPRNet(nn.Module):
    """The parameters of VBPR."""

    def __init__(self, n_users: int, content: Tensor, config: VBPRConfig) -> None:
        super().__init__()
        n_items, dim = content.shape
        self.content = content

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

    def __init__(self, given: Given, config: DropoutNetConfig) -> None:
        super().__init__()
        self._config, self._given = config, given
        self.user_scale = Standardiser(given.users)
        preferences = Standardiser(given.items[given.rated])(given.items)
        self._preferences = torch.where(given.rated[:, None], preferences, 0.0)
        spread = (given.users @ given.items[given.rated].T).std()
        self._targets = given.items / spread.clamp(min=_SMALLEST)
        rank, width = given.users.shape[1], given.content.shape[1]
        sizes = (rank, config.hidden, rank), (rank + width, config.hidden, rank)
        self.of_user = _network(sizes[0], generator(config.seed, "dropoutnet/user"))
        self.of_item = _network(sizes[1], generator(config.seed, "dropoutnet/item"))

    def loss(self, rows: Tensor, rng: torch.Generator) -> Tensor:
        """Mean squared error of a batch of users over all rated movies and over their highest."""
        rated = self._given.rated
        withheld = torch.rand(len(rated), 1, generator=rng) < self._config.dropout
        preferences = torch.where(withheld, 0.0, self._preferences)[rated]
        items = self.of_item(torch.cat([preferences, self._given.content[rated]], dim=1))
        given = self._given.users[rows]
        targets = given @ self._targets[rated].T
        errors: Tensor = (self.of_user(self.user_scale(given)) @ items.T - targets).square()
        highest = targets.topk(min(self._config.top, targets.shape[1]), dim=1).indices
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

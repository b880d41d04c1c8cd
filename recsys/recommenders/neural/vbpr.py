"""VBPR: matrix factorisation by pairs, half of it on content.

Legend: U users, I items, D dimensions of content, K factors, C content factors, B triples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import ConfigError
from recsys.recommenders.joint.training.devices import deterministic
from recsys.recommenders.neural.content import content_matrix
from recsys.recommenders.neural.known_users import Factors, KnownUsers
from recsys.recommenders.neural.sampling import Ratings, Triples, drawn, generator
from recsys.recommenders.neural.stopping import (
    Schedule,
    ValidJudge,
    improve,
    n_trained,
    train_until_best,
)


@dataclass(frozen=True)
class VBPRConfig:
    """How VBPR is trained.

    On the validation part of RecBole's split of MovieLens-100K (seed 2020, five modalities) a
    ``reg`` of 0.0001, 0.001, 0.003 and 0.01 reaches an NDCG@10 of 0.219, 0.217, 0.218 and 0.209,
    and 0.218 without content. Over the cold validation movies of its cold-item splits (seeds 2020
    and 2021) 0.001, 0.01, 0.03 and 0.1 reach 0.340, 0.355, 0.344 and 0.339.

    Attributes:
        modality: the only one that is looked at; all unless given.
        factors: K of the movies' ids.
        content_factors: C; 0 leaves the content out, which is BPR-MF.
        reg: λ of the squares of all vectors of a triple.
        learning_rate: of Adam.
        batch: triples of a step.
        schedule: when training stops.
        seed: of every random number.

    Raises:
        ConfigError: a number of factors or λ is negative, or the learning rate not positive.
    """

    name: ClassVar[str] = "vbpr"

    modality: str | None = None
    factors: int = 32
    content_factors: int = 32
    reg: float = 0.001
    learning_rate: float = 0.005
    batch: int = 2048
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0

    def __post_init__(self) -> None:
        sizes = self.factors >= 0 and self.content_factors >= 0 and self.batch >= 1
        if not sizes or not self.reg >= 0 or not self.learning_rate > 0:
            raise ConfigError(f"{self}: the rates must be positive, the sizes not negative")


class VBPR(KnownUsers):
    """He and McAuley, VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback, AAAI 2016.

    With f_i the content of movie i (eq. 4 there, without the terms that are equal for all movies),

        x_ui = β_i + γ_u · γ_i + θ_u · (E f_i) + β' · f_i,

    trained for ``Σ ln σ(x_ui − x_uj) − λ ‖Θ‖²`` over ratings (u, i) and movies j that u did not
    rate (eq. 7), here by Adam on batches; E and β' are not regularised, as in the authors' runs. A
    movie that nobody rated has content alone: its β_i and γ_i are 0.
    """

    def __init__(self, config: VBPRConfig | None = None) -> None:
        super().__init__()
        self.config = config or VBPRConfig()
        modality, name = self.config.modality, self.config.name
        self.name = name if modality is None else f"{name}:{modality}"

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:
        """Trains until NDCG@10 on valid stops rising; every rating counts as 1.

        Raises:
            ConfigError: the movies do not have the modality.
            DataError: the movies have no modality at all.
        """
        config, ratings = self.config, Ratings(train)
        content = torch.zeros(len(train.items), 0)
        if config.content_factors:
            content = torch.from_numpy(content_matrix(catalogue, config.modality, self.name))
        with deterministic(config.seed, threads=1):
            net = _Net(len(train.users), content, config)
            rated = torch.zeros(len(train.items), dtype=torch.bool)
            rated[ratings.candidates] = True
            judge = ValidJudge(train, valid)
            optimiser = torch.optim.Adam(net.parameters(), config.learning_rate)

            def run_epoch(number: int) -> None:
                rng = generator(config.seed, f"vbpr/triples/{number}")
                for triples in ratings.triples(config.batch, rng):
                    improve(optimiser, net.loss(triples, config.reg))

            train_until_best(net, run_epoch, lambda: judge(net.vectors(rated)), config.schedule)
            self._factors, self._n_learnt = net.vectors(rated), n_trained(net)
        return self


class _Net(nn.Module):
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
    def vectors(self, rated: Tensor) -> Factors:
        """What the scores are inner products of."""
        placed, offset = self.seen()
        own = torch.cat([self.item, self.bias[:, None]], dim=1) * rated[:, None]
        items = torch.cat([own[:, :-1], placed, own[:, -1:] + offset[:, None]], dim=1)
        ones = torch.ones(len(self.user), 1)
        users = torch.cat([self.user, self.taste, ones], dim=1)
        return Factors(*(np.ascontiguousarray(tensor.numpy()) for tensor in (users, items)))

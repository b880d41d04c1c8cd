"""CLCRec: content vectors that tell a movie's own id from others by contrast.

Legend: U users, I items, D dimensions of content, E dimensions of a vector, B ratings, K negatives.
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
from recsys.recommenders.neural.sampling import Ratings, drawn, generator
from recsys.recommenders.neural.stopping import (
    Schedule,
    ValidJudge,
    improve,
    n_trained,
    train_until_best,
)


@dataclass(frozen=True)
class CLCRecConfig:
    """How CLCRec is trained.

    Over the cold validation movies of MovieLens-100K's cold-item splits (seeds 2020 and 2021, five
    modalities) a ``temperature`` of 0.2, 0.5 and 1 reaches an NDCG@10 of 0.342, 0.351 and 0.350; a
    ``balance`` of 0.9 reaches 0.301.

    Attributes:
        dim: E.
        hidden: width of the encoder's hidden layer.
        balance: λ, the weight of telling ids by content; 1 − λ is that of telling users' movies.
        mixing: ρ, how often content stands in for a movie's id.
        temperature: τ.
        reg: weight of the lengths of id vectors.
        negatives: K, drawn for each batch.
        learning_rate: of Adam.
        batch: ratings of a step.
        schedule: when training stops.
        seed: of every random number.

    Raises:
        ConfigError: λ or ρ is outside 0 to 1, or τ or the learning rate not positive.
    """

    name: ClassVar[str] = "clcrec"

    dim: int = 64
    hidden: int = 256
    balance: float = 0.5
    mixing: float = 0.5
    temperature: float = 0.5
    reg: float = 0.1
    negatives: int = 512
    learning_rate: float = 0.003
    batch: int = 4096
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.balance <= 1 or not 0 <= self.mixing <= 1:
            raise ConfigError(f"{self}: balance and mixing must be from 0 to 1")
        if not self.temperature > 0 or not self.learning_rate > 0:
            raise ConfigError(f"{self}: temperature and learning_rate must be above 0")


class CLCRec(KnownUsers):
    """Wei et al., Contrastive Learning for Cold-start Recommendation, ACM Multimedia 2021.

    With e_u, e_i vectors of ids and f_i a two-layer network of the content of movie i, training
    minimises ``λ L_RE + (1 − λ) L_UI + η (mean ‖e_u‖ + mean ‖e_i‖) / 2``, where over ratings (u, i)
    and drawn movies j

        L_RE = −ln softmax of cos(e_i, f_·) / τ at i, among i and all j ≠ i,
        L_UI = −ln softmax of e_u · h_· / τ at i, among i and the j that u did not rate,

    and h is f with probability ρ and e otherwise. A rated movie is scored by ``e_u · e_i``, another
    by ``e_u · f_i``. The negatives are drawn once for a batch, where the authors draw them for each
    rating.
    """

    def __init__(self, config: CLCRecConfig | None = None) -> None:
        super().__init__()
        self.config = config or CLCRecConfig()
        self.name = self.config.name

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:
        """Trains until NDCG@10 on valid stops rising; every rating counts as 1.

        Raises:
            DataError: the movies have no modality.
        """
        config, ratings = self.config, Ratings(train)
        content = torch.from_numpy(content_matrix(catalogue, None, self.name))
        with deterministic(config.seed, threads=1):
            net = _Net(len(train.users), content, config)
            judge = ValidJudge(train, valid)
            optimiser = torch.optim.Adam(net.parameters(), config.learning_rate)

            def run_epoch(number: int) -> None:
                rng = generator(config.seed, f"clcrec/batches/{number}")
                for user, item in ratings.batches(config.batch, rng):
                    improve(optimiser, net.loss(ratings, user, item, rng))

            def vectors() -> Factors:
                return net.vectors(ratings.candidates)

            train_until_best(net, run_epoch, lambda: judge(vectors()), config.schedule)
            self._factors, self._n_learnt = vectors(), n_trained(net)
        return self


class _Net(nn.Module):
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
    def vectors(self, rated: Tensor) -> Factors:
        """Ids of the rated movies, content of the others."""
        items = self.encoded(torch.arange(len(self.content)))
        items[rated] = self.item[rated]
        return Factors(np.array(self.user.numpy()), np.array(items.numpy()))


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

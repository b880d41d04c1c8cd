"""DropoutNet: a network that learns to do without the preferences that a cold movie has not got.

Legend: Q queries, I items, R rank of what is given, E rank of what is made of it, B users of a
batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Query, rated_mask
from recsys.recommenders.base import Array, Facts, Floats, VectorModel
from recsys.recommenders.closed_form.low_rank import RankReducedEase, RankReducedEaseConfig
from recsys.recommenders.neural.common import Schedule, content_matrix, networks


@dataclass(frozen=True)
class DropoutNetConfig(Schedule):
    """How DropoutNet is trained, besides when training stops.

    The defaults reach an NDCG@10 of 0.315 over the cold validation movies of MovieLens-100K's
    cold-item splits (seeds 2020 and 2021, five modalities). With batches of 64, hidden layers of
    256, 512 and 1024 units reach 0.288, 0.313 and 0.301.

    Attributes:
        rank: R of the preferences that it is given; E is the same.
        l2: λ of EASE, whose preferences they are.
        hidden: units of the one hidden layer of either network.
        dropout: how often a movie's preferences are withheld.
        top: movies of each user that count a second time, those with the highest scores.
        learning_rate: of Adam.
        batch: B.
        seed: of every random number.

    Raises:
        ConfigError: the dropout is outside 0 to 1, or the learning rate not positive.
    """

    rank: int = 64
    l2: float = 300.0
    hidden: int = 512
    dropout: float = 0.5
    top: int = 100
    learning_rate: float = 0.001
    batch: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.dropout <= 1 or not self.learning_rate > 0:
            raise ConfigError(f"{self}: dropout must be from 0 to 1, learning_rate above 0")
        if min(self.hidden, self.top, self.batch) < 1:
            raise ConfigError(f"{self}: the sizes must be at least 1")


class DropoutNet(VectorModel):
    """Volkovs et al., DropoutNet: Addressing Cold Start in Recommender Systems, NIPS 2017.

    Given preferences U_u and V_i of a model of the ratings, and content Φ_i, two networks with a
    tanh layer minimise the squared error of ``f_U(U_u) · f_V(V_i, Φ_i)`` as a stand-in for
    ``U_u · V_i`` (eq. 2 there), where V_i is replaced by 0 half of the time (Algorithm 1). So f_V
    learns to do without it, which is how a movie that nobody rated is placed. As in the paper, the
    pairs of a step are random movies and each user's highest ones; here all of them are taken.

    The given model is EASE cut to rank R, whose users are functions of a history: a user who was
    not in training is an ordinary query. There is no content of users, so that U_u is never
    withheld.
    """

    name = "dropoutnet"
    config_class = DropoutNetConfig
    facts = Facts(
        "embeddings",
        "networks of preferences and content that learn to do without the preferences",
        "Volkovs et al., NIPS 2017",
        reads_content=True,
        random=True,
        stops_early=True,
        library="torch",
        extra="train",
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Trains until NDCG@10 on valid stops rising; every rating counts as 1.

        Raises:
            ConfigError: λ of EASE is not positive.
            DataError: the movies have no modality.
            MissingExtra: torch is not installed.
        """
        config, train = self.config, networks().train_dropoutnet
        content = content_matrix(data.catalogue, None, self.name)
        given = RankReducedEase(RankReducedEaseConfig(config.rank, config.l2)).fit(data)
        return {"into": given.arrays()["into"], **train(config, given, content, data)}

    def user_vectors(self, query: Query) -> Floats:
        """(Q, E) f_U of the preferences of a history."""
        learnt = self.arrays()
        self._require_items(query, len(learnt["into"]))
        preferences = rated_mask(query.histories) @ learnt["into"]
        # In float64, so that a user alone gets the vector of a batch.
        scaled = ((preferences - learnt["mean"]) / learnt["std"]).astype(np.float64)
        hidden = np.tanh(scaled @ learnt["inner"].T + learnt["inner_bias"])
        made = hidden @ learnt["outer"].T + learnt["outer_bias"]
        return np.asarray(made, dtype=np.float32)

    def item_vectors(self) -> Floats:
        """(I, E) f_V."""
        return np.array(self.arrays()["items"])

    @property
    def parameters(self) -> int:
        """Numbers learnt, those of the given model and of f_V among them."""
        return int(self.arrays()["parameters"][0])

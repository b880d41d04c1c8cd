"""What the models of this package have in common before any network is made; no torch is needed.

Legend: I items, D dimensions of all modalities together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from recsys.data.catalogue import Catalogue
from recsys.data.split import TrainingData
from recsys.queries.query import Floats, Query, rated_mask
from recsys.recommenders.base import Array, Facts, imported
from recsys.recommenders.closed_form.ease import RankReducedEase, RankReducedEaseConfig
from recsys.recommenders.content.kernel import centred_vectors, modality_tables, unit
from recsys.recommenders.linear import KnownUserFactors, VectorModel
from recsys.recommenders.options import Options, Share

COMPONENTS = 512
"""Of the five modalities of MovieLens-100K they hold 93 % of the variance, and kernel ridge
regression ranks cold movies as well by them as by all 2,144 columns."""


@dataclass(frozen=True, kw_only=True)
class Schedule(Options):
    """How long is trained; part of the hyper-parameters of every model here.

    Attributes:
        epochs: at most; exactly so many where valid is empty.
        patience: epochs without a better NDCG@10 on valid until training stops.
    """

    epochs: PositiveInt = 200
    patience: PositiveInt = 10


def content_matrix(
    catalogue: Catalogue, modality: str | None, name: str, components: int = COMPONENTS
) -> Floats:
    """(I, D) the centred directions of the modalities side by side, turned to principal axes.

    The first layer of every network is linear, so turning the axes takes nothing away from it, and
    leaving out the least of them keeps it small. A modality that a movie lacks is 0, which is the
    average movie.

    Args:
        catalogue: the movies.
        modality: the only one that is looked at; None for all.
        name: of the recommender that looks.
        components: the most axes that are kept.

    Raises:
        ConfigError: the movies do not have the modality.
        DataError: the movies have no modality at all.
    """
    tables = modality_tables(catalogue.modalities, modality, name)
    stacked = np.hstack([unit(centred_vectors(table)) for table in tables])
    if min(stacked.shape) > components:
        left, singular, _ = scipy.linalg.svd(stacked, full_matrices=False)
        stacked = left[:, :components] * singular[:components]
    return np.ascontiguousarray(stacked, dtype=np.float32)


_TRAINED: Any = {"reads_content": True, "random": True, "stops_early": True}
_TRAINED |= {"library": "torch", "extra": "train"}
"""What all models here have in common."""


def _nets() -> Any:
    return imported("recsys.recommenders.neural.nets", "torch", "train")


@dataclass(frozen=True)
class VBPRConfig(Schedule):
    """How VBPR is trained, besides when training stops.

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
        seed: of every random number.
    """

    modality: str | None = None
    factors: NonNegativeInt = 32
    content_factors: NonNegativeInt = 32
    reg: NonNegativeFloat = 0.001
    learning_rate: PositiveFloat = 0.005
    batch: PositiveInt = 2048
    seed: int = 0


class VBPR(KnownUserFactors):
    """He and McAuley, VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback, AAAI 2016.

    With f_i the content of movie i (eq. 4 there, without the terms that are equal for all movies),

        x_ui = β_i + γ_u · γ_i + θ_u · (E f_i) + β' · f_i,

    trained for ``Σ ln σ(x_ui − x_uj) − λ ‖Θ‖²`` over ratings (u, i) and movies j that u did not
    rate (eq. 7), here by Adam on batches; E and β' are not regularised, as in the authors' runs. A
    movie that nobody rated has content alone: its β_i and γ_i are 0.
    """

    name = "vbpr"
    config_class = VBPRConfig
    facts = Facts(
        "factors",
        "matrix factorisation by pairs, half of it on content",
        "He and McAuley, AAAI 2016",
        folds_in=False,
        **_TRAINED,
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Trains until NDCG@10 on valid stops rising; every rating counts as 1.

        Raises:
            ConfigError: the movies do not have the modality.
            DataError: the movies have no modality at all.
            MissingExtra: torch is not installed.
        """
        content = np.zeros((len(data.train.items), 0), dtype=np.float32)
        if self.config.content_factors:
            content = content_matrix(data.catalogue, self.config.modality, self.name)
        nets = _nets()
        arrays: Mapping[str, Array] = nets.train_factors(nets.VBPRNet, self.config, content, data)
        return arrays


@dataclass(frozen=True)
class CLCRecConfig(Schedule):
    """How CLCRec is trained, besides when training stops.

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
        seed: of every random number.
    """

    dim: int = 64
    hidden: int = 256
    balance: Share = 0.5
    mixing: Share = 0.5
    temperature: PositiveFloat = 0.5
    reg: float = 0.1
    negatives: int = 512
    learning_rate: PositiveFloat = 0.003
    batch: int = 4096
    seed: int = 0


class CLCRec(KnownUserFactors):
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

    name = "clcrec"
    config_class = CLCRecConfig
    facts = Facts(
        "factors",
        "content vectors that tell a movie's id from others by contrast",
        "Wei et al., ACM Multimedia 2021",
        folds_in=False,
        **_TRAINED,
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Trains until NDCG@10 on valid stops rising; every rating counts as 1.

        Raises:
            DataError: the movies have no modality.
            MissingExtra: torch is not installed.
        """
        content = content_matrix(data.catalogue, None, self.name)
        nets = _nets()
        arrays: Mapping[str, Array] = nets.train_factors(nets.CLCRecNet, self.config, content, data)
        return arrays


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
    """

    rank: int = 64
    l2: float = 300.0
    hidden: PositiveInt = 512
    dropout: Share = 0.5
    top: PositiveInt = 100
    learning_rate: PositiveFloat = 0.001
    batch: PositiveInt = 256
    seed: int = 0


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
        **_TRAINED,
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Trains until NDCG@10 on valid stops rising; every rating counts as 1.

        Raises:
            ConfigError: λ of EASE is not positive.
            DataError: the movies have no modality.
            MissingExtra: torch is not installed.
        """
        config, train = self.config, _nets().train_dropoutnet
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

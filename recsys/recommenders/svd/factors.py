"""Vectors of users and movies, and how stochastic gradient descent moves them.

Legend: U users, I items, T ratings of a visit, K factors; μ mean, b bias, p and q vectors, y what
having rated a movie tells of its rater; γ learning rate, λ regularisation, e error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions, RatingScale
from recsys.errors import ConfigError
from recsys.recommenders.svd.sgd import MAX_VISIT, Descent, Floats
from recsys.seeding import stream


@dataclass(frozen=True)
class FactorConfig:
    """How factors are learnt.

    Attributes:
        factors: K.
        epochs: passes over the ratings.
        lr: γ of every parameter.
        reg: λ of every parameter.
        init_std: standard deviation of the vectors before training.
        seed: of the vectors before training; nothing else is random.

    Raises:
        ConfigError: a value is out of its range.
    """

    factors: int
    epochs: int
    lr: float
    reg: float
    init_std: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.factors < 1 or self.epochs < 1 or not self.init_std >= 0:
            raise ConfigError(f"{self}: factors ≥ 1, epochs ≥ 1 and init_std ≥ 0 are needed")
        Descent(self.lr, self.reg)


class Visit(NamedTuple):
    """T ratings of one user, no movie twice."""

    user: int
    movies: NDArray[np.int32]
    ratings: Floats


class Answer(NamedTuple):
    """A user's bias and (K,) vector."""

    bias: float
    vector: Floats


def visits(train: Interactions) -> Iterator[Visit]:
    """One epoch: user by user, and each user's ratings in the order of their rows."""
    order = np.argsort(train.user, kind="stable")
    ends = np.cumsum(train.user_counts()).tolist()
    for user, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        for first in range(start, end, MAX_VISIT):
            rows = order[first : min(first + MAX_VISIT, end)]
            yield Visit(user, train.item[rows], train.rating[rows].astype(np.float64))


@dataclass(frozen=True)
class Factors:
    """``μ + b_u + b_i + q_i·(p_u + |N(u)|^-½ Σ_{j∈N(u)} y_j)``; training changes them in place.

    Attributes:
        mean: μ.
        scale: of the training ratings.
        known: (U,) who has training ratings.
        rated: (I,) which movies have.
        user_bias: (U,) b_u.
        user: (U, K) p_u.
        item_bias: (I,) b_i, 0 for a movie nobody rated.
        item: (I, K) q_i, 0 for a movie nobody rated.
        implicit: (I, K) y_j, 0 for a movie nobody rated; not read where N(u) is left empty.
    """

    mean: float
    scale: RatingScale
    known: NDArray[np.bool_]
    rated: NDArray[np.bool_]
    user_bias: Floats
    user: Floats
    item_bias: Floats
    item: Floats
    implicit: Floats

    @classmethod
    def start(cls, train: Interactions, config: FactorConfig, name: str) -> Self:
        """Normal vectors and no biases; the vectors of what training lacks are 0 and stay so.

        Raises:
            ConfigError: there is no rating to learn from.
        """
        if not len(train):
            raise ConfigError(f"{name} cannot be fitted on no ratings")
        known, rated = train.user_counts() > 0, train.item_counts() > 0
        seen = np.concatenate([known, rated, rated])
        random = stream(config.seed, name)
        normal = random.normal(scale=config.init_std, size=(len(seen), config.factors))
        user, item, implicit = np.split(normal * seen[:, None], [len(known), -len(rated)])
        mean = float(train.rating.mean(dtype=np.float64))
        user_bias, item_bias = np.zeros(len(known)), np.zeros(len(rated))
        return cls(mean, train.scale, known, rated, user_bias, user, item_bias, item, implicit)

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> Self:
        """What ``arrays`` gave."""
        mean, low, high = (float(number) for number in arrays["numbers"])
        rest = {f.name: arrays[f.name] for f in fields(cls) if f.name not in ("mean", "scale")}
        return cls(mean, RatingScale(low, high), **rest)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name, for storage."""
        rest = {f.name: getattr(self, f.name) for f in fields(self)}
        del rest["mean"], rest["scale"]
        return {"numbers": np.array([self.mean, self.scale.low, self.scale.high]), **rest}

    def choice(self, chosen: NDArray[np.int32]) -> Floats:
        """(K,) ``|N|^-½ Σ y_j`` over the movies N; 0 for none."""
        return np.asarray(self.implicit[chosen].sum(axis=0) / np.sqrt(max(len(chosen), 1)))

    def learn(self, visit: Visit, chosen: NDArray[np.int32], descent: Descent) -> None:
        """Take one step on each rating of a visit, in their order.

        ``b ← b + γ(e − λb)`` for both biases, ``q_i ← q_i + γ(e (p_u + |N|^-½ Σ y_j) − λq_i)``,
        ``p_u ← p_u + γ(e q_i − λp_u)``, ``y_j ← y_j + γ(e |N|^-½ q_i − λy_j)`` for all j ∈ N. The
        sum over y_j then takes the same step as p_u, hence two copies.

        Args:
            visit: the ratings.
            chosen: N, empty to leave y out.
            descent: γ and λ.
        """
        user, movies, ratings = visit
        vectors, biases = self.item[movies], self.item_bias[movies]
        start = self.user[user] + self.choice(chosen)
        target = ratings - self.mean - biases
        copies = 2 if len(chosen) else 1
        steps = descent.visit(target, vectors, self.user_bias[user], start, copies)
        self.item[movies] = descent.decay * vectors + descent.lr * steps.error[:, None] * steps.met
        self.item_bias[movies] = descent.decay * biases + descent.lr * steps.error
        self.user_bias[user] = steps.bias
        self.user[user] = steps.decay * self.user[user] + steps.gained
        if len(chosen):
            share = steps.gained / np.sqrt(len(chosen))
            self.implicit[chosen] = steps.decay * self.implicit[chosen] + share

    def fold_in(self, visit: Visit, chosen: NDArray[np.int32], config: FactorConfig) -> Answer:
        """Bias and vector of somebody with these ratings: the same steps, but the movies rest."""
        choice, vectors = self.choice(chosen), self.item[visit.movies]
        target = visit.ratings - self.mean - self.item_bias[visit.movies] - vectors @ choice
        descent, bias, learnt = Descent(config.lr, config.reg), 0.0, np.zeros_like(choice)
        for _ in range(config.epochs):
            for first in range(0, len(target), MAX_VISIT):
                now = slice(first, first + MAX_VISIT)
                steps = descent.visit(target[now], vectors[now], bias, learnt)
                bias, learnt = steps.bias, steps.decay * learnt + steps.gained
        return Answer(bias, learnt + choice)

"""Vectors of users and movies, and how stochastic gradient descent moves them.

Legend: U users, I items, T ratings of a visit, K factors; μ mean, b bias, p and q vectors, y what
having rated a movie tells of its rater; γ learning rate, λ regularisation, e error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveInt
from scipy.linalg import solve_triangular

from recsys.data.interactions import Interactions, RatingScale
from recsys.errors import ConfigError
from recsys.recommenders.options import Options
from recsys.seeding import stream

Floats = NDArray[np.float64]

MAX_VISIT = 512
"""Most ratings that are stepped through at once; a longer sequence is continued in the next."""


class Steps(NamedTuple):
    """What T steps came to.

    Attributes:
        error: (T,) e of each step, before its update.
        met: (T, K) the user's vector as each step found it.
        bias: of the user, after the last step.
        gained: (K,) what the steps added to the user's vector, which they also decayed.
        decay: by what T steps multiplied whatever they take part of away.
    """

    error: Floats
    met: Floats
    bias: float
    gained: Floats
    decay: float


@dataclass(frozen=True)
class Descent:
    """A step on one rating: ``b ← b + γ(e − λb)`` and ``p ← p + γ(e q − λp)``.

    Attributes:
        lr: γ.
        reg: λ.

    Raises:
        ConfigError: γ is not above 0, λ is below 0, or a step would take more than there is.
    """

    lr: float
    reg: float

    def __post_init__(self) -> None:
        if not (self.lr > 0 and self.reg >= 0 and self.lr * self.reg < 1):
            raise ConfigError(f"{self}: lr > 0, reg ≥ 0 and lr × reg < 1 are needed")

    @property
    def decay(self) -> float:
        """1 − γλ, the share of a parameter that a step leaves."""
        return 1 - self.lr * self.reg

    @cached_property
    def _powers(self) -> Floats:
        return np.asarray(self.decay ** np.arange(MAX_VISIT + 1.0))

    @cached_property
    def _memory(self) -> Floats:
        """Row t, column s < t: the share of step s's contribution that step t still sees."""
        ago = np.subtract.outer(np.arange(MAX_VISIT), np.arange(MAX_VISIT)) - 1
        return np.asarray(np.where(ago >= 0, self._powers[np.maximum(ago, 0)], 0.0))

    def visit(
        self, target: Floats, movies: Floats, bias: float, vector: Floats, copies: int = 1
    ) -> Steps:
        """The steps of one user on T ≤ ``MAX_VISIT`` different movies.

        Step t predicts ``b + q_t·z`` and both learn from ``e_t``: with d the decay,
        ``z_t = dᵗ z_0 + c γ Σ_{s<t} d^{t-1-s} e_s q_s``, likewise b, and so
        ``e_t + γ Σ_{s<t} d^{t-1-s} (c q_t·q_s + 1) e_s = r_t − dᵗ (b_0 + q_t·z_0)``.

        Args:
            target: (T,) ratings less what is not learnt of the user.
            movies: (T, K) q, as they are before the visit.
            bias: b before it.
            vector: (K,) z before it.
            copies: c, how many summands of z take the same step.
        """
        n = len(target)
        powers, memory = self._powers[:n], self._memory[:n, :n]
        system = self.lr * memory * (copies * (movies @ movies.T) + 1)
        start = target - powers * (bias + movies @ vector)
        error = solve_triangular(system, start, lower=True, unit_diagonal=True, check_finite=False)
        met = np.outer(powers, vector) + copies * self.lr * (memory * error) @ movies
        last = self.lr * self._powers[n - 1 :: -1][:n] * error
        shrunk = float(self._powers[n])
        return Steps(error, met, shrunk * bias + float(last.sum()), last @ movies, shrunk)


@dataclass(frozen=True)
class SvdConfig(Options):
    """How factors are learnt; the defaults are those of the library Surprise.

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

    factors: PositiveInt = 100
    epochs: PositiveInt = 20
    lr: float = 0.005
    reg: float = 0.02
    init_std: NonNegativeFloat = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
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
    def start(cls, train: Interactions, config: SvdConfig, name: str) -> Self:
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

    def fold_in(self, visit: Visit, chosen: NDArray[np.int32], config: SvdConfig) -> Answer:
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

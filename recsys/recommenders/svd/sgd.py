"""Stochastic gradient descent over one user's ratings, step by step, without a loop over them.

Matrix factorisation by SGD is sequential: each step changes what the next one sees. But the ratings
of one user are of different movies, so only what the steps learn about the user is passed from one
to the next, and that is linear in the errors the steps made. The errors of the whole sequence
therefore solve a triangular system, and all updates follow from them: the very numbers of the loop,
at the speed of matrix products.

Legend: T ratings of one user, in order; K factors; γ learning rate, λ regularisation, e error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from recsys.errors import ConfigError

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

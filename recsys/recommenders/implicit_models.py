"""Two models of the library ``implicit``: weighted matrix factorisation and BPR.

``implicit`` is optional; it comes with ``recsys[bench]``.

Legend: Q queries, U users, I items, D factors.
"""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import ConfigError, MissingExtra
from recsys.queries.query import Query
from recsys.recommenders.checks import require_fitted, require_items, require_users
from recsys.recommenders.joint.histories import rated_mask
from recsys.seeding import seed_for


@dataclass(frozen=True)
class ImplicitALSConfig:
    """How the weighted factorisation is fitted.

    The defaults come within 0.002 of the best NDCG@10 of 36 settings on the validation part of
    RecBole's split of MovieLens-100K.

    Attributes:
        factors: D.
        regularization: λ of both sides.
        alpha: c, how much a rated movie weighs against one that was not rated, which weighs 1.
        iterations: alternations between the two sides.
        seed: of the factors that it starts from.

    Raises:
        ConfigError: a value is not positive; the seed may be anything.
    """

    factors: int = 64
    regularization: float = 20.0
    alpha: float = 2.0
    iterations: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        _require_positive(self, self.factors, self.regularization, self.alpha, self.iterations)


@dataclass(frozen=True)
class ImplicitBPRConfig:
    """How BPR is fitted.

    The defaults did best of 24 settings on the validation part of RecBole's split of
    MovieLens-100K.

    Attributes:
        factors: D - 1; one more holds the biases of the movies.
        learning_rate: of the stochastic gradient steps.
        regularization: λ of factors and biases.
        iterations: passes over the training ratings.
        seed: of the factors that it starts from and of what is drawn.

    Raises:
        ConfigError: a value is not positive; the seed may be anything.
    """

    factors: int = 32
    learning_rate: float = 0.01
    regularization: float = 0.001
    iterations: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        _require_positive(
            self, self.factors, self.learning_rate, self.regularization, self.iterations
        )


class _Factorisation:
    """What is read of a fitted model of the library."""

    name: str
    _model: Any = None

    def item_vectors(self) -> NDArray[np.float32]:
        """(I, D) factors, the bias of a movie among them where there is one."""
        factors = require_fitted(self._model, self.name).item_factors
        return np.array(factors, dtype=np.float32)

    @property
    def parameters(self) -> int:
        """Numbers learnt, those of users included."""
        model = require_fitted(self._model, self.name)
        return int(model.user_factors.size + model.item_factors.size)


class ImplicitALS(_Factorisation):
    """iALS: every user is folded in from their history, so an unknown one is like any other.

    Minimises ``Σ_ui c_ui (p_ui − x_uᵀy_i)² + λ (Σ‖x_u‖² + Σ‖y_i‖²)`` with p = 1 and c = α where
    there is a rating, p = 0 and c = 1 elsewhere (Hu, Koren and Volinsky, Collaborative Filtering
    for Implicit Feedback Datasets, ICDM 2008, eq. 3). A query's user factors are the exact minimum
    for the fitted movie factors.
    """

    name = "implicit-als"

    def __init__(self, config: ImplicitALSConfig | None = None) -> None:
        self.config = config or ImplicitALSConfig()

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Alternates; every rating counts as 1.

        Raises:
            MissingExtra: ``implicit`` is not installed.
        """
        options = self.config
        model = _library("als").AlternatingLeastSquares(
            factors=options.factors,
            regularization=options.regularization,
            alpha=options.alpha,
            iterations=options.iterations,
            num_threads=1,
            random_state=seed_for(options.seed, self.name),
        )
        with _one_blas_thread():
            model.fit(_matrix(train.matrix()), show_progress=False)
        self._model = model
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores; all 0 for an empty history."""
        return self.user_vectors(query) @ self.item_vectors().T

    def user_vectors(self, query: Query) -> NDArray[np.float32]:
        """(Q, D) factors folded in from the histories."""
        model = require_fitted(self._model, self.name)
        require_items(query, len(model.item_factors), self.name)
        with _one_blas_thread():
            folded = model.recalculate_user(np.arange(len(query)), _matrix(query.histories))
        return np.asarray(folded, dtype=np.float32)


class ImplicitBPR(_Factorisation):
    """BPR: factors and movie biases learnt such that a rated movie outscores another.

    Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009. The library
    draws the other movie by its number of ratings, where the paper and RecBole draw all movies
    alike: expect other results from it than from RecBole's BPR. A user is known by a factor alone,
    so that one who was not in training has no scores.
    """

    name = "implicit-bpr"

    def __init__(self, config: ImplicitBPRConfig | None = None) -> None:
        self.config = config or ImplicitBPRConfig()

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Takes stochastic gradient steps; every rating counts as 1.

        Raises:
            MissingExtra: ``implicit`` is not installed.
        """
        options = self.config
        model = _library("bpr").BayesianPersonalizedRanking(
            factors=options.factors,
            learning_rate=options.learning_rate,
            regularization=options.regularization,
            iterations=options.iterations,
            num_threads=1,
            random_state=seed_for(options.seed, self.name),
        )
        model.fit(_matrix(train.matrix()), show_progress=False)
        self._model = model
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores.

        Raises:
            DataError: a user was not in training.
        """
        return self.user_vectors(query) @ self.item_vectors().T

    def user_vectors(self, query: Query) -> NDArray[np.float32]:
        """(Q, D) factors of the users.

        Raises:
            DataError: a user was not in training.
        """
        factors = require_fitted(self._model, self.name).user_factors
        require_items(query, len(self._model.item_factors), self.name)
        require_users(query, len(factors), self.name)
        return np.array(factors[query.users], dtype=np.float32)


def _library(module: str) -> Any:
    try:
        return importlib.import_module(f"implicit.cpu.{module}")
    except ImportError:
        raise MissingExtra("implicit", "bench") from None


def _one_blas_thread() -> AbstractContextManager[Any]:
    """The library's own loops starve when BLAS spreads each of their small products over cores."""
    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


def _matrix(ratings: sp.csr_array) -> sp.csr_matrix:
    """(Q, I) ones where there is a rating, in the class that the library understands."""
    return sp.csr_matrix(rated_mask(ratings))


def _require_positive(config: object, *values: float) -> None:
    if not all(value > 0 for value in values):
        raise ConfigError(f"{config}: every value but the seed must be above 0")

"""Two models of the library ``implicit``: weighted matrix factorisation and BPR.

``implicit`` is optional; it comes with ``recsys[bench]``.

Legend: Q queries, U users, I items, D factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt
from threadpoolctl import threadpool_limits

from recsys.data.split import TrainingData
from recsys.queries.query import Floats, Query, Rows, rated_mask
from recsys.recommenders.base import Addends, Array, Contributions, Facts, imported
from recsys.recommenders.linear import KnownUserFactors, VectorModel
from recsys.recommenders.options import Options
from recsys.seeding import seed_for


@dataclass(frozen=True)
class ImplicitALSConfig(Options):
    """How the weighted factorisation is fitted.

    The defaults come within 0.002 of the best NDCG@10 of 36 settings on the validation part of
    RecBole's split of MovieLens-100K.

    Attributes:
        factors: D.
        regularization: λ of both sides.
        alpha: c, how much a rated movie weighs against one that was not rated, which weighs 1.
        iterations: alternations between the two sides.
        seed: of the factors that it starts from.
    """

    factors: PositiveInt = 64
    regularization: PositiveFloat = 20.0
    alpha: PositiveFloat = 2.0
    iterations: PositiveInt = 15
    seed: int = 0


@dataclass(frozen=True)
class ImplicitBPRConfig(Options):
    """How BPR is fitted.

    The defaults did best of 24 settings on the validation part of RecBole's split of
    MovieLens-100K.

    Attributes:
        factors: D - 1; one more holds the biases of the movies.
        learning_rate: of the stochastic gradient steps.
        regularization: λ of factors and biases.
        iterations: passes over the training ratings.
        seed: of the factors that it starts from and of what is drawn.
    """

    factors: PositiveInt = 32
    learning_rate: PositiveFloat = 0.01
    regularization: PositiveFloat = 0.001
    iterations: PositiveInt = 30
    seed: int = 0


class ImplicitALS(VectorModel):
    """iALS: every user is folded in from their history, so an unknown one is like any other.

    Minimises ``Σ_ui c_ui (p_ui − x_uᵀy_i)² + λ (Σ‖x_u‖² + Σ‖y_i‖²)`` with p = 1 and c = α where
    there is a rating, p = 0 and c = 1 elsewhere (Hu, Koren and Volinsky, Collaborative Filtering
    for Implicit Feedback Datasets, ICDM 2008, eq. 3). A query's user factors are the exact minimum
    for the fitted movie factors, ``x = A⁻¹ α Σ_j y_j`` with ``A = YᵀY + λ + (α − 1) Σ_j y_j y_jᵀ``
    over the movies j of the history (eq. 4), which makes a score the sum of what each contributes.
    """

    name = "implicit-als"
    config_class = ImplicitALSConfig
    facts = Facts(
        "embeddings",
        "implicit's weighted matrix factorisation by alternating least squares",
        "Hu, Koren and Volinsky, ICDM 2008",
        random=True,
        library="implicit",
        extra="bench",
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Alternates; every rating counts as 1.

        Raises:
            MissingExtra: ``implicit`` is not installed.
        """
        library = imported("implicit.cpu.als", "implicit", "bench")
        # The library's own loops starve when BLAS spreads each of their small products over cores.
        with threadpool_limits(1, "blas"):
            model = _fitted(library.AlternatingLeastSquares, self.config, self.name, data)
        items = np.array(model.item_factors, dtype=np.float32)
        exact = items.astype(np.float64)
        gram = exact.T @ exact + self.config.regularization * np.eye(items.shape[1])
        return {"items": items, "gram": gram, "parameters": _count(model)}

    def user_vectors(self, query: Query) -> Floats:
        """(Q, D) factors folded in from the histories; 0 for an empty one."""
        items, histories = self.arrays()["items"], query.histories
        self._require_items(query, len(items))
        found = np.zeros((len(query), items.shape[1]), dtype=np.float32)
        for row, (start, stop) in enumerate(pairwise(histories.indptr.tolist())):
            if stop > start:
                rated = items[histories.indices[start:stop]].astype(np.float64)
                found[row] = self._solved(rated, (self.config.alpha * rated).sum(axis=0))
        return found

    def _solved(self, rated: NDArray[np.float64], pull: NDArray[np.float64]) -> Any:
        """The solution of ``A x = pull``, A for the (n, D) vectors of a history."""
        normal = self.arrays()["gram"] + (self.config.alpha - 1) * (rated.T @ rated)
        return np.linalg.solve(normal, pull)

    def _addends(self, query: Query) -> Addends:
        """``y_iᵀ A⁻¹ α y_j`` is what movie j of the history adds."""
        rows, items = query.histories.indices, self.arrays()["items"]

        def contributions(asked: Rows) -> Contributions:
            rated = items[rows].astype(np.float64)
            solved = self._solved(rated, self.config.alpha * rated.T)
            return Contributions(rows, items[asked] @ solved, np.zeros(len(asked)))

        return rows, contributions


class ImplicitBPR(KnownUserFactors):
    """BPR: factors and movie biases learnt such that a rated movie outscores another.

    Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009. The library
    draws the other movie by its number of ratings, where the paper and RecBole draw all movies
    alike: expect other results from it than from RecBole's BPR. A user is known by a factor alone,
    so that one who was not in training has no scores.
    """

    name = "implicit-bpr"
    config_class = ImplicitBPRConfig
    facts = Facts(
        "factors",
        "implicit's BPR",
        "Rendle et al., UAI 2009",
        folds_in=False,
        random=True,
        library="implicit",
        extra="bench",
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Takes stochastic gradient steps; every rating counts as 1.

        Raises:
            MissingExtra: ``implicit`` is not installed.
        """
        library = imported("implicit.cpu.bpr", "implicit", "bench")
        model = _fitted(library.BayesianPersonalizedRanking, self.config, self.name, data)
        factors = {"users": model.user_factors, "items": model.item_factors}
        arrays = {name: np.array(f, dtype=np.float32) for name, f in factors.items()}
        return {**arrays, "parameters": _count(model)}


def _count(model: Any) -> NDArray[np.int64]:
    return np.array([model.user_factors.size + model.item_factors.size])


def _fitted(kind: Any, config: Options, name: str, data: TrainingData) -> Any:
    """A model of the library, whose options have the names of ours; every rating counts as 1."""
    options = asdict(config)
    random = seed_for(options.pop("seed"), name)
    model = kind(**options, num_threads=1, random_state=random)
    model.fit(sp.csr_matrix(rated_mask(data.train.matrix())), show_progress=False)
    return model

"""Where a movie that nobody rated lies among the rated ones: found by its content, in closed form.

The content encoder of the joint model is trained on movies whose id offsets know better, so it is a
poor guide to a movie that has none. When training is over, what was learnt of the rated movies is
regressed on their content instead (attribute-to-feature mapping, Gantner et al., ICDM 2010). With
x_im modality m of movie i, centred, r_i one of the movie's heads and r̄ its mean,

    r̂_i = r̄ + Σ_m A_m z_im,  z_im = √w_m x_im / ‖x_im‖, or 0 where movie i lacks m,
    A = argmin Σ_i ‖r_i − r̂_i‖² + λ ‖A‖²,  over the rated movies i:

ridge regression, or regression with the kernel Σ_m w_m cos(x_im, x_jm). A movie without any content
lies at the mean, and what each modality moves it from there is an addend of its own.

What is regressed lies nearer to the mean than what was learnt, so that unrated movies hardly ever
reach a list beside rated ones: right for movies that are simply unpopular, wrong for new ones, and
ratings do not tell them apart. Where new ones are to be shown, heads that rank are stretched: A is
multiplied by the ratio of the spread of the r_i to that of their predictions, every movie's made
without itself, or by ``stretch`` if that is less, each head for itself.

It travels with the weights of the content tower:

- ``placement/mean/{r}`` (dim,): r̄ of head r;
- ``placement/map/{r}/{m}`` (dim, D_m): √w_m A_m of head r.

Legend: I movies, N rated ones, D_m dimensions of modality m, D of all modalities together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from recsys.config.experiment import PlacementConfig
from recsys.data.catalogue import ModalityTable
from recsys.recommenders.content.kernel import Floats, unit


class Directions(NamedTuple):
    """One modality of some movies.

    Attributes:
        present: (I,) bool, who has it.
        units: (P, D_m) ``x / ‖x‖`` of the centred vectors of those P; 0 of a movie at the centre.
    """

    present: NDArray[np.bool_]
    units: Floats

    @classmethod
    def of(cls, vectors: Floats, present: NDArray[np.bool_], centre: Floats) -> Self:
        """Those of (I, D_m) vectors."""
        return cls(present, unit(vectors[present] - centre))

    def select(self, rows: NDArray[np.bool_]) -> Directions:
        """Those of some movies."""
        return Directions(self.present[rows], self.units[rows[self.present]])

    def all_rows(self) -> Floats:
        """(I, D_m), 0 where a movie lacks the modality."""
        rows = np.zeros((len(self.present), self.units.shape[1]))
        rows[self.present] = self.units
        return rows


def is_placed(weights: Mapping[str, Any], head: str) -> bool:
    """Whether a head of movies that nobody rated is found by regression."""
    return f"placement/mean/{head}" in weights


def place(
    found: Mapping[str, Directions], weights: Mapping[str, Floats], head: str, n_movies: int
) -> Floats:
    """(I, dim) where a head of I movies that nobody rated lies."""
    placed = np.tile(weights[f"placement/mean/{head}"], (n_movies, 1))
    for name, (present, units) in found.items():
        placed[present] += units @ weights[f"placement/map/{head}/{name}"].T
    return placed


class Placement:
    """The regression; what depends on content alone is computed once and serves every fit.

    Time grows with min(N, D)³ and memory with N · D.

    Args:
        tables: modality to the vectors of all movies; at least one.
        centres: modality to the (D_m,) vector that is subtracted.
        rated: (I,) bool.
        config: λ, the weights of the modalities, and how far to stretch.
    """

    def __init__(
        self,
        tables: Mapping[str, ModalityTable],
        centres: Mapping[str, Floats],
        rated: NDArray[np.bool_],
        config: PlacementConfig,
    ) -> None:
        found = {
            name: Directions.of(table.vectors, table.present, centres[name])
            for name, table in sorted(tables.items())
        }
        self._rated, self._stretch_at_most = rated, config.stretch
        self._unrated = {name: some.select(~rated) for name, some in found.items()}
        self._roots = {name: config.weights.get(name, 1.0) ** 0.5 for name in found}
        blocks = [self._roots[n] * some.select(rated).all_rows() for n, some in found.items()]
        self._z = z = np.hstack(blocks)
        self._is_wide = len(z) <= z.shape[1]
        # Relative to the mean of the kernel's diagonal: more modalities need no other ridge.
        # Where no rated movie has content there is nothing to solve, and any ridge will do.
        ridge = config.ridge * (float(np.square(z).sum(axis=1).mean()) or 1.0)
        gram = z @ z.T if self._is_wide else z.T @ z
        gram[np.diag_indices_from(gram)] += ridge
        self._lower = scipy.linalg.cholesky(gram, lower=True)
        self._leverage = self._hat_diagonal(ridge)

    def fit(
        self, heads: Mapping[str, Floats], stretched: Collection[str]
    ) -> dict[str, NDArray[np.float32]]:
        """The weights that place unrated movies.

        Args:
            heads: name to (I, dim); rows of unrated movies are not looked at.
            stretched: the heads that rank.
        """
        weights: dict[str, NDArray[np.float32]] = {}
        for head, values in heads.items():
            rated = values[self._rated].astype(np.float64)
            mean = rated.mean(axis=0)
            weights[f"placement/mean/{head}"] = mean.astype(np.float32)
            solved, start = self._solve(rated - mean), 0
            if head in stretched and self._stretch_at_most > 1:
                solved *= self._stretch(rated - mean, solved)
            for name, root in self._roots.items():
                stop = start + self._unrated[name].units.shape[1]
                part = np.ascontiguousarray(root * solved[start:stop].T, dtype=np.float32)
                weights[f"placement/map/{head}/{name}"] = part
                start = stop
        return weights

    def unrated(self, weights: Mapping[str, Floats], head: str) -> Floats:
        """(I - N, dim) where the unrated movies lie, in their order."""
        return place(self._unrated, weights, head, int((~self._rated).sum()))

    def _stretch(self, targets: Floats, solved: Floats) -> float:
        """How much wider the targets are spread than their leave-one-out predictions."""
        fitted, leverage = self._z @ solved, self._leverage[:, None]
        spread = np.linalg.norm((fitted - leverage * targets) / (1 - leverage))
        wider = float(np.linalg.norm(targets) / spread) if spread else 1.0
        return min(wider, self._stretch_at_most)

    def _solve(self, targets: Floats) -> Floats:
        """(D, dim) the ridge solution, by whichever of its two forms is smaller."""
        z, factor = self._z, (self._lower, True)
        if self._is_wide:
            return np.asarray(z.T @ scipy.linalg.cho_solve(factor, targets))
        return np.asarray(scipy.linalg.cho_solve(factor, z.T @ targets))

    def _hat_diagonal(self, ridge: float) -> Floats:
        """(N,) how far a movie's own value enters its prediction: the hat matrix's diagonal."""
        z, lower = self._z, self._lower
        if self._is_wide:
            inverse = scipy.linalg.solve_triangular(lower, np.eye(len(z)), lower=True)
            return np.asarray(1 - ridge * np.square(inverse).sum(axis=0))
        root = scipy.linalg.solve_triangular(lower, z.T, lower=True)
        return np.asarray(np.square(root).sum(axis=0))

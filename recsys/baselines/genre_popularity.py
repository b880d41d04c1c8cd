"""What is popular in the genres that a user watches.

Legend: Q queries, I items, G genres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.checks import require_fitted, require_items
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.models.histories import rated_mask
from recsys.models.recommender import Query

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class GenrePopularityConfig:
    """Nothing to choose."""


class _Fitted(NamedTuple):
    shares: NDArray[np.float64]  # (I, G) q
    expected: NDArray[np.float64]  # (I,) n̂
    mass: NDArray[np.float64]  # (G,) N


class GenrePopularity:
    """The chance of drawing a genre from a user's history, and then the movie within the genre.

    It reads the genres of the movies, also of those that nobody rated; elsewhere in this project
    genres are labels to be predicted. With n_i ratings of movie i and q_ig = 1 / |G_i| for each of
    its genres,

        s_ui = P(i | u) = Σ_g P(g | u) P(i | g),
        P(g | u) = mean of q_jg over the movies j of the history,
        P(i | g) = n_i q_ig / N_g,  N_g = Σ_j n_j q_jg,

    which adds up to 1 over the rated movies. A movie that nobody rated is expected to be as popular
    as its genres are: n̂_i = Σ_g q_ig (Σ_j n_j q_jg / Σ_j q_jg), over the rated movies j. A movie
    without genres is of all of them, as everybody's ratings are: q_ig = N_g / Σ_h N_h. A user
    without a history is everybody, which leaves popularity; so does a catalogue without genres.
    """

    name = "genre-popularity"

    def __init__(self, config: GenrePopularityConfig | None = None) -> None:
        self.config = config or GenrePopularityConfig()
        self._fitted: _Fitted | None = None

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Counts the ratings of each movie and of each genre."""
        counts = train.item_counts().astype(np.float64)
        shares = _shares(catalogue.genres, counts)
        self._fitted = _Fitted(shares, _expected(counts, shares), counts @ shares)
        return self

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) probabilities; those of movies that nobody rated come on top of 1."""
        shares, expected, mass = require_fitted(self._fitted, self.name)
        require_items(query, len(shares), self.name)
        profile = rated_mask(query.histories) @ shares
        watched = profile.sum(axis=1, keepdims=True)
        profile = np.where(watched > 0, profile, mass)
        lift = _over(_over(profile, profile.sum(axis=1, keepdims=True)), mass)
        return np.asarray((lift @ shares.T) * expected, dtype=np.float32)

    @property
    def parameters(self) -> int:
        """The n̂ of movies and the N of genres.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        fitted = require_fitted(self._fitted, self.name)
        return fitted.expected.size + fitted.mass.size


def _shares(genres: NDArray[np.bool_], counts: Floats) -> NDArray[np.float64]:
    """(I, G) q; of one column that all movies are in where no rated movie has a genre."""
    known = genres.any(axis=1)
    if not counts[known].any():
        return np.ones((len(genres), 1))
    members = genres.astype(np.float64)
    shares = _over(members, members.sum(axis=1, keepdims=True))
    mass = counts @ shares
    return np.where(known[:, None], shares, mass / mass.sum())


def _expected(counts: Floats, shares: Floats) -> NDArray[np.float64]:
    """(I,) n, and n̂ where there are no ratings."""
    rated = counts > 0
    per_movie = _over(counts @ shares, shares[rated].sum(axis=0))
    return np.where(rated, counts, shares @ per_movie)


def _over(values: Floats, totals: Floats) -> NDArray[np.float64]:
    """The quotient, 0 where the total is."""
    return np.asarray(values / np.where(totals > 0, totals, np.inf), dtype=np.float64)

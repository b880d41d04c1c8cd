"""The simplest baselines: popularity, popularity within genres, and the mean of all ratings.

Legend: Q queries, I items, G genres, N pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.split import TrainingData
from recsys.errors import ConfigError
from recsys.queries.query import Floats, Query, RatingPrediction, Rows, rated_mask
from recsys.recommenders.base import Addends, Array, Contributions, Facts, Recommender
from recsys.recommenders.linear import VectorModel
from recsys.recommenders.options import Options

Numbers = NDArray[np.floating[Any]]


class Popularity(VectorModel):
    """Scores a movie by the number of its training ratings."""

    name = "popularity"
    config_class = Options
    facts = Facts("statistics", "how many ratings a movie has")
    similarities = Recommender.similarities  # a vector of one number has no direction

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Counts the ratings of each movie."""
        return {"counts": data.train.item_counts().astype(np.float32)}

    @property
    def parameters(self) -> int:
        """The counts."""
        return len(self.arrays()["counts"])

    def user_vectors(self, query: Query) -> Floats:
        """(Q, 1) ones: all users are alike."""
        self._require_items(query, self.parameters)
        return np.ones((len(query), 1), dtype=np.float32)

    def item_vectors(self) -> Floats:
        """(I, 1) counts."""
        return np.array(self.arrays()["counts"])[:, None]

    def _addends(self, query: Query) -> Addends:  # noqa: ARG002
        """Nothing of a user counts; a score is the movie's own."""
        nothing, counts = np.empty(0, dtype=np.int32), self.arrays()["counts"]

        def contributions(items: Rows) -> Contributions:
            return Contributions(nothing, np.empty((len(items), 0)), counts[items])

        return nothing, contributions


class GenrePopularity(Recommender):
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
    config_class = Options
    facts = Facts(
        "statistics",
        "how many ratings a movie's genres have among those a user watches",
        reads_genres=True,
    )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Counts the ratings of each movie and of each genre."""
        counts = data.train.item_counts().astype(np.float64)
        shares = _shares(data.catalogue.genres, counts)
        return {"shares": shares, "expected": _expected(counts, shares), "mass": counts @ shares}

    def score(self, query: Query) -> Floats:
        """(Q, I) probabilities; those of movies that nobody rated come on top of 1."""
        shares, expected, mass = (self.arrays()[n] for n in ("shares", "expected", "mass"))
        self._require_items(query, len(shares))
        profile = rated_mask(query.histories) @ shares
        watched = profile.sum(axis=1, keepdims=True)
        profile = np.where(watched > 0, profile, mass)
        lift = _over(_over(profile, profile.sum(axis=1, keepdims=True)), mass)
        # An einsum without a library's matrix product: a user alone gets the score of a batch.
        return np.asarray(np.einsum("qg,ig->qi", lift, shares) * expected, dtype=np.float32)

    @property
    def parameters(self) -> int:
        """The n̂ of movies and the N of genres."""
        return int(self.arrays()["expected"].size + self.arrays()["mass"].size)

    def _addends(self, query: Query) -> Addends:
        """Each movie of the history adds the share of its genres in the user's mean."""
        shares, expected, mass = (self.arrays()[n] for n in ("shares", "expected", "mass"))
        rows = query.histories.indices
        own = shares[rows]
        total = own.sum()

        def contributions(items: Rows) -> Contributions:
            lift = _over(shares[items], mass) * expected[items][:, None]
            if total > 0:
                return Contributions(rows, lift @ (own / total).T, np.zeros(len(items)))
            return Contributions(rows[:0], np.empty((len(items), 0)), lift @ (mass / mass.sum()))

        return rows if total > 0 else rows[:0], contributions


def _shares(genres: NDArray[np.bool_], counts: Numbers) -> NDArray[np.float64]:
    """(I, G) q; of one column that all movies are in where no rated movie has a genre."""
    known = genres.any(axis=1)
    if not counts[known].any():
        return np.ones((len(genres), 1))
    members = genres.astype(np.float64)
    shares = _over(members, members.sum(axis=1, keepdims=True))
    mass = counts @ shares
    return np.where(known[:, None], shares, mass / mass.sum())


def _expected(counts: Numbers, shares: Numbers) -> NDArray[np.float64]:
    """(I,) n, and n̂ where there are no ratings."""
    rated = counts > 0
    per_movie = _over(counts @ shares, shares[rated].sum(axis=0))
    return np.where(rated, counts, shares @ per_movie)


def _over(values: Numbers, totals: Numbers) -> NDArray[np.float64]:
    """The quotient, 0 where the total is."""
    return np.asarray(values / np.where(totals > 0, totals, np.inf), dtype=np.float64)


class GlobalMean(Recommender):
    """Predicts the mean training rating, and the spread of the training ratings around it."""

    name = "global-mean"
    config_class = Options
    facts = Facts("statistics", "the mean of all ratings")
    parameters = 1

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Learns mean and standard deviation.

        Raises:
            ConfigError: there is no rating to learn from.
        """
        if not len(data.train):
            raise ConfigError("there is no rating to take the mean of")
        ratings = data.train.rating.astype(np.float64)
        return {"moments": np.array([ratings.mean(), ratings.std()])}

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:  # noqa: ARG002
        """The same for each of N pairs; no standard deviation where all ratings were equal."""
        mean, std = self.arrays()["moments"]
        spread = np.full(len(rows), std, dtype=np.float32) if std > 0 else None
        return RatingPrediction(np.full(len(rows), mean, dtype=np.float32), spread)

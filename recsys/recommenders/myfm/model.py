"""Bayesian factorisation machines by Gibbs sampling, of the library myFM.

Papers: Rendle, "Factorization Machines", ICDM 2010 (the model); Rendle, "Scaling Factorization
Machines to Relational Data", VLDB 2013 (users and movies are computed once, not once a rating);
Albert and Chib, "Bayesian Analysis of Binary and Polychotomous Response Data", JASA 1993 (the
ordinal probit).

myFM is optional; it comes with ``recsys[bench]``. Only sampling needs it.

A rating is scored by ``w₀ + Σ_c x_c w_c + ½ Σ_f [(Σ_c x_c v_cf)² − Σ_c x_c² v_cf²]`` over its
columns c. Columns that always come together, those of a movie say, are put in one row of a *term*:
what they add by themselves, and ``Σ_c x_c v_c``, by which they act on the others.

Legend: S samples, R rank, Q queries, U users, I items, D days, N ratings or pairs, C columns, K
levels of a rating.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import PositiveInt
from scipy.special import ndtr

from recsys.data.interactions import Interactions, RatingScale
from recsys.data.split import TrainingData
from recsys.errors import ConfigError, DataError
from recsys.queries.query import LevelProbabilities, Query, RatingPrediction, Rows
from recsys.queries.rating_levels import RatingLevels, level_index
from recsys.recommenders.base import Array, Facts, Recommender, imported
from recsys.recommenders.bias import clipped
from recsys.recommenders.myfm.columns import Inputs, SeenColumns, day_column, one_hot, sets
from recsys.recommenders.options import Options

Term = NDArray[np.float64]
"""(N, 1+R): column 0 is what is added, the others are a vector."""

_PAIRS_AT_A_TIME = 65_536
_TERMS = ("users", "movies", "rated", "days")


@dataclass(frozen=True)
class MyFMConfig(Options):
    """How the machine is sampled; the defaults are those of myFM's example for MovieLens-100K.

    Attributes:
        rank: of the pairwise interactions.
        samples: sweeps of the sampler; all are kept and averaged.
        ordinal: whether stars are ordered levels (probit) rather than numbers.
        inputs: what is seen of a rating.
        seed: of the sampler.
    """

    rank: PositiveInt = 10
    samples: PositiveInt = 512
    ordinal: bool = True
    inputs: Inputs = "side"
    seed: int = 42


class MyFM(Recommender):
    """Predicts stars from ids, facts, who rated what and, where it is told, the day.

    With ``inputs="date"`` the day on which a rating is given is an input, and ``predict_at`` takes
    the times of the very ratings that are to be predicted. ``predict_ratings`` is not told, and
    takes every day for unknown. Unknown users, facts and days are columns that training never saw:
    their weights are drawn from the priors of their groups.

    The arrays hold terms of every sample, (S, ·, 1+R) float32: "users" (1+U, strangers first),
    "movies" (I), and where they count "rated" (I, one movie of a history) and "days" (1+D).
    """

    name = "myfm"
    config_class = MyFMConfig
    facts = Facts(
        "samples",
        "myFM's Bayesian factorisation machines by Gibbs sampling",
        "Rendle, ICDM 2010",
        random=True,
        library="myfm",
        extra="bench",
    )

    def __init__(self, config: MyFMConfig | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        kind = "ordinal" if self.config.ordinal else "regression"
        self.name = f"myfm-{kind}-{self.config.inputs}"
        side = self.config.inputs != "ids"
        dated = self.config.inputs == "date"
        self.facts = replace(
            self.facts, reads_genres=side, uses_user_features=side, uses_timestamps=dated
        )

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Samples the posterior.

        Raises:
            ConfigError: there is no rating, or the model is ordinal and the ratings are not.
            DataError: the model sees days and the ratings have no times.
            MissingExtra: myFM is not installed.
        """
        config, train, library = self.config, data.train, _library()
        if not len(train):
            raise ConfigError(f"{self.name} cannot be fitted on no ratings")
        people = data.read_people() if config.inputs != "ids" else {}
        seen = SeenColumns.of(train, data.catalogue, people, config.inputs)
        kind = library.MyFMOrderedProbit if config.ordinal else library.MyFMRegressor
        levels = _levels(train) if config.ordinal else {}
        machine = kind(rank=config.rank, random_seed=config.seed)
        with redirect_stderr(io.StringIO()):  # its progress bar
            machine.fit(
                y=_classes(train, levels) if levels else train.rating,
                group_shapes=seen.groups,
                n_iter=config.samples,
                n_kept_samples=config.samples,
                callback=lambda *_: (False, None),  # it would write of every sweep
                **_arguments(seen, train, library),
            )
        samples = machine.predictor_.samples
        cuts = {"cuts": np.array([s.cutpoints[0] for s in samples])} if levels else {}
        scale = np.array([train.scale.low, train.scale.high])
        return {**_terms(samples, seen), **levels, **cuts, "scale": scale}

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Ratings of N pairs given on an unknown day."""
        return self.predict_at(query, rows, items, None)

    def predict_at(
        self, query: Query, rows: Rows, items: Rows, times: Rows | None
    ) -> RatingPrediction:
        """Ratings of N pairs, each known to be given at a time.

        Args:
            query: who asks.
            rows: (N,) of the query.
            items: (N,) movies.
            times: (N,) seconds UTC; what they are of is not known before it has happened. None
                for an unknown day.

        Raises:
            NotFittedError: ``fit`` was not called.
            DataError: there are not N times.
        """
        if times is not None and len(times) != len(items):
            raise DataError(f"{len(times)} times of {len(items)} pairs")
        learnt, days = self.arrays(), np.zeros(len(items), dtype=np.int64)
        if times is not None and "day_numbers" in learnt:
            days = day_column(learnt["day_numbers"], times)
        self._require_items(query, learnt["movies"].shape[1])
        starts = range(0, max(len(items), 1), _PAIRS_AT_A_TIME)
        chosen = [slice(start, start + _PAIRS_AT_A_TIME) for start in starts]
        means = np.concatenate([self._mean(query, rows[c], items[c], days[c]) for c in chosen])
        if "cuts" not in learnt:
            return RatingPrediction(clipped(means[:, 0], RatingScale(*learnt["scale"].tolist())))
        whole = np.zeros((len(items), len(learnt["levels"])))
        edges = np.pad(means, ((0, 0), (1, 1)), constant_values=(0, 1))
        whole[:, learnt["given"]] = np.maximum(np.diff(edges, axis=1), 0)
        mean, std = RatingLevels.midway(tuple(learnt["levels"].tolist())).moments(whole)
        levels = LevelProbabilities(learnt["levels"], whole)
        return RatingPrediction(mean.astype(np.float32), std.astype(np.float32), levels)

    def _mean(self, query: Query, rows: Rows, items: Rows, days: Rows) -> NDArray[np.float64]:
        """(N, ·) over the samples: of scores, or of every ``P(level ≤ k)`` of an ordinal model."""
        cuts = self.arrays().get("cuts")
        total = np.zeros((len(items), 1 if cuts is None else cuts.shape[1]))
        for sample, scores in enumerate(self._scores(query, rows, items, days)):
            total += scores[:, None] if cuts is None else ndtr(cuts[sample] - scores[:, None])
        return np.asarray(total / self.config.samples)

    def _scores(
        self, query: Query, rows: Rows, items: Rows, days: Rows
    ) -> Iterator[NDArray[np.float64]]:
        """(N,) scores, one sample after another."""
        learnt = self.arrays()
        who, place = np.unique(rows, return_inverse=True)
        known, histories = query.users[who] + 1, sets(query.histories[who])
        for sample, offset in enumerate(learnt["offset"]):
            term = {n: learnt[n][sample].astype(np.float64) for n in _TERMS if n in learnt}
            users = term["users"][known]
            if "rated" in term:
                users = _joined(users, _together(histories, term["rated"]))
            asked = users[place]
            if "days" in term:
                asked = _joined(asked, term["days"][days])
            yield offset + _sum(asked, term["movies"][items])


def _sum(one: Term, other: Term) -> NDArray[np.float64]:
    """(N,) what the columns of both add, those of one acting on those of the other."""
    acting = np.einsum("nr,nr->n", one[:, 1:], other[:, 1:])
    return np.asarray(one[:, 0] + other[:, 0] + acting)


def _joined(one: Term, other: Term) -> Term:
    """(N, 1+R) the columns of both as one term."""
    return np.column_stack([_sum(one, other), one[:, 1:] + other[:, 1:]])


def _together(rows: sp.csr_array, term: Term) -> Term:
    """(N, 1+R) the columns of each row as one term.

    Args:
        rows: (N, C) x.
        term: (C, 1+R) w and v.
    """
    summed = rows @ term
    twice = (summed[:, 1:] ** 2).sum(axis=1) - rows.power(2) @ (term[:, 1:] ** 2).sum(axis=1)
    summed[:, 0] += twice / 2
    return np.asarray(summed)


def _terms(samples: list[Any], seen: SeenColumns) -> dict[str, Array]:
    """What the samples say of all that can be asked about."""
    rank, count = samples[0].V.shape[1], len(samples)
    days = 1 + len(seen.days) if len(seen.days) else 0
    users, movies = seen.users.rows, seen.movies.rows
    heights = {"days": days, "users": users.shape[0], "rated": seen.n_rated}
    heights["movies"] = movies.shape[0]
    terms = {
        name: np.empty((count, height, 1 + rank), dtype=np.float32)
        for name, height in heights.items()
        if height
    }
    ends = np.cumsum([days, users.shape[1], seen.n_rated])
    for number, sample in enumerate(samples):
        day, user, rated, movie = np.split(np.column_stack([sample.w, sample.V]), ends)
        terms["users"][number] = _together(users, user)
        terms["movies"][number] = _together(movies, movie)
        for name, single in (("days", day), ("rated", rated)):
            if name in terms:
                terms[name][number] = single
    n_learnt = count * (1 + sum(seen.groups) * (1 + rank))
    numbers = {"day_numbers": seen.days} if days else {}
    offset = np.array([sample.w0 for sample in samples])
    return {**terms, **numbers, "offset": offset, "parameters": np.array([n_learnt])}


def _arguments(seen: SeenColumns, train: Interactions, library: Any) -> dict[str, Any]:
    """The ratings as myFM wants them: what differs from one to the next, and what many share."""

    def block(row: Rows, columns: sp.csr_array) -> Any:
        return library.RelationBlock(row.tolist(), sp.csr_matrix(columns))

    users = [seen.users.rows[1:], *([sets(train.matrix())] if seen.n_rated else [])]
    asked, place = np.unique(train.item, return_inverse=True)
    days = sp.csr_array((len(train), 0))
    if train.time is not None and len(seen.days):
        days = one_hot(day_column(seen.days, train.time), 1 + len(seen.days))
    blocks = [
        block(train.user, sp.hstack(users, format="csr")),
        block(place, seen.movies.rows[asked]),
    ]
    return {"X": sp.csr_matrix(days), "X_rel": blocks}


def _levels(train: Interactions) -> dict[str, Array]:
    """The K levels of the scale in stars, and the rows of those that training ratings have.

    Raises:
        ConfigError: the ratings are neither whole nor half stars, or all the same.
    """
    levels = RatingLevels.of(train)
    if levels is None or len(np.unique(train.rating)) < 2:
        raise ConfigError(
            "an ordinal model needs two or more different ratings, in whole or half stars",
            hint="choose the regression: ordinal=False",
        )
    values = np.array(levels.values)
    return {"levels": values, "given": np.unique(level_index(train.rating, values))}


def _classes(train: Interactions, levels: Mapping[str, Array]) -> NDArray[np.int64]:
    """(N,) classes 0, 1, … without a gap, as the sampler wants them."""
    return np.searchsorted(levels["given"], level_index(train.rating, levels["levels"]))


def _library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks up its version in a deprecated way
        return imported("myfm", "myfm", "bench")

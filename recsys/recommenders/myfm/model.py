"""Bayesian factorisation machines by Gibbs sampling, of the library myFM.

Papers: Rendle, "Factorization Machines", ICDM 2010 (the model); Rendle, "Scaling Factorization
Machines to Relational Data", VLDB 2013 (users and movies are computed once, not once a rating);
Albert and Chib, "Bayesian Analysis of Binary and Polychotomous Response Data", JASA 1993 (the
ordinal probit).

myFM is optional; it comes with ``recsys[bench]``.

Legend: N ratings or pairs.
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions, RatingScale
from recsys.data.people import Person
from recsys.errors import ConfigError, DataError, MissingExtra
from recsys.queries.query import Query, RatingPrediction
from recsys.recommenders.bias import clipped
from recsys.recommenders.checks import require_fitted, require_items
from recsys.recommenders.myfm.inputs import Inputs, Pairs, Relation, Rows, SeenInputs
from recsys.recommenders.myfm.levels import GivenLevels


@dataclass(frozen=True)
class MyFMConfig:
    """How the machine is sampled; the defaults are those of myFM's example for MovieLens-100K.

    Attributes:
        rank: of the pairwise interactions.
        samples: sweeps of the sampler; all are kept and averaged.
        ordinal: whether stars are ordered levels (probit) rather than numbers.
        inputs: what is seen of a rating.
        seed: of the sampler.

    Raises:
        ConfigError: rank or samples are below 1, or there are no such inputs.
    """

    rank: int = 10
    samples: int = 512
    ordinal: bool = True
    inputs: Inputs = "side"
    seed: int = 42

    def __post_init__(self) -> None:
        if self.rank < 1 or self.samples < 1 or self.inputs not in ("ids", "side", "date"):
            raise ConfigError(
                f"{self}: rank and samples ≥ 1 and inputs ids, side or date are needed"
            )


class _Learned(NamedTuple):
    machine: Any
    inputs: SeenInputs
    levels: GivenLevels | None
    scale: RatingScale
    n_columns: int


class MyFM:
    """Predicts stars from ids, facts, who rated what and, where it is told, the day.

    With ``inputs="date"`` the day on which a rating is given is an input, and ``predict_at`` takes
    the times of the very ratings that are to be predicted. ``predict`` is not told, and takes every
    day for unknown. Unknown users, facts and days are columns that training never saw: their
    weights are drawn from the priors of their groups.
    """

    name = "myfm"

    def __init__(
        self, config: MyFMConfig | None = None, people: Mapping[str, Person] | None = None
    ) -> None:
        self.config = config or MyFMConfig()
        self.people: Mapping[str, Person] = people or {}
        self._learned: _Learned | None = None

    def with_people(self, people: Mapping[str, Person]) -> MyFM:
        """The same model, not fitted, told what is known of the users by their ids."""
        return MyFM(self.config, people)

    def fit(self, train: Interactions, valid: Interactions, catalogue: Catalogue) -> Self:  # noqa: ARG002
        """Samples the posterior.

        Raises:
            ConfigError: there is no rating, or the model is ordinal and the ratings are not.
            DataError: the model sees days and the ratings have no times.
            MissingExtra: myFM is not installed.
        """
        if not len(train):
            raise ConfigError(f"{self.name} cannot be fitted on no ratings")
        config, library = self.config, _library()
        kind = library.MyFMOrderedProbit if config.ordinal else library.MyFMRegressor
        machine = kind(rank=config.rank, random_seed=config.seed)
        inputs = SeenInputs.learn(train, catalogue, self.people, config.inputs)
        levels = GivenLevels.of(train) if config.ordinal else None
        pairs = inputs.pairs(Query.known(train), train.user, train.item, train.time)
        with redirect_stderr(io.StringIO()):  # its progress bar
            machine.fit(
                y=levels.classes(train) if levels else train.rating,
                group_shapes=pairs.groups,
                n_iter=config.samples,
                n_kept_samples=config.samples,
                callback=_silent,
                **_arguments(pairs, library),
            )
        self._learned = _Learned(machine, inputs, levels, train.scale, sum(pairs.groups))
        return self

    @property
    def parameters(self) -> int:
        """Weights and vectors of all samples, which a prediction averages.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        columns = require_fitted(self._learned, self.name).n_columns
        return self.config.samples * (1 + columns * (1 + self.config.rank))

    def predict(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Ratings of N pairs given on an unknown day.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return self._predict(query, rows, items, None)

    def predict_at(
        self, query: Query, rows: Rows, items: Rows, times: NDArray[np.integer[Any]]
    ) -> RatingPrediction:
        """Ratings of N pairs, each known to be given at a time.

        Args:
            query: who asks.
            rows: (N,) of the query.
            items: (N,) movies.
            times: (N,) seconds UTC; what they are of is not known before it has happened.

        Raises:
            NotFittedError: ``fit`` was not called.
            DataError: there are not N times.
        """
        if len(times) != len(items):
            raise DataError(f"{len(times)} times of {len(items)} pairs")
        return self._predict(query, rows, items, times)

    def _predict(
        self, query: Query, rows: Rows, items: Rows, times: Rows | None
    ) -> RatingPrediction:
        machine, inputs, levels, scale, _ = require_fitted(self._learned, self.name)
        require_items(query, inputs.movies.rows.shape[0], self.name)
        pairs = _arguments(inputs.pairs(query, rows, items, times), _library())
        if levels:
            return levels.predict(machine.predict_proba(**pairs))
        return RatingPrediction(clipped(machine.predict(**pairs), scale))


def _arguments(pairs: Pairs, library: Any) -> dict[str, Any]:
    def block(relation: Relation) -> Any:
        return library.RelationBlock(relation.row.tolist(), sp.csr_matrix(relation.columns.rows))

    return {"X": sp.csr_matrix(pairs.days), "X_rel": [block(pairs.users), block(pairs.movies)]}


def _silent(*_: object) -> tuple[bool, None]:
    return False, None


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks up its version in a deprecated way
            return importlib.import_module("myfm")
    except ImportError as error:
        raise MissingExtra("myfm", "bench") from error

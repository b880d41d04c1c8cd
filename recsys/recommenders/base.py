"""What every model does: fit, rank, predict stars, explain, and be saved.

A model fits on a split without its test part. What it learnt is a mapping of NumPy arrays; all
answers are computed from these, so that a model that was saved and loaded, in a process that has
neither torch nor the library that trained it, answers as the one that was evaluated.

Legend: Q queries, U users, I items, D dimensions, N pairs, n movies of a history, k items asked
about.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.split import Source, Split, TrainingData
from recsys.data.vocabulary import as_id
from recsys.errors import ConfigError, DataError, MissingExtra, NotFittedError, UnsupportedError
from recsys.queries.context import Context
from recsys.queries.query import AudiencePrediction, Floats, Query, RatingPrediction, Rows
from recsys.queries.topk import joined, top_k

if TYPE_CHECKING:
    import pandas as pd

Array = Any
"""A NumPy array, or a SciPy CSR array."""

Payload = Literal["statistics", "item-weights", "factors", "embeddings", "samples"]
"""What a fitted model is: counts and means; an items × items matrix; vectors of users and items;
vectors of items alone, users being sums of them; samples of a posterior."""

_BLOCK = 512


@dataclass(frozen=True)
class Facts:
    """What to know of a model before choosing it.

    Attributes:
        payload: what it is once it is fitted.
        summary: what it is, in a line.
        reference: the paper, or "" for one of this project's own making.
        reads_content: whether it reads the modalities of movies.
        reads_genres: whether it reads genres, which are labels elsewhere.
        uses_timestamps: whether the time of the rating asked for is an input.
        uses_user_features: whether age, occupation and the like are inputs.
        folds_in: whether a user who was not in training is an ordinary query.
        random: whether the seed matters to the fitted model.
        stops_early: whether fitting looks at the valid part.
        library: a module that fitting needs besides the core, or None.
        extra: the extra that brings it.
    """

    payload: Payload
    summary: str
    reference: str = ""
    reads_content: bool = False
    reads_genres: bool = False
    uses_timestamps: bool = False
    uses_user_features: bool = False
    folds_in: bool = True
    random: bool = False
    stops_early: bool = False
    library: str | None = None
    extra: str | None = None


@dataclass(frozen=True)
class Contributions:
    """Scores as sums: ``score[i] = values[i].sum() + bias[i]``.

    Attributes:
        rows: (n,) movies of the history.
        values: (k, n) what each adds to the score of each item asked about.
        bias: (k,) what the item has by itself.
    """

    rows: NDArray[np.int32]
    values: NDArray[np.floating[Any]]
    bias: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class UserView:
    """One user as a model sees them, computed once for everything that is asked of them.

    Attributes:
        rows: (n,) movies of the history that count.
        scores: gives the (I,) scores of all items.
        vector: (D,) for an index of item vectors; None for a model without.
        contributions: gives the contributions to the scores of some items; None for a model whose
            scores are no sums over the history.
    """

    rows: NDArray[np.int32]
    scores: Callable[[], Floats]
    vector: Floats | None = None
    contributions: Callable[[Rows], Contributions] | None = None


Addends = tuple[NDArray[np.int32], Callable[[Rows], Contributions] | None]
"""The rows and the contributions of a ``UserView``."""


class Recommender(ABC):
    """A model. A subclass learns in ``_fit`` and answers in ``score``, ``predict_ratings`` or both.

    Args:
        config: hyper-parameters; the defaults of ``config_class`` unless given.
        options: some of them by name, instead of ``config``.

    Raises:
        ConfigError: a hyper-parameter is unknown, or a value does not suit.

    Attributes:
        name: under which the registry knows it.
        facts: what to know before choosing it.
        fit_seconds: what fitting took; None for a model fitted before.
        config_class: a frozen dataclass of hyper-parameters.
    """

    name: str
    facts: Facts
    config_class: ClassVar[type[Any]]

    def __init__(self, config: Any = None, **options: Any) -> None:
        if config is not None and (options or not isinstance(config, self.config_class)):
            raise ConfigError(
                f"{self.name} takes a {self.config_class.__name__}, or hyper-parameters by name"
            )
        if config is None and options:
            from recsys.recommenders.registry import checked_config

            config = checked_config(type(self), self.name, options, {})
        self.config = self.config_class() if config is None else config
        self.source = Source.unknown()
        self.fit_seconds: float | None = None
        self._arrays: Mapping[str, Array] | None = None
        self._context: Context | None = None

    def __repr__(self) -> str:
        state = "not fitted" if self._arrays is None else f"fitted on {self.source.dataset!r}"
        return f"{type(self).__name__}({self.name!r}, {state})"

    # Fitting

    def fit(self, split: Split | TrainingData) -> Self:
        """Learn from the train part; valid may only be used to choose. Test is never seen.

        Raises:
            DataError: the data lacks what the model needs.
            ConfigError: this is no split, or the hyper-parameters do not suit the data.
            MissingExtra: a library that fitting needs is not installed.
        """
        if not isinstance(split, Split | TrainingData):
            raise ConfigError(
                f"{self.name} is fitted on a split, not on a {type(split).__name__}",
                hint='make one: recsys.make_split(dataset, "ro")',
            )
        data = split.for_fitting() if isinstance(split, Split) else split
        started = time.perf_counter()
        learnt = self._fit(data)
        # In the order in which they are stored: the sums of a linear algebra library depend on it.
        self._arrays = {
            name: array if sp.issparse(array) else np.asarray(array, order="C")
            for name, array in learnt.items()
        }
        self.fit_seconds = time.perf_counter() - started
        self.source = data.source
        self._context = Context.of(data)
        return self

    @abstractmethod
    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """What was learnt, by name."""

    @classmethod
    def restore(
        cls, config: Any, arrays: Mapping[str, Array], source: Source, context: Context
    ) -> Self:
        """A fitted model again, from what ``arrays`` gave."""
        model = cls(config)
        model._arrays, model.source, model._context = arrays, source, context
        return model

    def arrays(self) -> Mapping[str, Array]:
        """What was learnt, by name.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        if self._arrays is None:
            raise NotFittedError(
                f"{self.name} was asked before it was fitted", hint="call fit first"
            )
        return self._arrays

    @property
    def is_fitted(self) -> bool:
        """Whether ``fit`` was called."""
        return self._arrays is not None

    @property
    def context(self) -> Context:
        """The movies and users it was fitted on.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        self.arrays()
        if self._context is None:
            raise NotFittedError(f"{self.name} knows no movies", hint="fit it on a split")
        return self._context

    @property
    def parameters(self) -> int:
        """Numbers learnt: what the array "parameters" says, or else those that are not 0.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        arrays = self.arrays()
        if "parameters" in arrays:
            return int(arrays["parameters"][0])
        return sum(nonzero(array) for array in arrays.values())

    # Answers to batches, which evaluation and serving ask

    @property
    def ranks(self) -> bool:
        """Whether it scores all movies for a user."""
        return type(self).score is not Recommender.score

    @property
    def predicts_ratings(self) -> bool:
        """Whether it predicts stars."""
        return type(self).predict_ratings is not Recommender.predict_ratings

    @classmethod
    def answers(cls) -> list[str]:
        """What can be asked of it, and about whom, in words."""
        can = {
            "lists": cls.score is not Recommender.score,
            "reasons": cls._addends is not Recommender._addends,
            "similar": cls.similarities is not Recommender.similarities,
            "stars": cls.predict_ratings is not Recommender.predict_ratings,
            "new users": cls.facts.folds_in,
            "new movies": cls.with_movie is not Recommender.with_movie,
        }
        return [name for name, possible in can.items() if possible]

    def score(self, query: Query) -> Floats:  # noqa: ARG002
        """(Q, I) scores, higher is better, -inf where an item cannot be scored.

        Items already in the history are scored like any other: masking them is the caller's task.

        Raises:
            NotFittedError: ``fit`` was not called.
            UnsupportedError: it predicts stars and ranks nothing.
        """
        raise UnsupportedError(
            f"{self.name} predicts stars and ranks nothing",
            hint="ask it to predict, or take a model that ranks",
        )

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:  # noqa: ARG002
        """Stars of N pairs: query ``rows[n]`` with item ``items[n]``.

        Raises:
            NotFittedError: ``fit`` was not called.
            UnsupportedError: it ranks and predicts no stars.
        """
        raise UnsupportedError(
            f"{self.name} ranks movies and predicts no stars",
            hint="ask it to recommend, or take a model that predicts stars",
        )

    def genre_probabilities(self) -> Floats | None:
        """(I, G) probability of each genre of each item; None for a model that knows none."""
        return None

    def audience(self) -> AudiencePrediction | None:
        """The mean stars of each item's audience; None for a model that predicts none."""
        return None

    def content_weights(self, row: int) -> dict[str, float]:  # noqa: ARG002
        """How far each modality counts in the content of one item; empty where none is weighed."""
        return {}

    def with_movie(self, features: Mapping[str, Floats], context: Context) -> Self:  # noqa: ARG002
        """A model that also knows a movie, by its content, in the row after the last.

        Args:
            features: modality to (D,) vector.
            context: the movies and users with the new movie.

        Raises:
            UnsupportedError: the model places no movies after it was trained.
            DataError: the features are not what the model reads.
        """
        raise UnsupportedError(
            f"{self.name} places no movies after it was trained",
            hint="take a model that reads content, such as joint",
        )

    def view(self, query: Query) -> UserView:
        """One user, whose query this is."""
        rows, contributions = self._addends(query)
        return UserView(rows, lambda: self.score(query)[0], None, contributions)

    def _addends(self, query: Query) -> Addends:
        """The movies of one user's history that count, and what gives their contributions."""
        return query.histories.indices, None

    def views(self, query: Query) -> list[UserView]:
        """Every user of a query, as ``view`` has them."""
        return [self.view(query.one(row)) for row in range(len(query))]

    def similarities(self, row: int) -> Floats:  # noqa: ARG002
        """(I,) how much each item is like one, higher is more; -inf where that is not known.

        Raises:
            UnsupportedError: it does not compare items.
        """
        raise UnsupportedError(
            f"{self.name} does not compare movies",
            hint="take a model of item weights or of vectors, such as ease",
        )

    def _require_items(self, query: Query, n_items: int) -> None:
        columns = query.histories.shape[1]
        if columns != n_items:
            raise DataError(
                f"{self.name} was fitted on {n_items} movies, the histories have {columns}"
            )

    # Answers to people

    def recommend(self, users: Any = None, k: int = 10, *, seen: bool = False) -> pd.DataFrame:
        """The k best movies of known users.

        Args:
            users: ids; one alone is one user; all by default.
            k: length of the lists.
            seen: whether movies that a user has rated may be recommended again.

        Returns:
            a frame with the columns user, rank, item, title, score.

        Raises:
            DataError: a user is unknown.
            ConfigError: ``k`` is below 1.
        """
        import pandas as pd

        require_at_least("k", k, 1)
        context = self.context
        ids = list(context.histories.users) if users is None else names(users, "user")
        rows = np.array([context.histories.users.row(user) for user in ids], dtype=np.int32)
        blocks = []
        for start in range(0, max(len(rows), 1), _BLOCK):
            asked = rows[start : start + _BLOCK]
            scores = np.array(self.score(context.query(asked)))
            if not seen:
                scores[context.seen[asked].nonzero()] = -np.inf
            blocks.append(top_k(scores, k))
        lists = joined(blocks)
        found = lists.items >= 0
        user, rank = found.nonzero()
        named = _named(context.catalogue, lists.items[found])
        columns = {"user": [ids[u] for u in user], "rank": rank + 1, **named}
        return pd.DataFrame({**columns, "score": lists.scores[found]})

    def predict(self, pairs: Any) -> pd.DataFrame:
        """The stars that known users would give movies.

        Args:
            pairs: (user, movie) pairs, or a frame with the columns user and item; movies by id or
                title.

        Returns:
            a frame with the columns user, item, title, rating, and std where the model has one.

        Raises:
            DataError: a user or a movie is unknown, or there are no such columns.
        """
        import pandas as pd

        context, asked = self.context, _pairs(pairs)
        users = names([user for user, _ in asked], "user")
        rows = np.array([context.histories.users.row(user) for user in users], dtype=np.int32)
        items = np.array([context.catalogue.find(movie) for _, movie in asked], dtype=np.int32)
        who, place = np.unique(rows, return_inverse=True)
        found = self.predict_ratings(context.query(who), place, items)
        named = _named(context.catalogue, items)
        frame = pd.DataFrame({"user": users, **named, "rating": found.mean})
        return frame if found.std is None else frame.assign(std=found.std)

    def similar(self, movie: Any, k: int = 10) -> pd.DataFrame:
        """The k movies most like one, each film once.

        Args:
            movie: id or title.
            k: how many.

        Returns:
            a frame with the columns rank, item, title, similarity.

        Raises:
            DataError: no movie, or more than one, has that name.
            ConfigError: ``k`` is below 1.
            UnsupportedError: the model does not compare movies.
        """
        import pandas as pd

        require_at_least("k", k, 1)
        catalogue = self.context.catalogue
        row = catalogue.find(movie)
        found = top_k(once_per_film(self.similarities(row), catalogue.film_groups, row)[None], k)
        there = found.items[0] >= 0
        named = _named(catalogue, found.items[0, there])
        rank, similarity = np.arange(1, 1 + there.sum()), found.scores[0, there]
        return pd.DataFrame({"rank": rank, **named, "similarity": similarity})

    def save(self, path: str | Path) -> Path:
        """Write the model as a bundle: complete, verified, and loadable without what trained it.

        Raises:
            NotFittedError: ``fit`` was not called.
            BundleError: something other than a bundle is at ``path``.
        """
        from recsys.recommenders.saving import save

        return save(self, path)


def nonzero(array: Array) -> int:
    """How many numbers of an array are not 0."""
    return int(array.nnz if sp.issparse(array) else np.count_nonzero(array))


def imported(module: str, library: str, extra: str) -> Any:
    """A module that needs an optional library.

    Raises:
        MissingExtra: the library is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or library).partition(".")[0] != library:
            raise
        raise MissingExtra(library, extra) from None


def once_per_film(scores: Floats, films: NDArray[np.int32], row: int) -> Floats:
    """(I,) scores, -inf for all but the best entry of each film and for the film in ``row``."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(films[order], return_index=True)
    kept = np.zeros(len(films), dtype=bool)
    kept[order[first]] = True
    return np.where(kept & (films != films[row]), scores, np.float32(-np.inf))


def names(given: Any, kind: str) -> list[str]:
    """Ids as strings; one alone is a list of one.

    Raises:
        DataError: an id is missing, or is neither a string nor a whole number.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        return [as_id(given, kind=kind)]
    return [as_id(name, kind=kind) for name in given]


def _named(catalogue: Catalogue, items: Rows) -> dict[str, list[str]]:
    """Columns of a frame that say which movies are meant."""
    shown = [catalogue.display_title(row) for row in items]
    return {"item": [catalogue.items.id(row) for row in items], "title": shown}


def _pairs(pairs: Any) -> list[tuple[Any, Any]]:
    if hasattr(pairs, "columns"):
        lacking = [name for name in ("user", "item") if name not in pairs.columns]
        if lacking:
            raise DataError(
                f"the frame has no column {lacking[0]!r}: {', '.join(map(str, pairs.columns))}",
                hint="name the columns user and item",
            )
        return list(zip(pairs["user"], pairs["item"], strict=True))
    try:
        return [(user, item) for user, item in pairs]
    except (TypeError, ValueError):
        raise DataError(
            f"{pairs!r:.60} are no pairs of user and movie",
            hint='give a list of pairs, such as [("42", "Heat (1995)")], or a frame',
        ) from None


def require_at_least(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number, or one that is too small.

    Raises:
        ConfigError: it is.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:  # type: ignore[operator]
        raise ConfigError(f"{name} is {value!r}, it must be a whole number of at least {least}")

"""The joint model as a recommender: fit it, then ask it, like any other.

Training needs torch; answering needs NumPy alone.

Legend: Q queries, I movies, D dimensions, N pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations

import numpy as np

from recsys.config.experiment import ExperimentConfig
from recsys.data.split import TrainingData
from recsys.errors import ConfigError, DataError, MissingExtra, nearest
from recsys.queries.context import Context
from recsys.queries.query import AudiencePrediction, Floats, Query, RatingPrediction, Rows
from recsys.recommenders.base import Addends, Array, Facts, UserView
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel, MovieVectors
from recsys.recommenders.joint.storage import Fitted
from recsys.recommenders.joint.training.log import RunOptions, TrainingLog, sinks_of
from recsys.recommenders.linear import VectorModel, unit_rows


class JointRecommender(VectorModel):
    """Movie embeddings trained jointly on lists, stars, genres and audience scores.

    Args:
        config: the experiment; its data, sources, split and features are not read here.
        options: where a training writes and whom it tells.

    Attributes:
        log: what happened in the last training.
    """

    name = "joint"
    config_class = ExperimentConfig
    facts = Facts(
        "embeddings",
        "movie embeddings of content and ids, trained jointly on lists, stars and genres",
        reads_content=True,
        random=True,
        stops_early=True,
        library="torch",
        extra="train",
    )

    def __init__(
        self, config: ExperimentConfig | None = None, options: RunOptions | None = None
    ) -> None:
        super().__init__(config)
        self.options = options or RunOptions()
        self.log = TrainingLog()

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """See ``recsys.recommenders.joint.training.fitting.train``."""
        try:
            from recsys.recommenders.joint.training.fitting import train
        except ImportError as error:
            raise MissingExtra(error.name or "torch", "train") from error
        self.log = TrainingLog(sinks_of(self.options))
        self.__dict__.pop("_fitted", None)
        return train(self.config, data, self.options, self.log).arrays()

    @cached_property
    def _fitted(self) -> Fitted:
        return Fitted.of(self.arrays(), self.config)

    @property
    def model(self) -> EmbeddingModel:
        """The trained arrays.

        Raises:
            NotFittedError: ``fit`` was not called.
        """
        return self._fitted.model

    @property
    def tower(self) -> ContentTower:
        """The trained content tower, for movies that come later."""
        return self._fitted.tower

    @property
    def parameters(self) -> int:
        """How many numbers were trained, those of a task discriminator among them."""
        return self._fitted.parameters

    def user_vectors(self, query: Query) -> Floats:
        """(Q, D) user vectors."""
        return self.model.user_vectors(query)

    def item_vectors(self) -> Floats:
        """(I, D) movie vectors."""
        return self.model.item_vectors()

    def directions(self) -> Floats:
        """(I, D-1) out-embeddings at length one, the bias left out."""
        return unit_rows(self.model.movies.ranked[:, :-1])

    def view(self, query: Query) -> UserView:
        """One user: the liked movies, their weights and the vector they make, computed once."""
        return self.model.view(query)

    def _addends(self, query: Query) -> Addends:
        view = self.view(query)
        return view.rows, view.contributions

    def views(self, query: Query) -> list[UserView]:
        """Every user of a query, their weights and vectors computed together."""
        return self.model.views(query)

    def predict_ratings(self, query: Query, rows: Rows, items: Rows) -> RatingPrediction:
        """Stars of N pairs, with their uncertainty."""
        self._require_items(query, len(self.model.movies))
        return self.model.predict_ratings(query, rows, items)

    def genre_probabilities(self) -> Floats:
        """(I, G) probability of each genre, from a movie's content alone."""
        return self.model.genre_probabilities()

    def audience(self) -> AudiencePrediction:
        """(I,) mean stars of each movie's audience, from content alone, and how sure that is."""
        return self.model.audience()

    def content_weights(self, row: int) -> dict[str, float]:
        """How far each modality counts in the content of one movie."""
        weights = self.model.movies.modality_weights[row]
        return {n: float(w) for n, w in zip(self.tower.modalities, weights, strict=True)}

    def with_movie(self, features: Mapping[str, Floats], context: Context) -> JointRecommender:
        """A model that also knows a movie, placed by its content alone.

        Raises:
            DataError: there is no content, or it is not what the content tower reads.
        """
        named = {n: np.asarray(v, dtype=np.float32).reshape(1, -1) for n, v in features.items()}
        if not any(np.isfinite(vector).all() for vector in named.values()):
            known = ", ".join(f"{name} ({self.tower.dim(name)})" for name in self.tower.modalities)
            raise DataError(
                "the movie has no content vector, so nothing is known about it",
                hint=f"give at least one of: {known or 'none, the model reads no content'}",
            )
        return self._with(self.model.with_movies(self.tower.embed(named)), context)

    def with_modalities(self, data: TrainingData, kept: Collection[str]) -> JointRecommender:
        """The model as if its movies had the ``kept`` modalities alone; nothing is trained again.

        Args:
            data: what it was trained on, its movies with the modalities it reads.
            kept: names of modalities; none leaves the id offsets and what absence says.

        Raises:
            ConfigError: the model does not read one of them, or the catalogue lacks one.
        """
        require_modalities(self.tower, kept)
        read = self.tower.modalities
        _require(read, data.catalogue.modalities, "the catalogue lacks modality")
        whole, part = (_of_content(self.tower, data, names) for names in (read, kept))
        movies = self.model.movies.arrays()
        arrays = {name: array + (part[name] - whole[name]) for name, array in movies.items()}
        return self._with(replace(self.model, movies=MovieVectors(**arrays)), self.context)

    def _with(self, model: EmbeddingModel, context: Context) -> JointRecommender:
        arrays = self._fitted._replace(model=model).arrays()
        return type(self).restore(self.config, arrays, self.source, context)


def _of_content(
    tower: ContentTower, data: TrainingData, names: Collection[str]
) -> dict[str, Floats]:
    """What content adds to rated movies, and all there is of the others."""
    rated, count, nothing = data.train.item_counts() > 0, len(data.catalogue), np.float32(np.nan)
    tables = {name: data.catalogue.modalities[name] for name in names}
    features = {n: np.where(t.present[:, None], t.vectors, nothing) for n, t in tables.items()}
    added = tower.content(features, count).arrays()
    placed = tower.embed(features, count).arrays()
    return {name: np.where(rated, added[name].T, placed[name].T).T.copy() for name in added}


def require_modalities(tower: ContentTower, names: Collection[str]) -> None:
    """Refuse what is no modality of a model.

    Raises:
        ConfigError: the tower does not read one of them.
    """
    _require(names, tower.modalities, "the model does not read modality")


def subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every subset, the empty one first, smaller ones before larger ones."""
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _require(names: Collection[str], known: Collection[str], what: str) -> None:
    for name in names:
        if name not in known:
            close = ", ".join(nearest(name, known) or known)
            raise ConfigError(f"{what} {name!r}", hint=f"there are: {close}" if close else "")

"""The joint model: movie embeddings, read by a ranking, a rating, a genre and an audience head.

Legend: B users of a batch, I movies.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recsys.config.experiment import ExperimentConfig
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions, RatingScale
from recsys.errors import DataError
from recsys.queries.query import Floats
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.content import Encoded, embedding_heads, in_units
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel, MovieVectors, RatingConstants
from recsys.recommenders.joint.formulas import (
    RatingShrinkage,
    item_weights,
    liked_mean,
    rated_history,
)
from recsys.recommenders.joint.item_tower import (
    NO_DROPOUT,
    Dropout,
    ItemTower,
    MovieEmbedding,
    TowerConfig,
)
from recsys.recommenders.joint.losses import OrdinalThresholds
from recsys.recommenders.joint.placement import Placement
from recsys.recommenders.joint.sharing import make_penalties

_MOVIE_BIAS_SHRINKAGE = 4.0  # ratings; a starting point that training corrects


@dataclass(frozen=True)
class TrainStatistics:
    """What the model takes from the training ratings before the first step.

    Attributes:
        counts: (I,) ratings of each movie.
        rating_mean: μ, mean of all ratings.
        movie_bias: (I,) shrunk mean of each movie's ratings less μ.
        audience_mean: (I,) mean of each movie's ratings; 0 where it has none.
        scale: the rating scale.
        levels: the stars that can be given; None where ratings are on no grid.
    """

    counts: NDArray[np.int64]
    rating_mean: float
    movie_bias: Floats
    audience_mean: Floats
    scale: RatingScale
    levels: RatingLevels | None

    @classmethod
    def of(cls, train: Interactions) -> TrainStatistics:
        """Count and average the training ratings."""
        counts = train.item_counts()
        mean = float(train.rating.mean(dtype=np.float64))
        sums = np.bincount(train.item, train.rating - mean, minlength=len(counts))
        bias = (sums / (counts + _MOVIE_BIAS_SHRINKAGE)).astype(np.float32)
        average = np.where(counts > 0, mean + sums / np.maximum(counts, 1), 0).astype(np.float32)
        return cls(counts, mean, bias, average, train.scale, RatingLevels.of(train))


class MovieParts(NamedTuple):
    """The movies as each head reads them; see ``MovieVectors`` for their meaning."""

    encoded: Encoded
    liked: Tensor
    ranked: Tensor
    rank_bias: Tensor
    rating_in: Tensor
    rating_out: Tensor
    rating_mean: Tensor
    log_variance: Tensor
    genre_logits: Tensor
    audience_mean: Tensor
    audience_log_variance: Tensor


class JointModel(nn.Module):
    """Movie embeddings with a ranking, a rating, a genre and an audience head.

    Args:
        catalogue: movies with their modalities; genres are labels and are not read here.
        statistics: of the training ratings.
        config: of the experiment; data, losses and training are not read here.

    Raises:
        DataError: an ordinal likelihood is asked for and the ratings are on no grid.
    """

    def __init__(
        self, catalogue: Catalogue, statistics: TrainStatistics, config: ExperimentConfig
    ) -> None:
        super().__init__()
        self.config, self.statistics = config, statistics
        read = embedding_heads(config.model, len(catalogue.genre_names))
        tower = TowerConfig(config.fusion, config.sharing, read, config.seed)
        self.tower = ItemTower(catalogue.modalities, statistics.counts > 0, tower)
        self.user_noise = nn.Parameter(torch.zeros(()))
        self.log_vote_variance = nn.Parameter(torch.zeros(()))
        ordinal = config.model.rating_likelihood == "ordinal"
        self.ordinal = _thresholds(statistics.levels) if ordinal else None
        self.penalties = make_penalties(config.sharing, config.seed)
        trained = [penalty for penalty in self.penalties if isinstance(penalty, nn.Module)]
        self.adversaries = nn.ModuleList(trained)
        self.shrinkage = RatingShrinkage(
            config.model.user_bias_shrinkage, config.model.user_vector_shrinkage
        )
        # Without modalities all content is alike, and there is nothing to regress on.
        regressed = config.placement.kind == "regression" and bool(catalogue.modalities)
        self.placement = self._placement(catalogue) if regressed else None
        self._start_from(statistics)

    def _start_from(self, statistics: TrainStatistics) -> None:
        popularity = np.maximum(statistics.counts, 1)
        with torch.no_grad():
            offsets = self.tower.offsets
            offsets["rank_bias"][:, 0] = torch.from_numpy(np.log(popularity / popularity.mean()))
            offsets["rating_mean"][:, 0] = torch.from_numpy(statistics.movie_bias)

    def _placement(self, catalogue: Catalogue) -> Placement:
        weights, tables = self.tower.weights(), catalogue.modalities
        centres = {name: _array(weights[f"modality/{name}/centre"]) for name in tables}
        rated = self.statistics.counts > 0
        return Placement(tables, centres, rated, self.config.placement)

    def movies(self, dropout: Dropout = NO_DROPOUT) -> MovieParts:
        """Embed all movies; nothing is dropped in evaluation mode."""
        return self._parts(self.tower(dropout))

    def _parts(self, embedded: MovieEmbedding) -> MovieParts:
        mean, temperature = self.statistics.rating_mean, self.config.model.temperature
        return MovieParts(embedded.encoded, **in_units(embedded.heads, temperature, mean))

    def rank(self, movies: MovieParts, weights: Tensor) -> Tensor:
        """(B, I) ranking scores of users whose liked movies have (B, I) ``weights``."""
        users = liked_mean(weights, movies.liked)
        scores: Tensor = users @ movies.ranked.T + movies.rank_bias
        return scores

    def rate(self, movies: MovieParts, ratings: Tensor, rated: Tensor) -> tuple[Tensor, Tensor]:
        """(B, I) η and log variance of the ratings of users with the given histories."""
        # Sums of squares cancel here, which half precision does not survive.
        with _full_precision(ratings.device):
            taste = rated_history(
                ratings, rated, movies.rating_mean.float(), movies.rating_in.float(), self.shrinkage
            )
        mean = movies.rating_mean + taste.bias[:, None] + taste.vector @ movies.rating_out.T
        noise = self.user_noise * taste.noise.log()
        return mean, movies.log_variance + noise[:, None]

    @torch.no_grad()
    def served(self) -> MovieParts:
        """All movies as they are served: nothing dropped, those that nobody rated placed."""
        return self._parts(self._placed(self._embedded()))

    @torch.no_grad()
    def export(self) -> EmbeddingModel:
        """The model as plain arrays, its uncertainty not yet calibrated."""
        movies = self.served()
        read = {n: _array(part) for n, part in movies._asdict().items() if n != "encoded"}
        weight = item_weights(self.statistics.counts, self.config.user.popularity_exponent)
        vectors = MovieVectors.of(read, weight, _array(movies.encoded.modality_weights))
        return EmbeddingModel(vectors, self.config.user, self._constants())

    def _embedded(self) -> MovieEmbedding:
        """All movies, nothing dropped."""
        was_training = self.training
        self.eval()
        embedded: MovieEmbedding = self.tower()
        self.train(was_training)
        return embedded

    def _placed(self, embedded: MovieEmbedding) -> MovieEmbedding:
        """The same with movies that nobody rated where they are served."""
        unrated = self.tower.warm[:, 0] == 0
        if self.placement is None or not unrated.any():
            return embedded
        heads, weights = dict(embedded.heads), self._placing(embedded)
        for head in self.tower.offsets:
            placed = torch.from_numpy(self.placement.unrated(weights, head))
            heads[head] = heads[head].float().index_put((unrated,), placed.to(heads[head].device))
        return embedded._replace(heads=heads)

    def _placing(self, embedded: MovieEmbedding) -> dict[str, Floats]:
        """The weights that place movies that nobody rated; none where their content does."""
        if self.placement is None:
            return {}
        learnt = {head: _array(embedded.heads[head]) for head in self.tower.offsets}
        ranking = {head.name for head in self.tower.config.heads if head.task == "ranking"}
        return self.placement.fit(learnt, stretched=ranking)

    def _constants(self) -> RatingConstants:
        levels, scale = self.statistics.levels, self.statistics.scale
        if self.ordinal is not None and levels is not None:
            levels = RatingLevels(levels.values, tuple(self.ordinal.thresholds().tolist()))
        noise, vote_std = float(self.user_noise), math.exp(float(self.log_vote_variance) / 2)
        return RatingConstants(self.shrinkage, noise, scale, levels, vote_std=vote_std)

    @torch.no_grad()
    def export_tower(self) -> ContentTower:
        """The content half of the item tower as plain arrays, for movies that come later."""
        exponent = self.config.user.popularity_exponent
        weights = {name: _array(tensor) for name, tensor in self.tower.weights().items()}
        return ContentTower(
            weights=weights | self._placing(self._embedded()),
            fusion=self.config.fusion.kind,
            temperature=self.config.model.temperature,
            rating_mean=self.statistics.rating_mean,
            cold_weight=float(item_weights(np.zeros(1, np.int64), exponent)[0]),
        )


def _full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Autocast switched off, where there is one."""
    known = device.type in {"cpu", "cuda"}
    return torch.autocast(device.type, enabled=False) if known else nullcontext()


def _thresholds(levels: RatingLevels | None) -> OrdinalThresholds:
    if levels is None:
        raise DataError(
            "ratings are on no grid of levels, which an ordinal likelihood needs",
            hint="set model.rating_likelihood=gaussian",
        )
    return OrdinalThresholds(levels.values)


def _array(tensor: Tensor) -> Floats:
    """A copy: what was exported must not follow further training."""
    return tensor.detach().float().cpu().numpy().astype(np.float32, copy=True)

"""The joint model: one movie embedding, read by a ranking, a rating and a genre head.

All tasks share all of the embedding (fully shared, "FS"). Legend: B users of a batch, I movies,
D ranking dimensions, R rating dimensions, G genres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recsys.config.experiment import ModelConfig, UserConfig
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions, RatingScale
from recsys.models.content_tower import ContentTower
from recsys.models.embedding_model import EmbeddingModel, MovieVectors, RatingConstants
from recsys.models.formulas import RatingShrinkage, liked_mean, rated_history
from recsys.models.histories import item_weights
from recsys.models.item_tower import NO_DROPOUT, Dropout, ItemTower, TowerSizes, generator, linear

_MOVIE_BIAS_SHRINKAGE = 4.0  # ratings; a starting point that training corrects


@dataclass(frozen=True)
class TrainStatistics:
    """What the model takes from the training ratings before the first step.

    Attributes:
        counts: (I,) ratings of each movie.
        rating_mean: μ, mean of all ratings.
        movie_bias: (I,) shrunk mean of each movie's ratings less μ.
        scale: the rating scale.
    """

    counts: NDArray[np.int64]
    rating_mean: float
    movie_bias: NDArray[np.float32]
    scale: RatingScale

    @classmethod
    def of(cls, train: Interactions) -> TrainStatistics:
        """Count and average the training ratings."""
        counts = train.item_counts()
        mean = float(train.rating.mean(dtype=np.float64))
        sums = np.bincount(train.item, train.rating - mean, minlength=len(counts))
        bias = (sums / (counts + _MOVIE_BIAS_SHRINKAGE)).astype(np.float32)
        return cls(counts, mean, bias, train.scale)


class MovieParts(NamedTuple):
    """The movie embedding cut into the roles it plays; see ``MovieVectors`` for their meaning."""

    content: Tensor
    liked: Tensor
    ranked: Tensor
    rating_in: Tensor
    rating_out: Tensor
    rank_bias: Tensor
    rating_mean: Tensor
    log_variance: Tensor


class JointModel(nn.Module):
    """Movie embeddings with a ranking, a rating and a genre head.

    Args:
        catalogue: movies with their modalities; genres are labels and are not read here.
        statistics: of the training ratings.
        config: sizes.
        user: how a history becomes a user.
        seed: root seed of the initial weights.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        statistics: TrainStatistics,
        config: ModelConfig,
        user: UserConfig,
        seed: int,
    ) -> None:
        super().__init__()
        self.config, self.user, self.statistics = config, user, statistics
        vectors = 2 * (config.ranking_dim + config.rating_dim)
        sizes = TowerSizes(config.content_dim, vectors, scalars=3)
        warm = statistics.counts > 0
        self.tower = ItemTower(catalogue.modalities, warm, sizes, seed)
        n_genres = len(catalogue.genre_names)
        self.genre_head = linear(config.content_dim, n_genres, rng=generator(seed, "genre_head"))
        self.user_noise = nn.Parameter(torch.zeros(()))
        self.shrinkage = RatingShrinkage(config.user_bias_shrinkage, config.user_vector_shrinkage)
        self._start_from(statistics)

    def _start_from(self, statistics: TrainStatistics) -> None:
        popularity = np.maximum(statistics.counts, 1)
        with torch.no_grad():
            offsets = self.tower.scalar_offsets
            offsets[:, 0] = torch.from_numpy(np.log(popularity / popularity.mean()))
            offsets[:, 1] = torch.from_numpy(statistics.movie_bias)

    def movies(self, dropout: Dropout = NO_DROPOUT) -> MovieParts:
        """Embed all movies; nothing is dropped in evaluation mode."""
        content, vectors, scalars = self.tower(dropout)
        d, r = self.config.ranking_dim, self.config.rating_dim
        liked, ranked, rating_in, rating_out = torch.split(vectors, [d, d, r, r], dim=1)
        rank_bias, rating_bias, log_variance = scalars.unbind(dim=1)
        return MovieParts(
            content,
            liked,
            ranked / self.config.temperature,
            rating_in,
            rating_out,
            rank_bias,
            self.statistics.rating_mean + rating_bias,
            log_variance,
        )

    def rank(self, movies: MovieParts, weights: Tensor) -> Tensor:
        """(B, I) ranking scores of users whose liked movies have (B, I) ``weights``."""
        scores: Tensor = liked_mean(weights, movies.liked) @ movies.ranked.T + movies.rank_bias
        return scores

    def rate(self, movies: MovieParts, ratings: Tensor, rated: Tensor) -> tuple[Tensor, Tensor]:
        """(B, I) mean and log variance of the ratings of users with the given histories."""
        taste = rated_history(ratings, rated, movies.rating_mean, movies.rating_in, self.shrinkage)
        mean = movies.rating_mean + taste.bias[:, None] + taste.vector @ movies.rating_out.T
        noise = self.user_noise * taste.noise.log()
        return mean, movies.log_variance + noise[:, None]

    def genre_logits(self, movies: MovieParts) -> Tensor:
        """(I, G) logits, from content alone: an id offset would learn the labels by heart."""
        logits: Tensor = self.genre_head(movies.content)
        return logits

    @torch.no_grad()
    def export(self) -> EmbeddingModel:
        """The model as plain arrays."""
        was_training = self.training
        self.eval()
        movies = self.movies()
        logits = self.genre_logits(movies)
        self.train(was_training)
        vectors = MovieVectors(
            liked=_array(movies.liked),
            ranked=_array(torch.cat([movies.ranked, movies.rank_bias[:, None]], dim=1)),
            weight=item_weights(self.statistics.counts, self.user.popularity_exponent),
            rating_in=_array(movies.rating_in),
            rating_out=_array(movies.rating_out),
            rating_mean=_array(movies.rating_mean),
            log_variance=_array(movies.log_variance),
            genre_logits=_array(logits),
        )
        constants = RatingConstants(self.shrinkage, float(self.user_noise), self.statistics.scale)
        return EmbeddingModel(vectors, self.user, constants)

    @torch.no_grad()
    def export_tower(self) -> ContentTower:
        """The content half of the item tower as plain arrays, for movies that come later."""
        weights = {
            "to_vectors": self.tower.to_vectors.weight,
            "to_scalars": self.tower.to_scalars.weight,
            "genre/weight": self.genre_head.weight,
            "genre/bias": self.genre_head.bias,
        }
        for name in self.tower.names:
            weights |= self.tower.projection(name).weights(name)
        return ContentTower(
            weights={name: _array(tensor) for name, tensor in weights.items()},
            ranking_dim=self.config.ranking_dim,
            rating_dim=self.config.rating_dim,
            temperature=self.config.temperature,
            rating_mean=self.statistics.rating_mean,
            cold_weight=float(
                item_weights(np.zeros(1, np.int64), self.user.popularity_exponent)[0]
            ),
        )


def _array(tensor: Tensor) -> NDArray[np.float32]:
    """A copy: what was exported must not follow further training."""
    return np.array(tensor.detach().cpu().numpy(), dtype=np.float32, order="C", ndmin=1)

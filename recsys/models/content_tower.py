"""Embedding a movie that came after training, in NumPy, from its content alone.

The same arithmetic as ``recsys.models.item_tower`` with an id offset of zero; a test holds the two
equal. Legend: M new movies, D_m dimensions of modality m, C content dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.errors import DataError
from recsys.models.embedding_model import Floats, MovieVectors


@dataclass(frozen=True)
class ContentTower:
    """Weights of the content half of the item tower.

    Attributes:
        weights: ``{modality}/centre``, ``/scale``, ``/weight``, ``/bias``, ``/absent`` for each
            modality, and ``to_vectors``, ``to_scalars``, ``genre/weight``, ``genre/bias``.
        ranking_dim: D.
        rating_dim: R.
        temperature: of the ranking scores.
        rating_mean: mean of all training ratings, stars.
        cold_weight: weight in a user mean of a like for a movie without ratings.
    """

    weights: Mapping[str, Floats]
    ranking_dim: int
    rating_dim: int
    temperature: float
    rating_mean: float
    cold_weight: float

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities the tower reads."""
        return tuple(sorted(key.split("/")[0] for key in self.weights if key.endswith("/centre")))

    def dim(self, modality: str) -> int:
        """D_m."""
        return len(self.weights[f"{modality}/centre"])

    def embed(self, features: Mapping[str, Floats], n_movies: int = 1) -> MovieVectors:
        """Embed M movies by whatever modalities they have.

        Args:
            features: modality name to (M, D_m) vectors; a row that is not finite is absent.
            n_movies: M.

        Raises:
            DataError: a modality is unknown or has the wrong shape.
        """
        content = self._content(features, n_movies)
        vectors = content @ self.weights["to_vectors"].T
        scalars = content @ self.weights["to_scalars"].T
        d, r = self.ranking_dim, self.rating_dim
        liked, ranked, rating_in, rating_out = np.split(vectors, [d, 2 * d, 2 * d + r], axis=1)
        genre = content @ self.weights["genre/weight"].T + self.weights["genre/bias"]
        return MovieVectors(
            liked=liked,
            ranked=np.hstack([ranked / np.float32(self.temperature), scalars[:, :1]]),
            weight=np.full(n_movies, self.cold_weight, dtype=np.float32),
            rating_in=rating_in,
            rating_out=rating_out,
            rating_mean=scalars[:, 1] + np.float32(self.rating_mean),
            log_variance=scalars[:, 2],
            genre_logits=genre,
        )

    def _content(self, features: Mapping[str, Floats], n_movies: int) -> Floats:
        self._require_known(features)
        total = np.zeros((n_movies, self.weights["to_vectors"].shape[1]), dtype=np.float32)
        missing, count = np.zeros_like(total), np.zeros((n_movies, 1), dtype=np.float32)
        for name in self.modalities:
            vectors = features.get(name, np.full((n_movies, self.dim(name)), np.nan, np.float32))
            present = self._present(name, vectors, n_movies)
            w = {
                key: self.weights[f"{name}/{key}"] for key in ("centre", "scale", "weight", "bias")
            }
            standard = (np.where(present, vectors, 0) - w["centre"]) / w["scale"]
            total += present * (standard @ w["weight"].T + w["bias"])
            missing += ~present * self.weights[f"{name}/absent"]
            count += present
        fused = total / np.maximum(count, 1) + missing / max(len(self.modalities), 1)
        return np.asarray(np.tanh(fused), dtype=np.float32)

    def _require_known(self, features: Mapping[str, Floats]) -> None:
        for name in features:
            if name not in self.modalities:
                known = ", ".join(self.modalities) or "none"
                raise DataError(
                    f"the model does not read modality {name!r}", hint=f"it reads: {known}"
                )

    def _present(self, name: str, vectors: Floats, n_movies: int) -> NDArray[np.bool_]:
        if vectors.shape != (n_movies, self.dim(name)):
            raise DataError(
                f"{name} features have shape {vectors.shape}, ({n_movies}, {self.dim(name)}) is "
                "needed"
            )
        return np.asarray(np.isfinite(vectors).all(axis=1, keepdims=True))

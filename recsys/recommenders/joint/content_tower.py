"""Embedding a movie that came after training from its content alone, without torch.

Legend: M new movies, D_m dimensions of modality m, F fusion dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.errors import DataError
from recsys.queries.query import Floats
from recsys.recommenders.joint import content
from recsys.recommenders.joint.content import TASK_OF, Encoded
from recsys.recommenders.joint.embedding_model import MovieVectors
from recsys.recommenders.joint.placement import Directions, is_placed, place


@dataclass(frozen=True)
class ContentTower:
    """The content half of the item tower, and where it places movies that nobody rated.

    Attributes:
        weights: by name, see the modules ``content`` and ``placement``.
        fusion: kind of fusion.
        temperature: of the ranking scores.
        rating_mean: mean of all training ratings, stars.
        cold_weight: weight in a user mean of a like for a movie without ratings.
    """

    weights: Mapping[str, Floats] = field(repr=False)
    fusion: str
    temperature: float
    rating_mean: float
    cold_weight: float

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities the tower reads."""
        return content.modality_names(self.weights)

    def dim(self, modality: str) -> int:
        """D_m."""
        return len(self._centre(modality))

    def _centre(self, modality: str) -> Floats:
        return self.weights[f"modality/{modality}/centre"]

    def embed(self, features: Mapping[str, Floats], n_movies: int = 1) -> MovieVectors:
        """Embed M movies that nobody rated by whatever modalities they have.

        Args:
            features: modality name to (M, D_m) vectors; a row that is not finite is absent.
            n_movies: M.

        Raises:
            DataError: a modality is unknown or has the wrong shape.
        """
        encoded = self.encode(features, n_movies)
        read = self._read(encoded)
        found = {
            name: Directions.of(some, self._present(name, some, n_movies), self._centre(name))
            for name, some in sorted(features.items())
        }
        for head in read:
            if is_placed(self.weights, head):
                placed = place(found, self.weights, head, n_movies)
                read[head] = np.asarray(placed, dtype=np.float32)
        return self._vectors(encoded, read)

    def content(self, features: Mapping[str, Floats], n_movies: int = 1) -> MovieVectors:
        """What the content of M movies adds to their id offsets; see ``embed``."""
        encoded = self.encode(features, n_movies)
        return self._vectors(encoded, self._read(encoded))

    def _read(self, encoded: Encoded) -> dict[str, Floats]:
        return {
            head: np.asarray(content.read(encoded, self.weights, head, task), dtype=np.float32)
            for head, task in TASK_OF.items()
        }

    def _vectors(self, encoded: Encoded, read: Mapping[str, Floats]) -> MovieVectors:
        return MovieVectors.of(
            content.in_units(read, np.float32(self.temperature), np.float32(self.rating_mean)),
            np.full(len(encoded.shared), self.cold_weight, dtype=np.float32),
            np.asarray(encoded.modality_weights, dtype=np.float32),
        )

    def encode(self, features: Mapping[str, Floats], n_movies: int) -> Encoded:
        """The content of M movies as the tasks see it; arguments are those of ``embed``."""
        names = self.modalities
        for name in sorted(features.keys() - set(names)):
            known = ", ".join(names) or "none"
            raise DataError(f"the model does not read modality {name!r}", hint=f"it reads: {known}")
        dim = self.weights[f"modality/{names[0]}/bias" if names else "shared/weight"].shape[-1]
        codes = np.zeros((n_movies, len(names), dim), dtype=np.float32)
        present = np.zeros((n_movies, len(names)), dtype=np.float32)
        for position, name in enumerate(names):
            if name not in features:
                continue
            rows = self._present(name, features[name], n_movies)
            standard = content.standardise(features[name][rows], self.weights, name)
            codes[rows, position] = content.code(standard, self.weights, name)
            present[rows, position] = 1
        return content.encode(self.fusion, codes, present, self.weights)

    def _present(self, name: str, vectors: Floats, n_movies: int) -> NDArray[np.bool_]:
        needed = n_movies, self.dim(name)
        if vectors.shape != needed:
            raise DataError(f"{name} features have shape {vectors.shape}, {needed} is needed")
        return np.asarray(np.isfinite(vectors).all(axis=1))

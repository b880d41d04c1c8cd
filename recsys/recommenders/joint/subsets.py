"""What a model is worth when it is given some of its modalities only.

Content enters the arrays of a rated movie as an addend, so what the missing modalities contributed
can be taken out of a trained model exactly, its id offset left as it is. A movie that nobody rated
is placed by what is left. Nothing is trained again.

Legend: I movies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.errors import ConfigError, nearest
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel, Floats, MovieVectors


def with_modalities(
    model: EmbeddingModel,
    tower: ContentTower,
    catalogue: Catalogue,
    rated: NDArray[np.bool_],
    kept: Collection[str],
) -> EmbeddingModel:
    """The model as if its movies had the ``kept`` modalities alone.

    Args:
        model: trained on ``catalogue``.
        tower: its content half.
        catalogue: the movies, with the modalities that the tower reads.
        rated: (I,) whether a movie has training ratings, and so an id offset.
        kept: names of modalities; none leaves the id offsets and what absence says.

    Raises:
        ConfigError: the tower does not read one of them, or the catalogue lacks one.
    """
    require_modalities(tower, kept)
    _require(tower.modalities, catalogue.modalities, "the catalogue lacks modality")
    whole = _of_content(tower, catalogue, rated, tower.modalities)
    part = _of_content(tower, catalogue, rated, kept)
    arrays = {
        name: array + (part[name] - whole[name]) for name, array in model.movies.arrays().items()
    }
    return replace(model, movies=MovieVectors(**arrays))


def _of_content(
    tower: ContentTower, catalogue: Catalogue, rated: NDArray[np.bool_], names: Collection[str]
) -> dict[str, Floats]:
    """What content adds to rated movies, and all there is of the others."""
    features = _features(catalogue, names)
    added = tower.content(features, len(catalogue)).arrays()
    placed = tower.embed(features, len(catalogue)).arrays()
    return {n: np.where(_as_column(rated, added[n]), added[n], placed[n]) for n in added}


def _as_column(mask: NDArray[np.bool_], array: Floats) -> NDArray[np.bool_]:
    return mask.reshape(-1, *(1,) * (array.ndim - 1))


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


def _features(catalogue: Catalogue, names: Collection[str]) -> dict[str, Floats]:
    tables = {name: catalogue.modalities[name] for name in names}
    nothing = np.float32(np.nan)
    return {n: np.where(t.present[:, None], t.vectors, nothing) for n, t in tables.items()}


def _require(names: Collection[str], known: Collection[str], what: str) -> None:
    for name in names:
        if name not in known:
            close = ", ".join(nearest(name, known) or known)
            raise ConfigError(f"{what} {name!r}", hint=f"there are: {close}" if close else "")

"""A trained joint model as a flat mapping of arrays, and back.

Movie vectors are under ``movies/``, the weights of the content tower under ``tower/``, single
numbers under ``number/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.config.experiment import ExperimentConfig
from recsys.data.interactions import RatingScale
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel, MovieVectors, RatingConstants
from recsys.recommenders.joint.formulas import RatingShrinkage

Arrays = Mapping[str, NDArray[Any]]
T = TypeVar("T")

_MOVIES, _TOWER, _NUMBER = "movies/", "tower/", "number/"
_RATING_NUMBERS = ("user_noise", "spread", "vote_std")
_TOWER_NUMBERS = ("temperature", "rating_mean", "cold_weight")


class Fitted(NamedTuple):
    """A trained joint model.

    Attributes:
        model: what answers.
        tower: what places movies that come later.
        parameters: how many numbers were trained, those of a task discriminator among them.
    """

    model: EmbeddingModel
    tower: ContentTower
    parameters: int

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name."""
        rating, levels = self.model.rating, self.model.rating.levels
        numbers: dict[str, float] = {
            **{f"shrinkage_{name}": value for name, value in asdict(rating.shrinkage).items()},
            **{f"scale_{name}": value for name, value in asdict(rating.scale).items()},
            **{name: getattr(rating, name) for name in _RATING_NUMBERS},
            **{name: float(getattr(self.tower, name)) for name in _TOWER_NUMBERS},
            "parameters": float(self.parameters),
        }
        return {
            **{f"{_MOVIES}{name}": array for name, array in self.model.movies.arrays().items()},
            **{f"{_TOWER}{name}": np.asarray(array) for name, array in self.tower.weights.items()},
            **{f"{_NUMBER}{name}": np.array([number]) for name, number in numbers.items()},
            "levels/values": np.array(levels.values if levels else ()),
            "levels/thresholds": np.array(levels.thresholds if levels else ()),
        }

    @classmethod
    def of(cls, arrays: Arrays, config: ExperimentConfig) -> Fitted:
        """What ``arrays`` gave, following the rules of its experiment."""
        number = {name: float(array[0]) for name, array in under(arrays, _NUMBER).items()}
        rating = RatingConstants(
            shrinkage=RatingShrinkage(**under(number, "shrinkage_")),
            scale=RatingScale(**under(number, "scale_")),
            levels=_levels(arrays),
            **{name: number[name] for name in _RATING_NUMBERS},
        )
        movies = under(arrays, _MOVIES)
        vectors = MovieVectors(**{field.name: movies[field.name] for field in fields(MovieVectors)})
        numbers = {name: number[name] for name in _TOWER_NUMBERS}
        tower = ContentTower(weights=under(arrays, _TOWER), fusion=config.fusion.kind, **numbers)
        return cls(EmbeddingModel(vectors, config.user, rating), tower, int(number["parameters"]))


def under(arrays: Mapping[str, T], prefix: str) -> dict[str, T]:
    """What is named ``prefix…``, without the prefix."""
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _levels(arrays: Arrays) -> RatingLevels | None:
    values, thresholds = arrays["levels/values"], arrays["levels/thresholds"]
    return RatingLevels(tuple(values.tolist()), tuple(thresholds.tolist())) if len(values) else None

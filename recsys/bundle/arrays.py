"""Trained arrays, weights and histories as safetensors, in memory.

Single numbers travel as float64 arrays of length one, under ``constant/``.

Legend: U users, I movies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors.numpy import load, save

from recsys.config.experiment import ExperimentConfig
from recsys.data.interactions import Interactions, RatingScale
from recsys.data.vocabulary import Vocabulary
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel, MovieVectors, RatingConstants
from recsys.recommenders.joint.formulas import RatingShrinkage

Arrays = Mapping[str, NDArray[Any]]

_CONSTANT = "constant/"
_TOWER_NUMBERS = ("temperature", "rating_mean", "cold_weight")


def model_to_bytes(model: EmbeddingModel) -> bytes:
    """The movie vectors and the constants of the rating head."""
    rating = model.rating
    constants = {
        "shrinkage_bias": rating.shrinkage.bias,
        "shrinkage_vector": rating.shrinkage.vector,
        "user_noise": rating.user_noise,
        "scale_low": rating.scale.low,
        "scale_high": rating.scale.high,
        "spread": rating.spread,
        "vote_std": rating.vote_std,
    }
    return _save({**model.movies.arrays(), **_levels_to_arrays(rating.levels)}, constants)


def model_from_bytes(data: bytes, config: ExperimentConfig, name: str) -> EmbeddingModel:
    """The model that ``model_to_bytes`` wrote, following the rules of its experiment."""
    arrays = load(data)
    constant = _constants(arrays)
    rating = RatingConstants(
        RatingShrinkage(constant["shrinkage_bias"], constant["shrinkage_vector"]),
        constant["user_noise"],
        RatingScale(constant["scale_low"], constant["scale_high"]),
        _levels_from_arrays(arrays),
        constant["spread"],
        constant["vote_std"],
    )
    movies = MovieVectors(**{field.name: arrays[field.name] for field in fields(MovieVectors)})
    return EmbeddingModel(movies, config.user, rating, name)


def _levels_to_arrays(levels: RatingLevels | None) -> dict[str, NDArray[np.float64]]:
    values, thresholds = (levels.values, levels.thresholds) if levels else ((), ())
    return {"levels/values": np.array(values), "levels/thresholds": np.array(thresholds)}


def _levels_from_arrays(arrays: Arrays) -> RatingLevels | None:
    values, thresholds = arrays["levels/values"], arrays["levels/thresholds"]
    return RatingLevels(tuple(values.tolist()), tuple(thresholds.tolist())) if len(values) else None


def tower_to_bytes(tower: ContentTower) -> bytes:
    """The weights of the content tower and its constants."""
    numbers = {name: float(getattr(tower, name)) for name in _TOWER_NUMBERS}
    return _save(tower.weights, numbers)


def tower_from_bytes(data: bytes, config: ExperimentConfig) -> ContentTower:
    """The tower that ``tower_to_bytes`` wrote, fusing as its experiment does."""
    arrays = load(data)
    constant = _constants(arrays)
    weights = {name: a for name, a in arrays.items() if not name.startswith(_CONSTANT)}
    numbers = {name: constant[name] for name in _TOWER_NUMBERS}
    return ContentTower(weights=weights, fusion=config.fusion.kind, **numbers)


def histories_to_bytes(histories: Interactions, seen: sp.csr_array) -> bytes:
    """Training ratings with their times, where known, and what counts as seen: CSR matrices."""
    matrix, times, scale = histories.matrix(), histories.times(), histories.scale
    arrays = {
        "rating": matrix.data,
        "history/item": matrix.indices.astype(np.int32),
        "history/start": matrix.indptr.astype(np.int64),
        "seen/item": seen.indices.astype(np.int32),
        "seen/start": seen.indptr.astype(np.int64),
    }
    if times is not None:
        arrays["history/time"] = times.data
    return _save(arrays, {"scale_low": scale.low, "scale_high": scale.high})


def histories_from_bytes(
    data: bytes, users: Vocabulary, items: Vocabulary
) -> tuple[Interactions, sp.csr_array]:
    """What ``histories_to_bytes`` wrote; ratings are in the order of users, then movies."""
    arrays = load(data)
    constant = _constants(arrays)
    counts = np.diff(arrays["history/start"])
    histories = Interactions(
        users=users,
        items=items,
        user=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        item=arrays["history/item"],
        rating=arrays["rating"],
        time=arrays.get("history/time"),
        scale=RatingScale(constant["scale_low"], constant["scale_high"]),
    )
    columns, start = arrays["seen/item"], arrays["seen/start"]
    marks = np.ones(len(columns), dtype=bool)
    return histories, sp.csr_array((marks, columns, start), shape=histories.shape)


def _save(arrays: Arrays, constants: Mapping[str, float]) -> bytes:
    numbers = {f"{_CONSTANT}{name}": np.array([value]) for name, value in constants.items()}
    together = {**arrays, **numbers}
    data: bytes = save({name: np.asarray(together[name], order="C") for name in sorted(together)})
    return data


def _constants(arrays: Arrays) -> dict[str, float]:
    named = {name: value for name, value in arrays.items() if name.startswith(_CONSTANT)}
    return {name.removeprefix(_CONSTANT): float(value[0]) for name, value in named.items()}

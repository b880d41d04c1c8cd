"""The models by name and by class, for people: ``models.create("ease")``, ``models.Ease()``.

Also what a model of one's own is made of: ``Recommender`` or one of its kinds, its ``Facts``, and
``register``.
"""

from __future__ import annotations

from typing import Any

from recsys.recommenders.base import Facts, Recommender
from recsys.recommenders.linear import ItemWeights, KnownUserFactors, VectorModel
from recsys.recommenders.registry import MODELS, create, register

__all__ = [
    "MODELS",
    "Facts",
    "ItemWeights",
    "KnownUserFactors",
    "Recommender",
    "VectorModel",
    "create",
    "names",
    "register",
]


def names() -> list[str]:
    """The names that ``create`` knows."""
    return list(MODELS)


def _classes() -> dict[str, str]:
    return {entry.where.rpartition(":")[2]: entry.name for entry in MODELS.values()}


def __getattr__(name: str) -> Any:
    known = _classes()
    if name not in known:
        raise AttributeError(f"module 'recsys.models' has no attribute {name!r}")
    return MODELS[known[name]].load()


def __dir__() -> list[str]:
    return sorted([*__all__, *_classes()])

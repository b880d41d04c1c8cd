"""Baselines by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from recsys.errors import ConfigError, nearest
from recsys.queries.query import RatingPredictor, Recommender
from recsys.recommenders.bias import BiasConfig, BiasModel
from recsys.recommenders.closed_form.ease import Ease, EaseConfig
from recsys.recommenders.closed_form.ease_content import EaseContent, EaseContentConfig
from recsys.recommenders.closed_form.marec import MARec, MARecConfig
from recsys.recommenders.content.knn import ContentKNN, ContentKNNConfig, PlainContentKNNConfig
from recsys.recommenders.content.ridge import ContentRidge, ContentRidgeConfig
from recsys.recommenders.genre_popularity import GenrePopularity, GenrePopularityConfig
from recsys.recommenders.item_knn.model import ItemKNN, ItemKNNConfig
from recsys.recommenders.popularity import Popularity, PopularityConfig

Baseline = Recommender | RatingPredictor


@dataclasses.dataclass(frozen=True)
class BaselineKind:
    """A baseline's class and the dataclass of its options."""

    make: Callable[[Any], Baseline]
    config: type[Any]


BASELINES: Mapping[str, BaselineKind] = MappingProxyType(
    {
        "popularity": BaselineKind(Popularity, PopularityConfig),
        "bias": BaselineKind(BiasModel, BiasConfig),
        "item-knn": BaselineKind(ItemKNN, ItemKNNConfig),
        "ease": BaselineKind(Ease, EaseConfig),
        "content-knn": BaselineKind(ContentKNN, ContentKNNConfig),
        "content-knn-plain": BaselineKind(ContentKNN, PlainContentKNNConfig),
        "genre-popularity": BaselineKind(GenrePopularity, GenrePopularityConfig),
        "content-ridge": BaselineKind(ContentRidge, ContentRidgeConfig),
        "ease-content": BaselineKind(EaseContent, EaseContentConfig),
        "marec": BaselineKind(MARec, MARecConfig),
    }
)


def make_baseline(name: str, **options: object) -> Baseline:
    """A fresh baseline.

    Args:
        name: a key of ``BASELINES``; ``content-knn:text`` looks at one modality alone.
        options: fields of its config.

    Raises:
        ConfigError: the name or an option is unknown; the error names the nearest.
    """
    kind_name, _, modality = name.partition(":")
    kind = BASELINES.get(kind_name)
    if kind is None:
        raise _unknown("baseline", name, list(BASELINES))
    options |= {"modality": modality} if modality else {}
    fields = [field.name for field in dataclasses.fields(kind.config)]
    for option in options:
        if option not in fields:
            raise _unknown(f"option of {kind_name}", option, fields)
    return kind.make(kind.config(**options))


def _unknown(what: str, value: str, known: list[str]) -> ConfigError:
    close = nearest(value, known)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
    return ConfigError(f"unknown {what}: {value!r}", hint=hint)

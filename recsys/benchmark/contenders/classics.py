"""The project's own baselines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from recsys.benchmark.contender import CONSTRUCTED, Contender, Options, Task, around
from recsys.recommenders.item_knn.model import ItemKNN, ItemKNNConfig
from recsys.recommenders.item_knn.ranking import RankingConfig
from recsys.recommenders.item_knn.rating import RatingConfig
from recsys.recommenders.registry import Baseline, make_baseline

MODALITIES: Final = ("text", "metadata", "poster", "audio", "video")


def _named(name: str) -> Callable[[Options, int], Baseline]:
    return lambda options, seed: make_baseline(name, **options)  # noqa: ARG005


def _item_knn(options: Options, seed: int) -> ItemKNN:  # noqa: ARG001
    """``k`` is that of both roles."""
    chosen: dict[str, Any] = dict(options)
    ranking, rating = RankingConfig(**chosen), RatingConfig(k=chosen.get("k", RatingConfig.k))
    return ItemKNN(ItemKNNConfig(ranking, rating))


def _tasks(*tasks: Task) -> frozenset[Task]:
    return frozenset(tasks)


_PLAIN: Final = around(weighting=("stars", "rated"), k=(100, 20, 50, 200))
_STRONG: Final[tuple[Options, ...]] = (
    {},
    {"width": 4.0},
    {"width": 6.0},
    {"ridge": 3.0},
    {"ridge": 10.0},
    {"k": 200},
    {"k": 100},
    {"weighting": "stars"},
)
_TEXTBOOK_SOURCE: Final = "recsys.recommenders.content.knn: neighbours and what a rating weighs"


def _one_modality(modality: str) -> Contender:
    name = f"content-knn-plain:{modality}"
    return Contender(
        name=name,
        family="classic",
        tasks=_tasks("cold"),
        make=_named(name),
        space=_PLAIN,
        source=_TEXTBOOK_SOURCE,
        first_point="valid of cold-items 2020 to 2024",
        about=f"content-knn-plain on {modality} alone",
        modality=modality,
    )


CLASSICS: Final[tuple[Contender, ...]] = (
    Contender(
        name="popularity",
        family="classic",
        tasks=_tasks("warm", "fold-in"),
        about="how many ratings a movie has",
        make=_named("popularity"),
    ),
    Contender(
        name="item-knn",
        family="classic",
        tasks=_tasks("warm", "rating", "fold-in"),
        about=(
            "cosine of who rated what for lists, correlation of what biases leave for stars; our "
            "code"
        ),
        make=_item_knn,
        space=around(k=(100, 50, 200, 400, 20, 1000, 2500), shrink=(0.0,)),
        source="RecBole's documentation of ItemKNN: neighbours from 10 to 2500, no shrinkage",
        first_point="several hundred settings on valid of ro 2020 and within train of u1",
    ),
    Contender(
        name="ease",
        family="classic",
        tasks=_tasks("warm", "fold-in"),
        about="EASE (Steck, WWW 2019); our code",
        make=_named("ease"),
        space=around(l2=(300.0, 1000.0, 100.0, 500.0, 2000.0, 30.0, 5000.0, 10000.0)),
        source="RecBole's documentation of EASE: λ from 1 to 1000; wider, for users with few likes",
        first_point="valid of ro 2020",
    ),
    Contender(
        name="content-knn-plain",
        family="classic",
        tasks=_tasks("cold", "warm", "fold-in"),
        about=(
            "textbook nearest neighbours by cosine of content, every modality alike; our code, of "
            "nobody's design"
        ),
        make=_named("content-knn-plain"),
        space=_PLAIN,
        source=_TEXTBOOK_SOURCE,
        first_point="valid of cold-items 2020 to 2024",
    ),
    Contender(
        name="content-knn",
        family="classic",
        tasks=_tasks("cold", "warm", "fold-in"),
        about=f"nearest neighbours by whitened, standardised content; {CONSTRUCTED}",
        make=_named("content-knn"),
        space=_STRONG,
        source="recsys.recommenders.content.knn: around its defaults, one value at a time",
        first_point="valid of cold-items 2020 to 2024",
    ),
    *(_one_modality(modality) for modality in MODALITIES),
)
"""Popularity to content; the means and biases of stars are with the models of ratings."""

"""What takes part in a benchmark: a model of the registry, and the space its tuning searches.

Models come from ``recsys.recommenders.registry``; an entry adds what is tried of them, where that
is documented, and what a table says about them. RecBole's models and the oracles are made here
alone. Tables keep the order of ``ENTRIES``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Literal

from recsys.benchmark.metrics import Task
from recsys.benchmark.oracles import RandomConfig, RandomScores, TruePopularity
from recsys.benchmark.recbole.model import RecBoleConfig, RecBoleModel
from recsys.benchmark.recbole.spaces import FIRST_FROM, PAGE, SOLVED, SPACES
from recsys.benchmark.spaces import HyperParameters, Space, Value, around, listed
from recsys.benchmark.views import Look
from recsys.errors import ConfigError, did_you_mean
from recsys.recommenders.base import Facts, Recommender
from recsys.recommenders.registry import MODELS, create

Family = Literal["ours", "classic", "library", "recbole", "neural", "oracle"]
Origin = Literal["ours", "construction", "paper", "library", "reference"]
"""Who made a model: this project, as its own or as an unpublished construction; a paper, in code
of this project; another library; or nobody, for the ends of a scale."""

REGISTRY: Final = "recsys.benchmark.entries"
"""The module whose ``ENTRIES`` are looked through."""

DOCUMENTED: Final = "its documentation"
MODALITIES: Final = ("text", "metadata", "poster", "audio", "video")


@dataclass(frozen=True)
class Entry:
    """A model that is measured.

    Attributes:
        name: of its rows.
        family: what kind of model it is.
        tasks: what it can be evaluated on: ranking movies that were rated, ratings, movies that
            nobody rated, and users held out of training.
        facts: what is known of the model.
        make: a fresh model from hyper-parameters and a seed.
        origin: who made it.
        space: the configurations that are tried, in this order, as far as the budget goes; the
            first is the default. A model without anything to tune has one.
        source: where the space is documented.
        first_from: where the first configuration comes from, with the number of settings of an
            earlier search where it was counted.
        modality: the modality it looks at alone, which movies must have; None for any or none.
        keeps: the modalities that its movies keep; None for all.
        settings: what decides its figures besides the hyper-parameters, as text; part of what makes
            two measurements the same. None for the ``config`` of its models.
        variant: the configuration of ``model`` that it is; "" for none.
        looks: at what else of the fitted model is looked; at subsets of its modalities on the first
            seed alone.
    """

    name: str
    family: Family
    tasks: frozenset[Task]
    facts: Facts
    make: Callable[[HyperParameters, int], Recommender]
    origin: Origin = "paper"
    space: Space = ({},)
    source: str = ""
    first_from: str = DOCUMENTED
    modality: str | None = None
    keeps: tuple[str, ...] | None = None
    settings: Callable[[], str] | None = None
    variant: str = ""
    looks: tuple[Look, ...] = ()

    @property
    def is_available(self) -> bool:
        """Whether the library that fitting needs is installed."""
        return self.facts.library is None or find_spec(self.facts.library) is not None

    @property
    def model(self) -> str:
        """The name without the variant."""
        return self.name.removesuffix(f", {self.variant}") if self.variant else self.name

    @property
    def can_be_trained(self) -> bool:
        """Whether ``recsys train`` makes it, and knows what it is told when it serves."""
        known = self.family not in ("recbole", "oracle")
        return known and not self.facts.uses_timestamps

    @property
    def sees_test(self) -> bool:
        """Whether it is given the test ratings before it is asked; it is shown apart."""
        return self.name == TruePopularity.name


def entries(registry: str = REGISTRY) -> dict[str, Entry]:
    """Entries by name, in the order of the registry."""
    return {entry.name: entry for entry in import_module(registry).ENTRIES}


@cache
def entry_named(name: str) -> Entry | None:
    """The entry of a name; None where it takes part no more."""
    return entries().get(name)


def require_entry(name: str, registry: str = REGISTRY) -> Entry:
    """One entry.

    Raises:
        ConfigError: there is none of that name; the error names the nearest.
    """
    known = entries(registry)
    if name not in known:
        hint = did_you_mean(name, known, "recsys benchmark list names them")
        raise ConfigError(f"there is no model {name!r}", hint=hint)
    return known[name]


_ALL: Final[tuple[Task, ...]] = ("warm", "cold", "fold-in")
_KNOWN: Final[tuple[Task, ...]] = ("warm", "fold-in")
_OURS: Final = "recsys.recommenders"


def registered(name: str, family: Family, tasks: tuple[Task, ...], **more: Any) -> Entry:
    """A model of the registry; one that draws is made with the seed of its run."""
    facts = MODELS[name.partition(":")[0]].facts
    make = partial(_make_registered, name, facts.random)
    return Entry(name, family, frozenset(tasks), facts, make, **more)


def _make_registered(name: str, random: bool, given: HyperParameters, seed: int) -> Recommender:
    return create(name, **given, **({"seed": seed} if random else {}))


def _each_modality(
    name: str, family: Family, tasks: tuple[Task, ...], **more: Any
) -> tuple[Entry, ...]:
    return tuple(registered(f"{name}:{m}", family, tasks, modality=m, **more) for m in MODALITIES)


_JOINT_FIXED: Final[HyperParameters] = {
    "training.threads": 1,
    "training.device": "cpu",
    "training.epochs": 40,
}
_GIVEN: Final = {"name", "seed", "data", "sources", "split", "features", "evaluation"}
"""What of the joint model's configuration the benchmark decides."""

_RATED: Final[dict[str, Value]] = {"user.liked_min_rating": 1.0, "user.rating_slope": 0.13}
_CONCAT: Final[dict[str, Value]] = {"fusion.kind": "concat"}
_PRIVATE: Final[dict[str, Value]] = {"sharing.scheme": "sp"}
_JOINT_SPACE: Final[Space] = (
    {},
    _CONCAT,
    _CONCAT | _RATED,
    _CONCAT | _RATED | {"model.ranking_dim": 256},
    _CONCAT | _RATED | {"losses.ranking": 0.2, "losses.distillation": 0.8},
    _CONCAT | _PRIVATE,
    _CONCAT | _PRIVATE | _RATED,
    _RATED,
)
_JOINT_SOURCE: Final = (
    "benchmarks/MULTITASK.md: fusion, sharing, which ratings count as liked, width, how much is "
    "learnt from the teacher; 40 epochs"
)
_JOINT_FIRST: Final = "benchmarks/MULTITASK.md, whose test parts are of the same data"


def _make_joint(fixed: Mapping[str, Any], given: HyperParameters, seed: int) -> Recommender:
    return create("joint", **{**_JOINT_FIXED, **fixed, **given, "seed": seed})


def _joint_settings(fixed: Mapping[str, Any]) -> str:
    config = create("joint", **{**_JOINT_FIXED, **fixed, "seed": 0}).config
    return json.dumps(config.model_dump(mode="json", exclude=_GIVEN), sort_keys=True)


def joint(variant: str = "", fixed: Mapping[str, Any] | None = None, **more: Any) -> Entry:
    """The joint model of this project, or a variant of it.

    Args:
        variant: its name; "" for the model as it is.
        fixed: what the variant changes in the configuration.
        more: fields of ``Entry``.
    """
    return Entry(
        name=f"joint, {variant}" if variant else "joint",
        family="ours",
        tasks=frozenset({"warm", "rating", "cold", "fold-in"}),
        facts=MODELS["joint"].facts,
        make=partial(_make_joint, fixed or {}),
        origin="ours",
        settings=partial(_joint_settings, fixed or {}),
        variant=variant,
        **more,
    )


_PLAIN: Final = around(weighting=("stars", "rated"), k=(100, 20, 50, 200))
_RIDGE: Final[Space] = listed(
    "ridge=12.0; ridge=24.0; ridge=6.0; ridge=12.0 l2=1000.0; ridge=12.0 l2=100.0"
)
_VBPR: Final[dict[str, Any]] = {
    "origin": "paper",
    "space": listed(
        "reg=0.001; reg=0.01; reg=0.0001; reg=0.001 factors=64 content_factors=64; reg=0.01 "
        "factors=64 content_factors=64; reg=0.1; reg=0.001 learning_rate=0.002"
    ),
    "source": (
        "MMRec's configuration of VBPR (64 factors in all, λ from 1e-5 to 2, batches of 2048, Adam)"
    ),
    "first_from": "4 settings on valid of ro 2020 and of cold-items 2020 and 2021",
}
_CONTENT_KNN: Final[dict[str, Any]] = {
    "origin": "construction",
    "first_from": "valid of cold-items 2020 to 2024",
}
_PLAIN_KNN: Final[dict[str, Any]] = {
    "origin": "paper",
    "space": _PLAIN,
    "source": f"{_OURS}.content.knn: neighbours and what a rating weighs",
    "first_from": "valid of cold-items 2020 to 2024",
}
_CONTENT_RIDGE: Final[dict[str, Any]] = {
    "origin": "construction",
    "source": f"{_OURS}.content.ridge: around its defaults",
    "first_from": "valid of cold-items 2020 to 2022",
}


_CLASSIC: Final = (
    registered("popularity", "classic", _KNOWN),
    registered(
        "item-knn",
        "classic",
        ("warm", "rating", "fold-in"),
        space=around(k=(100, 50, 200, 400, 20, 1000, 2500), shrink=(0.0,)),
        source="RecBole's documentation of ItemKNN: neighbours from 10 to 2500, no shrinkage",
        first_from="several hundred settings on valid of ro 2020 and within train of u1",
    ),
    registered(
        "ease",
        "classic",
        _KNOWN,
        space=around(l2=(300.0, 1000.0, 100.0, 500.0, 2000.0, 30.0, 5000.0, 10000.0)),
        source="RecBole's documentation of EASE: λ from 1 to 1000; wider, for users with few likes",
        first_from="valid of ro 2020",
    ),
    registered(
        "content-knn-plain",
        "classic",
        ("cold", "warm", "fold-in"),
        **_PLAIN_KNN,
    ),
    registered(
        "content-knn",
        "classic",
        ("cold", "warm", "fold-in"),
        space=listed(
            "; width=4.0; width=6.0; ridge=3.0; ridge=10.0; k=200; k=100; weighting=stars"
        ),
        source=f"{_OURS}.content.knn: around its defaults, one value at a time",
        **_CONTENT_KNN,
    ),
    *_each_modality("content-knn-plain", "classic", ("cold",), **_PLAIN_KNN),
)


def _myfm(kind: str, inputs: str) -> Entry:
    """One row of myFM; whatever it is told besides ids is in its name."""
    return registered(
        f"myfm-{kind}-{inputs}",
        "library",
        ("rating",),
        origin="library",
        space=around(rank=(10, 8, 12)),
        source=(
            "myFM's example for MovieLens-100K (rank 10, 512 samples) and its README (rank 8); the "
            "sampler draws every prior itself, so that nothing else is to be tuned"
        ),
    )


_RATING: Final = (
    registered("global-mean", "classic", ("rating",)),
    registered(
        "bias",
        "classic",
        ("rating",),
        space=around(user_l2=(5.0, 2.0, 10.0, 15.0), item_l2=(2.0, 5.0, 10.0)),
        source=(
            "Koren, Factor in the Neighbors, TKDD 2010, and Surprise's documentation "
            "(item 10, user 15), widened downwards"
        ),
        first_from="within train of u1",
    ),
    registered(
        "svd",
        "classic",
        ("rating",),
        space=listed(
            "reg=0.02 epochs=20 factors=100; reg=0.05 epochs=20 factors=100; reg=0.1 epochs=60 "
            "factors=100; reg=0.05 epochs=40 factors=100; reg=0.1 epochs=100 factors=100; reg=0.1 "
            "epochs=60 factors=50; reg=0.1 epochs=60 factors=200; reg=0.05 epochs=20 factors=50"
        ),
        source=(
            "Surprise's documentation (100 factors, λ 0.02, γ 0.005, 20 epochs), widened: more "
            "regularisation pays with more epochs"
        ),
    ),
    registered(
        "svd++",
        "classic",
        ("rating",),
        space=listed(
            "reg=0.02 epochs=20 factors=20; reg=0.05 epochs=20 factors=20; reg=0.1 epochs=60 "
            "factors=20; reg=0.05 epochs=40 factors=20; reg=0.1 epochs=100 factors=20; reg=0.1 "
            "epochs=60 factors=50; reg=0.05 epochs=20 factors=50; reg=0.1 epochs=40 factors=20"
        ),
        source=(
            "Surprise's documentation (20 factors, λ 0.02, γ 0.007, 20 epochs), widened: more "
            "regularisation pays with more epochs"
        ),
    ),
    *(
        _myfm(kind, inputs)
        for kind in ("regression", "ordinal")
        for inputs in ("ids", "side", "date")
    ),
)
_LIBRARY: Final = (
    registered(
        "implicit-als",
        "library",
        _KNOWN,
        origin="library",
        space=around(
            factors=(64, 32, 128), alpha=(2.0, 1.0, 5.0), regularization=(20.0, 50.0, 5.0, 0.01)
        ),
        source=(
            "implicit's documentation (defaults: regularization 0.01, alpha 1, 15 iterations), "
            "widened as Rendle et al., Revisiting the Performance of iALS, RecSys 2022, advise: "
            "the weight of what was not rated and λ matter most"
        ),
        first_from="36 settings on valid of ro 2020",
    ),
    registered(
        "implicit-bpr",
        "library",
        ("warm",),
        origin="library",
        space=around(
            factors=(32, 64),
            learning_rate=(0.01, 0.03),
            regularization=(0.001, 0.01, 0.05),
            iterations=(30, 100),
        ),
        source=(
            "implicit's documentation (defaults: learning rate 0.01, regularization 0.01, 100 "
            "iterations), widened"
        ),
        first_from="24 settings on valid of ro 2020",
    ),
    registered(
        "ease-low-rank",
        "library",
        _KNOWN,
        origin="construction",
        space=around(rank=(128, 64, 256), l2=(300.0, 1000.0, 100.0, 500.0, 2000.0, 5000.0)),
        source="ranks that an index serves at once; λ as of EASE",
        first_from="valid of ro 2020",
    ),
)
_CONTENT: Final = (
    registered(
        "genre-popularity",
        "classic",
        _ALL,
    ),
    registered(
        "content-ridge",
        "classic",
        ("cold",),
        space=(
            *_RIDGE,
            *listed("ridge=12.0 metadata=1.0; ridge=12.0 metadata=6.0; ridge=6.0 metadata=1.0"),
        ),
        **_CONTENT_RIDGE,
    ),
    *_each_modality("content-ridge", "classic", ("cold",), space=_RIDGE, **_CONTENT_RIDGE),
    registered(
        "marec",
        "classic",
        _ALL,
        space=listed(
            "alignment=10.0; alignment=10.0 percentile=50.0; alignment=10.0 l2=100.0; "
            "alignment=1.0; alignment=0.1; alignment=10.0 percentile=70.0; alignment=1.0 "
            "l2=1000.0; alignment=0.1 l2=1000.0"
        ),
        source=(
            "Monteil et al., RecSys 2024, and its authors' notebooks: powers of ten of α, β and "
            "λ₁, δ 20, percentile 10; higher percentiles added"
        ),
        first_from="valid of cold-items 2020 to 2022",
    ),
    registered(
        "ease-content",
        "classic",
        _ALL,
        origin="construction",
        space=listed(
            "content=20.0; content=20.0 l2=1000.0; content=5.0; content=20.0 others=1.0 l2=500.0; "
            "content=5.0 l2=1000.0; content=40.0; content=5.0 l2=3000.0; content=40.0 l2=500.0"
        ),
        source=f"{_OURS}.closed_form.ease_content: around its defaults",
        first_from="valid of ro 2020 and 2021",
    ),
    registered(
        "vbpr",
        "neural",
        ("warm", "cold"),
        **_VBPR,
    ),
    *_each_modality("vbpr", "neural", ("warm",), **_VBPR),
    registered(
        "clcrec",
        "neural",
        ("cold",),
        space=listed(
            "temperature=0.5; temperature=0.2; temperature=1.0; temperature=0.5 balance=0.9; "
            "temperature=0.5 balance=0.1; temperature=0.5 mixing=0.8; temperature=0.5 reg=0.01; "
            "temperature=2.0"
        ),
        source=(
            "the authors' runs (64 dimensions, 256 hidden units, λ 0.5 to 0.9, ρ 0.5, τ 1 and 2, "
            "η 0.001 to 0.1), τ widened downwards"
        ),
        first_from="4 settings on valid of cold-items 2020 and 2021",
    ),
    registered(
        "dropoutnet",
        "neural",
        _ALL,
        space=listed(
            "dropout=0.5; dropout=0.8; dropout=0.2; dropout=0.5 rank=32; dropout=0.5 rank=128; "
            "dropout=0.5 learning_rate=0.003; dropout=0.5 hidden=256; dropout=0.8 rank=128"
        ),
        source="the authors' runs (dropout 0.5, rank 200, one or two tanh layers), smaller",
        first_from="3 sizes on valid of cold-items 2020 and 2021",
    ),
)


def _make_recbole(model: str, given: HyperParameters, seed: int) -> Recommender:
    return RecBoleModel(RecBoleConfig(model, given, seed))


_RECBOLE: Final = tuple(
    Entry(
        name=f"{model} (RecBole)",
        family="recbole",
        tasks=frozenset({"warm"}),
        facts=replace(
            RecBoleModel.facts,
            summary=f"RecBole 1.2.1's {model}",
            random=model not in SOLVED,
            stops_early=True,
        ),
        make=partial(_make_recbole, model),
        origin="library",
        space=space,
        source=f"{PAGE}{model.lower()}.html",
        first_from=FIRST_FROM.get(model, DOCUMENTED),
    )
    for model, space in SPACES.items()
)


def _make_random(_: HyperParameters, seed: int) -> Recommender:
    return RandomScores(RandomConfig(seed))


def _make_true_popularity(*_: Any) -> Recommender:
    return TruePopularity()


_ORACLES: Final = (
    Entry("random", "oracle", frozenset(_ALL), RandomScores.facts, _make_random, "reference"),
    Entry(
        TruePopularity.name,
        "oracle",
        frozenset({"cold"}),
        TruePopularity.facts,
        _make_true_popularity,
        "reference",
    ),
)
ENTRIES: Final = (
    joint(space=_JOINT_SPACE, source=_JOINT_SOURCE, first_from=_JOINT_FIRST),
    *_CLASSIC,
    *_RATING,
    *_LIBRARY,
    *_CONTENT,
    *_RECBOLE,
    *_ORACLES,
)
QUICK: Final = (
    "joint",
    "popularity",
    "item-knn",
    "ease",
    "content-knn-plain",
    "content-knn",
    "global-mean",
    "bias",
    "random",
    "true-popularity",
)
"""Those that a look at everything in a few minutes is taken with."""

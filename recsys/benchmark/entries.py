"""What takes part in a benchmark: a model of the registry, and the space its tuning searches.

Models come from ``recsys.recommenders.registry``; an entry adds what is tried of them, where that
is documented, and what a table says about them. RecBole's models and the oracles are made here
alone. Tables keep the order of ``ENTRIES``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Final, Literal

import yaml

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


def registered(name: str, family: Family, tasks: tuple[Task, ...], **more: Any) -> Entry:
    """A model of the registry; one that draws is made with the seed of its run."""
    facts = MODELS[name.partition(":")[0]].facts
    make = partial(_make_registered, name, facts.random)
    return Entry(name, family, frozenset(tasks), facts, make, **more)


def _make_registered(name: str, random: bool, given: HyperParameters, seed: int) -> Recommender:
    return create(name, **given, **({"seed": seed} if random else {}))


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


def _registered() -> Iterator[Entry]:
    """Those of ``entries.yaml``."""
    text = files("recsys.benchmark").joinpath("entries.yaml").read_text("utf-8")
    rows: list[dict[str, Any]] = yaml.safe_load(text)
    for row in rows:
        if "around" in row:
            row["space"] = around(**row.pop("around"))
        elif "space" in row:
            row["space"] = listed(row["space"])
        names, modalities = row.pop("names"), row.pop("each_modality", False) and MODALITIES
        for name in names:
            if not modalities:
                yield registered(name, **row)
            else:
                yield from (registered(f"{name}:{m}", modality=m, **row) for m in modalities)


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
    Entry(
        "random",
        "oracle",
        frozenset(("warm", "cold", "fold-in")),
        RandomScores.facts,
        _make_random,
        "reference",
    ),
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
    *_registered(),
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

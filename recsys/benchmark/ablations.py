"""What each part of the joint model is worth: protocols whose models are variants of it.

A variant is a configuration override. ``spine-*`` measures the plain model and what it owes to its
teacher and to content; ``multitask-*`` sharing, fusion, tasks, modalities and options.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from recsys.benchmark.entries import MODALITIES, Entry, joint, registered
from recsys.benchmark.metrics import Task
from recsys.benchmark.protocols import MMTF_DATA, PROTOCOLS, TEN, Protocol
from recsys.benchmark.views import Look

SCHEMES: Final = ("fs", "sp", "asp")
FUSIONS: Final = ("concat", "sum", "gated", "sparse")
REFERENCE: Final = "fs-sum"
"""One of the grid: what modalities and options are varied from, and controls are compared with."""

ONE_SIGMA: Final[Look] = "one σ"
SUBSET: Final = "subset: "

Overrides = Mapping[str, Any]

_LOSSES: Final = ("ranking", "distillation", "rating", "genre", "audience")
_SUM: Final[Overrides] = {"sharing.scheme": "fs", "fusion.kind": "sum"}


def _only(*tasks: str) -> dict[str, Any]:
    """The reference without the losses of all other tasks."""
    return {**_SUM, **{f"losses.{name}": 0.0 for name in _LOSSES if name not in tasks}}


GRID: Final = tuple(f"{scheme}-{fusion}" for scheme in SCHEMES for fusion in FUSIONS)
# A control stops where its own task is best.
CONTROLS: Final[dict[str, dict[str, Any]]] = {
    "ranking alone": {
        **_only("ranking", "distillation"),
        "training.monitor": {"ndcg@10": 1.0},
    },
    "rating alone": {**_only("rating"), "training.monitor": {"rmse": -1.0}},
    "genre alone": {
        **_only("genre"),
        "training.monitor": {"macro_f1": 1.0, "macro_roc_auc": 1.0},
    },
}
REMOVED: Final = (
    "uncertainty balancing",
    "gradnorm balancing",
    "attention fusion",
    "recency, half-life 30 days",
    "attention over the history",
)
"""Options that were measured and then removed, since no table showed them to help; their results
stay."""
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "ordinal likelihood": {"model.rating_likelihood": "ordinal"},
    "no audience task": {"losses.audience": 0.0},
}
USER_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "narrative alignment": {"alignment.epochs": 50},
    "every rating weighted": {"user.liked_min_rating": 1.0, "user.rating_slope": 0.13},
}
# The dropout and decay with which the encoder places best: chosen on valid, seeds 2020 to 2022.
PLACEMENT: Final[dict[str, dict[str, Any]]] = {
    "placed by the encoder": {
        "placement.kind": "content",
        "training.offset_dropout": 0.5,
        "training.content_decay": 2.0,
    }
}
TOLD: Final = ("text", "metadata", "poster", "video", "audio")
LEFT_OUT: Final = tuple(f"without {name}" for name in TOLD)
SINGLE: Final = tuple(f"{name} alone" for name in TOLD)
OPTION_ROWS: Final = (*OPTIONS, *USER_OPTIONS, *REMOVED)
CANDIDATES: Final = (*GRID, *OPTION_ROWS)
"""What the best of a protocol is chosen from: all modalities and all tasks, with options."""

WARM_BASELINES: Final = ("popularity", "bias", "item-knn", "ease")
COLD_BASELINES: Final = tuple(
    name
    for kind in ("content-knn-plain", "content-knn")
    for name in (kind, *(f"{kind}:{modality}" for modality in TOLD))
)
# Chosen on valid, seeds 2020 to 2022. Where nearly every movie was rated, the few that were not are
# placed by the encoder; where many are cold, they are spread as the rated ones are.
WARM: Final[dict[str, Any]] = {"placement.kind": "content"}
COLD: Final[dict[str, Any]] = {"placement.stretch": 2.0}


def _variants(fixed: Overrides, kinds: tuple[str, ...], sigma: bool) -> tuple[Entry, ...]:
    """Variants of some kinds, each with what all of a protocol have in common."""
    looks: tuple[Look, ...] = ("one σ",) if sigma else ()
    found: list[Entry] = []
    for name in GRID:
        scheme, fusion = name.split("-")
        values: dict[str, Any] = {"sharing.scheme": scheme, "fusion.kind": fusion, **fixed}
        subsets: tuple[Look, ...] = ("subsets",) if name == REFERENCE and "subsets" in kinds else ()
        found.append(joint(name, values, looks=(*looks, *subsets)))
    for kind, variants in _KINDS.items():
        if kind in kinds:
            seen = looks if "options" in kind else ()
            found += [
                joint(name, {**_SUM, **fixed, **own}, looks=seen) for name, own in variants.items()
            ]
    if "modalities" in kinds:
        keeps = [tuple(m for m in MODALITIES if m != left) for left in TOLD]
        keeps += [(kept,) for kept in TOLD]
        named = zip((*LEFT_OUT, *SINGLE), keeps, strict=True)
        found += [joint(name, {**_SUM, **fixed}, keeps=kept) for name, kept in named]
    return tuple(found)


_KINDS: Final = {
    "controls": CONTROLS,
    "options": OPTIONS,
    "user options": USER_OPTIONS,
    "placement": PLACEMENT,
}


def _plain(*names: str) -> tuple[Entry, ...]:
    """Baselines as they are without being told anything."""
    tasks: tuple[Task, ...] = ("warm", "cold", "rating")
    return tuple(
        registered(n, "classic", tasks, modality=n.partition(":")[2] or None) for n in names
    )


def _multitask(name: str, title: str, fold: str, *kinds: str, **more: Any) -> Protocol:
    is_cold = fold == "cold-items"
    fixed = COLD if is_cold else WARM
    data_dir = MMTF_DATA if "mmtf" in name else None
    return Protocol(
        f"multitask-{name}",
        title,
        ("cold", "rating") if is_cold else more.pop("tasks", ("warm", "rating")),
        (fold,),
        ("mmtf-14k",) if data_dir else ("ml-100k-multimodal",),
        more.pop("seeds", TEN[:5]),
        tunes=False,
        data_dir=data_dir,
        own=(
            *_variants(fixed, kinds, fold == "u1"),
            *_plain(*(COLD_BASELINES if is_cold else WARM_BASELINES)),
        ),
        **more,
    )


_AS_SHIPPED: Final[dict[str, Any]] = {"training.threads": 2, "training.epochs": 100}
_SPINE: Final = (
    joint(fixed=_AS_SHIPPED),
    joint("every rating", {**_AS_SHIPPED, **USER_OPTIONS["every rating weighted"]}),
    joint("no teacher", {**_AS_SHIPPED, "losses.distillation": 0.0, "losses.ranking": 1.0}),
    joint("no content", _AS_SHIPPED, keeps=()),
    *_plain(*WARM_BASELINES),
)


def _spine(name: str, title: str, folds: tuple[str, ...], seeds: tuple[int, ...]) -> Protocol:
    task: Task = "cold" if name == "cold" else "warm"
    return Protocol(
        f"spine-{name}",
        title,
        (task, "rating"),
        folds,
        ("default",),
        seeds,
        tunes=False,
        own=_SPINE,
    )


MULTITASK: Final = (
    _multitask(
        "ml-ro",
        "MovieLens-100K, RecBole's random 8:1:1",
        "ro",
        "controls",
        "options",
        "user options",
        "subsets",
    ),
    _multitask(
        "ml-u1", "MovieLens-100K, u1", "u1", "controls", "options", tasks=("rating", "warm")
    ),
    _multitask(
        "ml-cold",
        "MovieLens-100K, movies nobody has rated",
        "cold-items",
        "modalities",
        "placement",
        "subsets",
        seeds=TEN,
    ),
    _multitask("mmtf-ro", "MMTF-14K's 1,807 movies, random 8:1:1", "ro"),
    _multitask(
        "mmtf-cold", "MMTF-14K's 1,807 movies, movies nobody has rated", "cold-items", "placement"
    ),
)
SPINE: Final = (
    _spine("ro", "MovieLens-100K, RecBole's random 8:1:1", ("ro",), TEN[:5]),
    _spine("u", "MovieLens-100K, u1 to u5", tuple(f"u{k}" for k in range(1, 6)), TEN[:1]),
    _spine("cold", "MovieLens-100K, movies nobody has rated", ("cold-items",), TEN[:5]),
)
EVERY_PROTOCOL: Final[Mapping[str, Protocol]] = MappingProxyType(
    {**PROTOCOLS, **{protocol.name: protocol for protocol in (*SPINE, *MULTITASK)}}
)
"""Those of the leaderboards, then those of variants, by name."""

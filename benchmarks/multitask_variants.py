"""Variants of the joint model, each as what it changes in a shipped configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import load_experiment, with_values
from recsys.config.modalities import MODALITIES as REGISTERED

SCHEMES = ("fs", "sp", "asp")
FUSIONS = ("concat", "sum", "gated", "sparse")
MODALITIES = ("text", "metadata", "poster", "video", "audio")
REFERENCE = "fs-sum"
"""One of the grid: what modalities and options are varied from, and controls are compared with."""


@dataclass(frozen=True)
class Variant:
    """A configuration as what it changes.

    Attributes:
        name: of its row.
        overrides: of the base configuration.
        modalities: what its movies have.
    """

    name: str
    overrides: tuple[str, ...]
    modalities: tuple[str, ...] = MODALITIES


OFF = {name: f"losses.{name}=0" for name in ("ranking", "distillation", "rating", "genre")}
OFF |= {"audience": "losses.audience=0"}


def combination(name: str) -> tuple[str, ...]:
    """What makes one of the grid: ``fs-sum`` and its like."""
    scheme, fusion = name.split("-")
    return f"sharing.scheme={scheme}", f"fusion.kind={fusion}"


def only(*tasks: str) -> tuple[str, ...]:
    """The reference without the losses of all other tasks."""
    return *combination(REFERENCE), *(value for name, value in OFF.items() if name not in tasks)


def option(name: str, *overrides: str) -> Variant:
    """The reference with one thing otherwise."""
    return Variant(name, (*combination(REFERENCE), *overrides))


GRID = tuple(
    Variant(f"{scheme}-{fusion}", combination(f"{scheme}-{fusion}"))
    for scheme in SCHEMES
    for fusion in FUSIONS
)
# A control stops where its own task is best.
CONTROLS = (
    Variant(
        "ranking alone",
        (*only("ranking", "distillation"), "training.monitor={ndcg@10: 1.0}"),
    ),
    Variant("rating alone", (*only("rating"), "training.monitor={rmse: -1.0}")),
    Variant(
        "genre alone",
        (*only("genre"), "training.monitor={macro_f1: 1.0, macro_roc_auc: 1.0}"),
    ),
)
LEFT_OUT = tuple(
    Variant(f"without {left}", combination(REFERENCE), tuple(m for m in MODALITIES if m != left))
    for left in MODALITIES
)
SINGLE = tuple(Variant(f"{name} alone", combination(REFERENCE), (name,)) for name in MODALITIES)
OPTIONS = (
    option("ordinal likelihood", "model.rating_likelihood=ordinal"),
    option("uncertainty balancing", "training.balancing=uncertainty"),
    option("gradnorm balancing", "training.balancing=gradnorm"),
    option("no audience task", OFF["audience"]),
)
USER_OPTIONS = (
    option("attention fusion", "fusion.kind=attention"),
    option("narrative alignment", "alignment.epochs=50"),
    option("recency, half-life 30 days", "user.recency_half_life_days=30"),
    option("attention over the history", "user.attention_dim=16"),
    option("every rating weighted", "user.liked_min_rating=1.0", "user.rating_slope=0.13"),
)
# The dropout and decay with which the encoder places best: chosen on valid, seeds 2020 to 2022.
PLACEMENT = (
    option(
        "placed by the encoder",
        "placement.kind=content",
        "training.offset_dropout=0.5",
        "training.content_decay=2",
    ),
)
VARIANTS: dict[str, tuple[Variant, ...]] = {
    "grid": GRID,
    "controls": CONTROLS,
    "modalities": LEFT_OUT + SINGLE,
    "placement": PLACEMENT,
    "options": OPTIONS,
    "user options": USER_OPTIONS,
}


def configuration(base: str, variant: Variant, place: Sequence[str]) -> ExperimentConfig:
    """The configuration of a variant, the modalities it lacks left out."""
    config = load_experiment(base, (*variant.overrides, *place))
    lacking = set(REGISTERED) - set(variant.modalities)
    if not lacking:
        return config
    imported = config.model_dump(mode="json")["sources"]["features"]
    values = {f"features.{name}": None for name in lacking & set(REGISTERED)}
    kept = {name: source for name, source in imported.items() if name not in lacking}
    return with_values(config, values | {"sources.features": kept}, variant.name)

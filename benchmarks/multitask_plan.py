"""What is measured: protocols, and which variants of the model run on which."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

from multitask_variants import MODALITIES, REFERENCE, VARIANTS, combination, configuration

from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import load_experiment

WARM_BASELINES = ("popularity", "bias", "item-knn", "ease")
CONTENT_KNN = {
    kind: (name, *(f"{name}:{modality}" for modality in MODALITIES))
    for kind, name in (("textbook", "content-knn-plain"), ("strong", "content-knn"))
}
COLD_BASELINES = tuple(name for names in CONTENT_KNN.values() for name in names)
ONE_SIGMA = ", one σ"
SUBSET = "subset: "

# One process a thread: two of them do not disturb each other on two cores. The table is the CPU's.
PLACE = ("training.threads=1", "training.device=cpu")

# Chosen on valid, seeds 2020 to 2022. Where nearly every movie was rated, the few that were not are
# placed by the encoder; where many are cold, they are spread as the rated ones are.
EPOCHS = ("training.epochs=40",)
WARM = (*EPOCHS, "placement.kind=content")
COLD = (*EPOCHS, "placement.stretch=2")


@dataclass(frozen=True)
class Protocol:
    """One data set, divided in one way.

    Attributes:
        name: of its results files.
        title: of its section.
        base: shipped configuration.
        split: name of the division.
        headline: the test metric that its best variant is asked for, chosen on valid by the same.
        groups: what is measured.
        baselines: beside it.
        seeds: of split and training alike.
        overrides: of every configuration.
        folder: of the data set in RECSYS_REAL_DATA; None for one that is found without.
        subset_seeds: on how many of the seeds every subset of the modalities is looked at.
    """

    name: str
    title: str
    base: str
    split: str
    headline: str
    groups: tuple[str, ...]
    baselines: tuple[str, ...]
    seeds: tuple[int, ...] = tuple(range(2020, 2025))
    overrides: tuple[str, ...] = WARM
    folder: str | None = None
    subset_seeds: int = 0

    @property
    def data_dir(self) -> Path | None:
        """Where the data set is looked for."""
        return Path(os.environ["RECSYS_REAL_DATA"]) / self.folder if self.folder else None

    @property
    def is_cold(self) -> bool:
        """Whether movies without training ratings are judged."""
        return self.split == "cold-items"

    def has_subsets(self, seed: int) -> bool:
        """Whether every subset of the modalities is looked at."""
        return seed in self.seeds[: self.subset_seeds]


NDCG, RMSE = "ndcg@10", "rmse"
GROUPS = (*VARIANTS, "baselines", "subsets")
EVERYWHERE = ("grid", "baselines")
MMTF = "mmtf-14k"
PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="ml-ro",
            title="MovieLens-100K, RecBole's random 8:1:1",
            base="ml-100k-multimodal",
            split="ro",
            headline=NDCG,
            groups=(*EVERYWHERE, "controls", "options", "user options", "subsets"),
            baselines=WARM_BASELINES,
            subset_seeds=1,
        ),
        Protocol(
            name="ml-u1",
            title="MovieLens-100K, u1",
            base="ml-100k-multimodal",
            split="u1",
            headline=RMSE,
            groups=(*EVERYWHERE, "controls", "options"),
            baselines=WARM_BASELINES,
        ),
        Protocol(
            name="ml-cold",
            title="MovieLens-100K, movies nobody has rated",
            base="ml-100k-multimodal",
            split="cold-items",
            overrides=COLD,
            headline=NDCG,
            groups=(*EVERYWHERE, "modalities", "placement", "subsets"),
            baselines=COLD_BASELINES,
            seeds=tuple(range(2020, 2030)),
            subset_seeds=1,
        ),
        Protocol(
            name="mmtf-random",
            title="MMTF-14K's 1,807 movies, random 8:1:1",
            base=MMTF,
            split="ro",
            headline=NDCG,
            groups=EVERYWHERE,
            baselines=WARM_BASELINES,
            folder=MMTF,
        ),
        Protocol(
            name="mmtf-cold",
            title="MMTF-14K's 1,807 movies, movies nobody has rated",
            base=MMTF,
            split="cold-items",
            overrides=COLD,
            headline=NDCG,
            groups=(*EVERYWHERE, "placement"),
            baselines=COLD_BASELINES,
            folder=MMTF,
        ),
    )
}


@dataclass(frozen=True)
class Cell:
    """One fit, and the rows that it gives.

    Attributes:
        name: of the fit.
        group: it belongs to.
        config: of the fit; a baseline's is the plain base.
        modalities: what the movies have.
        rows: names of the rows.
    """

    name: str
    group: str
    config: ExperimentConfig
    modalities: tuple[str, ...]
    rows: tuple[str, ...]


def place_of(protocol: Protocol, seed: int, extra: Sequence[str]) -> tuple[str, ...]:
    """What all configurations of one split have in common, beside their base."""
    split = (f"split.name={protocol.split}", f"split.seed={seed}", f"seed={seed}")
    return (*split, *PLACE, *protocol.overrides, *extra)


def cells(protocol: Protocol, seed: int, groups: Iterable[str], extra: Sequence[str]) -> list[Cell]:
    """Everything to be measured on one split.

    Args:
        protocol: of the split.
        seed: of split and training.
        groups: those wanted; of them, the protocol's own.
        extra: overrides of every configuration.
    """
    place = place_of(protocol, seed, extra)
    wanted = [group for group in GROUPS if group in groups and group in protocol.groups]
    return [cell for group in wanted for cell in _group(protocol, seed, group, place)]


def _group(protocol: Protocol, seed: int, group: str, place: tuple[str, ...]) -> Iterator[Cell]:
    if group == "baselines":
        config = load_experiment(protocol.base, place)
        for name in protocol.baselines:
            yield Cell(name, group, config, MODALITIES, (name,))
    elif group == "subsets":
        if protocol.has_subsets(seed):
            config = load_experiment(protocol.base, (*combination(REFERENCE), *place))
            yield Cell("subsets", group, config, MODALITIES, subset_names())
    else:
        for variant in VARIANTS[group]:
            more = ONE_SIGMA if has_one_sigma(protocol, group) else None
            rows = (variant.name,) if more is None else (variant.name, variant.name + more)
            config = configuration(protocol.base, variant, place)
            yield Cell(variant.name, group, config, variant.modalities, rows)


def has_one_sigma(protocol: Protocol, group: str) -> bool:
    """Whether predicted uncertainty is compared with one σ for all."""
    return protocol.headline == RMSE and group in {"grid", "options", "user options"}


def subset_names() -> tuple[str, ...]:
    """The rows of all subsets of the modalities."""
    sizes = (combinations(sorted(MODALITIES), n) for n in range(len(MODALITIES) + 1))
    return tuple(SUBSET + (" + ".join(kept) or "(none)") for kept in chain.from_iterable(sizes))

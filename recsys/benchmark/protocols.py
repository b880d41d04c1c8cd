"""What is measured: data sets, how they are split, and what models are asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from recsys.benchmark.entries import Entry, Family
from recsys.benchmark.held_out_users import COLD_USERS
from recsys.benchmark.metrics import HEADLINE, Metric, Task

REAL_DATA: Final = "RECSYS_REAL_DATA"


class SplitSeed(NamedTuple):
    """One split of the data, and the seed of everything random in it and in training."""

    fold: str
    seed: int


TEN: Final = tuple(range(2020, 2030))
FIXED: Final = TEN[:3]
"""Where the split is the same for every seed, seeds tell how much training itself varies."""


@dataclass(frozen=True)
class Protocol:
    """One data set, split in one way.

    Attributes:
        name: of its results.
        title: of its page.
        tasks: what is asked; the first that a model can do decides how it is tuned.
        folds: names of the splits: one, or several that are measured one by one.
        bases: shipped configurations or files of them; the first whose sources are there is used.
        seeds: of split and training alike; the first is tuned on.
        draws: what of the split differs between seeds.
        split_seed: of every run's split; none: the seed of the run.
        refits_on_train_valid: whether a model that does not stop early is given train and valid
            together, once it is tuned. Published figures of these protocols have no valid.
        excludes: models that are not measured here: those that would take hours to say what
            another protocol says already.
        families: of the models that are measured; none: all of them.
        tunes: whether hyper-parameters are chosen; otherwise the first configuration of a space is
            taken.
        overrides: of the configuration.
        own: its models where it compares variants; none: those of the registry, on a leaderboard.
        data_dir: where its data set is looked for; None for the usual places. ``$VARIABLES`` are
            replaced.
    """

    name: str
    title: str
    tasks: tuple[Task, ...]
    folds: tuple[str, ...]
    bases: tuple[str, ...] = ("ml-100k-multimodal", "default")
    seeds: tuple[int, ...] = TEN
    draws: Literal["all", "valid", "nothing"] = "all"
    split_seed: int | None = None
    refits_on_train_valid: bool = False
    excludes: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()
    tunes: bool = True
    overrides: tuple[str, ...] = ()
    data_dir: str | None = None
    own: tuple[Entry, ...] = ()

    @property
    def headline(self) -> Metric:
        """Of its first task."""
        return HEADLINE[self.tasks[0]]

    @property
    def tuning_split(self) -> SplitSeed:
        """The split whose valid part hyper-parameters are chosen on."""
        return SplitSeed(self.folds[0], self.seeds[0])

    @property
    def folder(self) -> Path | None:
        """``data_dir`` with its variables replaced; one that is not set is left as it is."""
        return None if self.data_dir is None else Path(os.path.expandvars(self.data_dir))

    def tasks_of(self, entry: Entry) -> tuple[Task, ...]:
        """What a model is asked, in the order of the protocol."""
        if entry.name in self.excludes or entry.family not in (self.families or [entry.family]):
            return ()
        return tuple(task for task in self.tasks if task in entry.tasks)

    def headline_of(self, entry: Entry) -> Metric:
        """What a model is tuned by: the headline of the first task it can do."""
        return HEADLINE[self.tasks_of(entry)[0]]

    def refits(self, entry: Entry) -> bool:
        """Whether a model learns from train and valid together."""
        return self.refits_on_train_valid and not entry.facts.stops_early

    def seeds_of(self, entry: Entry) -> tuple[int, ...]:
        """The seeds that a model is measured with.

        One is enough where neither the ratings it learns from nor the model differ between them:
        ten equal runs are not ten measurements.
        """
        same_ratings = self.draws == "nothing" or (self.draws == "valid" and self.refits(entry))
        return self.seeds[:1] if same_ratings and not entry.facts.random else self.seeds

    def splits_of(self, entry: Entry) -> tuple[SplitSeed, ...]:
        """The splits that a model is measured on, all folds of a seed together."""
        seeds = self.seeds_of(entry)
        return tuple(SplitSeed(fold, seed) for seed in seeds for fold in self.folds)

    def shortened(self, seeds: int | None = None, folds: int | None = None) -> Protocol:
        """The same protocol with fewer seeds or folds; tuned on the same split."""
        return replace(self, seeds=self.seeds[:seeds], folds=self.folds[:folds])


_MMTF: Final = ("mmtf-14k",)
MMTF_DATA: Final = f"${REAL_DATA}/mmtf-14k"
_U: Final = tuple(f"u{k}" for k in range(1, 6))
# Encoding the words of 60,000 titles would take longer than most fits.
_TITLES: Final = ("features.text.backend=tfidf",)

_SLOW: Final = tuple(
    f"{model} (RecBole)"
    for model in ("NeuMF", "LightGCN", "NCL", "SimpleX", "MultiVAE", "RecVAE", "DiffRec")
)
_SAME_SPLIT: Final[dict[str, Any]] = {"seeds": FIXED, "draws": "nothing"}
_ALL: Final = (
    Protocol(
        "ml-ro",
        "MovieLens-100K, RecBole's random 8:1:1 of each user's ratings",
        ("warm", "rating"),
        ("ro",),
        # A fit takes a quarter of an hour: its budget would end after the first configuration,
        # which is what recbole-2020 measures.
        excludes=("NCL (RecBole)",),
    ),
    Protocol(
        "recbole-2020",
        "RecBole's own split of MovieLens-100K, the first configuration of every space",
        ("warm",),
        ("ro",),
        split_seed=2020,
        families=("recbole", "ours"),
        tunes=False,
        **_SAME_SPLIT,
    ),
    Protocol("ml-cold", "MovieLens-100K, movies that nobody has rated", ("cold",), ("cold-items",)),
    Protocol(
        "ml-u",
        "MovieLens-100K, its own five folds u1 to u5",
        ("rating",),
        _U,
        seeds=TEN[:2],
        draws="valid",
        refits_on_train_valid=True,
    ),
    Protocol(
        "ml-cold-users", "MovieLens-100K, users held out of training", ("fold-in",), (COLD_USERS,)
    ),
    Protocol(
        "ml-90-10",
        "MovieLens-100K, a random tenth of all ratings",
        ("rating",),
        ("random-90-10",),
        refits_on_train_valid=True,
    ),
    *(
        Protocol(f"ml-{fold}", title, ("warm",), (fold,), excludes=_SLOW, **_SAME_SPLIT)
        for fold, title in (
            ("global-time", "MovieLens-100K, the last tenth of all ratings"),
            ("leave-last", "MovieLens-100K, each user's last rating"),
        )
    ),
    Protocol(
        "mmtf-cold",
        "MMTF-14K, movies that nobody has rated",
        ("cold",),
        ("cold-items",),
        _MMTF,
        data_dir=MMTF_DATA,
    ),
    Protocol(
        "mmtf-ro",
        "MMTF-14K, random 8:1:1 of each user's ratings",
        ("warm", "rating"),
        ("ro",),
        _MMTF,
        excludes=_SLOW,
        data_dir=MMTF_DATA,
    ),
    Protocol(
        "ml-1m",
        "MovieLens-1M, random 8:1:1 of each user's ratings",
        ("warm", "rating"),
        ("ro",),
        ("default",),
        overrides=("data.name=ml-1m",),
    ),
    Protocol(
        "ml-25m",
        "MovieLens-25M, random 8:1:1 of each user's ratings",
        ("warm",),
        ("ro",),
        ("default",),
        seeds=FIXED,
        overrides=("data.name=ml-25m", *_TITLES),
    ),
)
PROTOCOLS: Final[Mapping[str, Protocol]] = MappingProxyType({p.name: p for p in _ALL})
"""By name, in the order in which they are measured: the large ones come last."""

QUICK_PROTOCOLS: Final = ("ml-ro", "ml-cold", "ml-u", "ml-cold-users")
QUICK_SEEDS: Final = 2

"""Everybody who takes part, by family; tables keep this order."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from recsys.benchmark.contender import Contender
from recsys.benchmark.contenders.classics import CLASSICS
from recsys.benchmark.contenders.cold import COLD
from recsys.benchmark.contenders.library import LIBRARY
from recsys.benchmark.contenders.oracles import ORACLES
from recsys.benchmark.contenders.ours import OURS
from recsys.benchmark.contenders.rating import RATING
from recsys.benchmark.contenders.recbole import RECBOLE

CONTENDERS: Final[tuple[Contender, ...]] = (
    *OURS,
    *CLASSICS,
    *RATING,
    *LIBRARY,
    *COLD,
    *(replace(contender, fits_elsewhere=True, stops_early=True) for contender in RECBOLE),
    *ORACLES,
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

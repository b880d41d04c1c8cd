"""Everybody who takes part, by family; tables keep this order."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from recsys.bench.contender import Contender
from recsys.bench.contenders.classics import CLASSICS
from recsys.bench.contenders.cold import COLD
from recsys.bench.contenders.library import LIBRARY
from recsys.bench.contenders.oracles import ORACLES
from recsys.bench.contenders.ours import OURS
from recsys.bench.contenders.rating import RATING
from recsys.bench.contenders.recbole import RECBOLE

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

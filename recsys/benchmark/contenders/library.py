"""Models of the library ``implicit``, and EASE cut to the size that an index holds."""

from __future__ import annotations

from typing import Any

from recsys.benchmark.contender import CONSTRUCTED, Contender, Options, around
from recsys.recommenders.closed_form.low_rank import RankReducedEase, RankReducedEaseConfig
from recsys.recommenders.implicit_models import (
    ImplicitALS,
    ImplicitALSConfig,
    ImplicitBPR,
    ImplicitBPRConfig,
)


def _als(options: Options, seed: int) -> ImplicitALS:
    chosen: dict[str, Any] = dict(options)
    return ImplicitALS(ImplicitALSConfig(**chosen, seed=seed))


def _bpr(options: Options, seed: int) -> ImplicitBPR:
    chosen: dict[str, Any] = dict(options)
    return ImplicitBPR(ImplicitBPRConfig(**chosen, seed=seed))


def _low_rank_ease(options: Options, seed: int) -> RankReducedEase:  # noqa: ARG001
    chosen: dict[str, Any] = dict(options)
    return RankReducedEase(RankReducedEaseConfig(**chosen))


LIBRARY: tuple[Contender, ...] = (
    Contender(
        name=ImplicitALS.name,
        family="library",
        tasks=frozenset({"warm", "fold-in"}),
        about="implicit's weighted matrix factorisation by alternating least squares",
        make=_als,
        space=around(
            factors=(64, 32, 128), alpha=(2.0, 1.0, 5.0), regularization=(20.0, 50.0, 5.0, 0.01)
        ),
        source=(
            "implicit's documentation (defaults: regularization 0.01, alpha 1, 15 iterations), "
            "widened as Rendle et al., Revisiting the Performance of iALS, RecSys 2022, advise: "
            "the weight of what was not rated and λ matter most"
        ),
        first_point="36 settings on valid of ro 2020",
        random=True,
        requires="implicit",
    ),
    Contender(
        name=ImplicitBPR.name,
        family="library",
        tasks=frozenset({"warm"}),
        about="implicit's BPR",
        make=_bpr,
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
        first_point="24 settings on valid of ro 2020",
        random=True,
        requires="implicit",
    ),
    Contender(
        name=RankReducedEase.name,
        family="library",
        tasks=frozenset({"warm", "fold-in"}),
        about=f"EASE cut to a rank, so that an index can serve it; {CONSTRUCTED}",
        make=_low_rank_ease,
        space=around(rank=(128, 64, 256), l2=(300.0, 1000.0, 100.0, 500.0, 2000.0, 5000.0)),
        source="ranks that an index serves at once; λ as of EASE",
        first_point="valid of ro 2020",
    ),
)

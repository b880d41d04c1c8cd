"""Models of stars: means, biases, matrix factorisation, Bayesian factorisation machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.benchmark.contender import Contender, Options, Task, around
from recsys.recommenders.bias import BiasConfig, BiasModel
from recsys.recommenders.global_mean import GlobalMean
from recsys.recommenders.myfm.inputs import Inputs
from recsys.recommenders.myfm.model import MyFM, MyFMConfig
from recsys.recommenders.svd.svd import Svd, SvdConfig
from recsys.recommenders.svd.svdpp import SvdPlusPlus, SvdPlusPlusConfig

_STARS: frozenset[Task] = frozenset({"rating"})


def _mean(options: Options, seed: int) -> GlobalMean:  # noqa: ARG001
    return GlobalMean()


def _bias(options: Options, seed: int) -> BiasModel:  # noqa: ARG001
    chosen: dict[str, Any] = dict(options)
    return BiasModel(BiasConfig(**chosen))


def _svd(options: Options, seed: int) -> Svd:
    chosen: dict[str, Any] = dict(options)
    return Svd(SvdConfig(**chosen, seed=seed))


def _svdpp(options: Options, seed: int) -> SvdPlusPlus:
    chosen: dict[str, Any] = dict(options)
    return SvdPlusPlus(SvdPlusPlusConfig(**chosen, seed=seed))


def _schedules(*points: tuple[float, int, int]) -> tuple[Options, ...]:
    """λ, epochs and factors: the more is regularised, the longer it pays to train."""
    return tuple({"reg": reg, "epochs": n, "factors": factors} for reg, n, factors in points)


DATED = "day of the rating asked for"
"""In what a contender is told: what only a test knows."""
_SIDE = "age, occupation, postal code, year, genres and who rated what"
_TOLD: Mapping[Inputs, str] = {
    "ids": "ids alone",
    "side": _SIDE,
    "date": f"{_SIDE}, and the {DATED}",
}


def myfm(inputs: Inputs, ordinal: bool) -> Contender:
    """One row of myFM; whatever it is told besides ids is in its name."""

    def make(options: Options, seed: int) -> MyFM:
        chosen: dict[str, Any] = dict(options)
        return MyFM(MyFMConfig(**chosen, inputs=inputs, ordinal=ordinal, seed=seed))

    kind = "ordinal" if ordinal else "regression"
    likelihood = "an ordinal probit" if ordinal else "a Gaussian"
    return Contender(
        name=f"myfm-{kind}-{inputs}",
        family="library",
        tasks=_STARS,
        about=f"myFM, factorisation machines by Gibbs sampling, {likelihood}; told {_TOLD[inputs]}",
        make=make,
        space=around(rank=(10, 8, 12)),
        source=(
            "myFM's example for MovieLens-100K (rank 10, 512 samples) and its README (rank 8); the "
            "sampler draws every prior itself, so that nothing else is to be tuned"
        ),
        random=True,
        requires="myfm",
    )


RATING: tuple[Contender, ...] = (
    Contender(
        name=GlobalMean.name,
        family="classic",
        tasks=_STARS,
        about="the mean of all ratings",
        make=_mean,
    ),
    Contender(
        name=BiasModel.name,
        family="classic",
        tasks=_STARS,
        about="a mean, and what is added for a user and for a movie; our code",
        make=_bias,
        space=around(user_l2=(5.0, 2.0, 10.0, 15.0), item_l2=(2.0, 5.0, 10.0)),
        source=(
            "Koren, Factor in the Neighbors, TKDD 2010, and Surprise's documentation "
            "(item 10, user 15), widened downwards"
        ),
        first_point="within train of u1",
    ),
    Contender(
        name=Svd.name,
        family="classic",
        tasks=_STARS,
        about="Surprise's SVD; our code",
        make=_svd,
        space=_schedules(
            (0.02, 20, 100),
            (0.05, 20, 100),
            (0.1, 60, 100),
            (0.05, 40, 100),
            (0.1, 100, 100),
            (0.1, 60, 50),
            (0.1, 60, 200),
            (0.05, 20, 50),
        ),
        source=(
            "Surprise's documentation (100 factors, λ 0.02, γ 0.005, 20 epochs), widened: more "
            "regularisation pays with more epochs"
        ),
        random=True,
    ),
    Contender(
        name=SvdPlusPlus.name,
        family="classic",
        tasks=_STARS,
        about="Surprise's SVD++; our code",
        make=_svdpp,
        space=_schedules(
            (0.02, 20, 20),
            (0.05, 20, 20),
            (0.1, 60, 20),
            (0.05, 40, 20),
            (0.1, 100, 20),
            (0.1, 60, 50),
            (0.05, 20, 50),
            (0.1, 40, 20),
        ),
        source=(
            "Surprise's documentation (20 factors, λ 0.02, γ 0.007, 20 epochs), widened: more "
            "regularisation pays with more epochs"
        ),
        random=True,
    ),
    *(myfm(inputs, ordinal) for ordinal in (False, True) for inputs in ("ids", "side", "date")),
)

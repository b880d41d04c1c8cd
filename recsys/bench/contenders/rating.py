"""Models of stars: means, biases, matrix factorisation, Bayesian factorisation machines."""

from __future__ import annotations

from typing import Any

from recsys.baselines.bias import BiasConfig, BiasModel
from recsys.baselines.fm_inputs import Inputs
from recsys.baselines.global_mean import GlobalMean
from recsys.baselines.myfm_model import MyFM, MyFMConfig
from recsys.baselines.svd import Svd, SvdConfig
from recsys.baselines.svdpp import SvdPlusPlus, SvdPlusPlusConfig
from recsys.bench.contender import Contender, Options, Task, around

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


def myfm(inputs: Inputs, ordinal: bool) -> Contender:
    """One row of myFM; whatever it is told besides ids is in its name."""

    def make(options: Options, seed: int) -> MyFM:
        chosen: dict[str, Any] = dict(options)
        return MyFM(MyFMConfig(**chosen, inputs=inputs, ordinal=ordinal, seed=seed))

    kind = "ordinal" if ordinal else "regression"
    return Contender(
        name=f"myfm-{kind}-{inputs}",
        family="library",
        tasks=_STARS,
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
    Contender(name=GlobalMean.name, family="classic", tasks=_STARS, make=_mean),
    Contender(
        name=BiasModel.name,
        family="classic",
        tasks=_STARS,
        make=_bias,
        space=around(user_l2=(5.0, 2.0, 10.0, 15.0), item_l2=(2.0, 5.0, 10.0)),
        source=(
            "Koren, Factor in the Neighbors, TKDD 2010, and Surprise's documentation "
            "(item 10, user 15), widened downwards"
        ),
    ),
    Contender(
        name=Svd.name,
        family="classic",
        tasks=_STARS,
        make=_svd,
        space=around(reg=(0.02, 0.05, 0.1), epochs=(20, 60), factors=(100, 50, 200, 20)),
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
        make=_svdpp,
        space=around(reg=(0.02, 0.05, 0.1), epochs=(20, 60), factors=(20, 50)),
        source=(
            "Surprise's documentation (20 factors, λ 0.02, γ 0.007, 20 epochs), widened: more "
            "regularisation pays with more epochs"
        ),
        random=True,
    ),
    *(myfm(inputs, ordinal) for ordinal in (False, True) for inputs in ("ids", "side", "date")),
)

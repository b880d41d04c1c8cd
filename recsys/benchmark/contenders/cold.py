"""Rivals that read content: for movies that nobody rated, and for those that somebody did.

Every space begins with its default and then changes one option at a time, those that matter most
first: a budget seldom reaches the end of one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from recsys.benchmark.contender import CONSTRUCTED, Contender, Options, Task
from recsys.benchmark.contenders.classics import MODALITIES
from recsys.recommenders.closed_form.ease_content import EaseContent, EaseContentConfig
from recsys.recommenders.closed_form.marec import MARec, MARecConfig
from recsys.recommenders.content.ridge import ContentRidge, ContentRidgeConfig
from recsys.recommenders.genre_popularity import GenrePopularity

if TYPE_CHECKING:  # torch is slow to import, and a list of names needs none of it
    from recsys.recommenders.neural.clcrec import CLCRec
    from recsys.recommenders.neural.dropoutnet import DropoutNet
    from recsys.recommenders.neural.vbpr import VBPR

_COLD: Final[frozenset[Task]] = frozenset({"cold"})
_WARM: Final[frozenset[Task]] = frozenset({"warm"})
_ALL: Final[frozenset[Task]] = frozenset({"cold", "warm", "fold-in"})


def _genre_popularity(options: Options, seed: int) -> GenrePopularity:  # noqa: ARG001
    return GenrePopularity()


def _content_ridge(modality: str | None) -> Callable[[Options, int], ContentRidge]:
    """``metadata`` is the weight of that modality."""

    def make(options: Options, seed: int) -> ContentRidge:  # noqa: ARG001
        chosen: dict[str, Any] = dict(options)
        if "metadata" in chosen:
            chosen["weights"] = {"metadata": chosen.pop("metadata")}
        return ContentRidge(ContentRidgeConfig(**chosen, modality=modality))

    return make


def _marec(options: Options, seed: int) -> MARec:  # noqa: ARG001
    chosen: dict[str, Any] = dict(options)
    return MARec(MARecConfig(**chosen))


def _ease_content(options: Options, seed: int) -> EaseContent:  # noqa: ARG001
    """``others`` is the weight of every modality besides text and metadata."""
    chosen: dict[str, Any] = dict(options)
    if "others" in chosen:
        others = set(MODALITIES) - {"text", "metadata"}
        chosen["weights"] = dict.fromkeys(sorted(others), chosen.pop("others"))
    return EaseContent(EaseContentConfig(**chosen))


def _vbpr(modality: str | None) -> Callable[[Options, int], VBPR]:
    def make(options: Options, seed: int) -> VBPR:
        from recsys.recommenders.neural.vbpr import VBPR, VBPRConfig

        chosen: dict[str, Any] = dict(options)
        return VBPR(VBPRConfig(**chosen, modality=modality, seed=seed))

    return make


def _clcrec(options: Options, seed: int) -> CLCRec:
    from recsys.recommenders.neural.clcrec import CLCRec, CLCRecConfig

    chosen: dict[str, Any] = dict(options)
    return CLCRec(CLCRecConfig(**chosen, seed=seed))


def _dropoutnet(options: Options, seed: int) -> DropoutNet:
    from recsys.recommenders.neural.dropoutnet import DropoutNet, DropoutNetConfig

    chosen: dict[str, Any] = dict(options)
    return DropoutNet(DropoutNetConfig(**chosen, seed=seed))


_RIDGE: Final[tuple[Options, ...]] = (
    {"ridge": 12.0},
    {"ridge": 24.0},
    {"ridge": 6.0},
    {"ridge": 12.0, "l2": 1000.0},
    {"ridge": 12.0, "l2": 100.0},
)


def content_ridge(modality: str | None) -> Contender:
    """Kernel ridge from all modalities, or from one."""
    weights: tuple[Options, ...] = (
        {"ridge": 12.0, "metadata": 1.0},
        {"ridge": 12.0, "metadata": 6.0},
        {"ridge": 6.0, "metadata": 1.0},
    )
    return Contender(
        name="content-ridge" if modality is None else f"content-ridge:{modality}",
        family="classic",
        tasks=_COLD,
        make=_content_ridge(modality),
        space=_RIDGE if modality else _RIDGE + weights,
        source="recsys.recommenders.content.ridge: around its defaults",
        about=(
            f"ridge regression from content to EASE's weights; {CONSTRUCTED}"
            if modality is None
            else f"content-ridge on {modality} alone"
        ),
        first_point="valid of cold-items 2020 to 2022",
        modality=modality,
    )


def vbpr(modality: str | None) -> Contender:
    """VBPR on all modalities, or on one; the one is for movies that somebody rated."""
    return Contender(
        name="vbpr" if modality is None else f"vbpr:{modality}",
        family="neural",
        tasks=_WARM if modality else _WARM | _COLD,
        about=f"VBPR (He and McAuley, AAAI 2016) on {modality or 'all modalities'}; our code",
        make=_vbpr(modality),
        space=(
            {"reg": 0.001},
            {"reg": 0.01},
            {"reg": 0.0001},
            {"reg": 0.001, "factors": 64, "content_factors": 64},
            {"reg": 0.01, "factors": 64, "content_factors": 64},
            {"reg": 0.1},
            {"reg": 0.001, "learning_rate": 0.002},
        ),
        source=(
            "MMRec's configuration of VBPR (64 factors in all, λ from 1e-5 to 2, batches of 2048, "
            "Adam)"
        ),
        first_point="4 settings on valid of ro 2020 and of cold-items 2020 and 2021",
        random=True,
        requires="torch",
        stops_early=True,
        modality=modality,
    )


COLD: Final[tuple[Contender, ...]] = (
    Contender(
        # Genres are labels elsewhere in this project; who reads them says so in its name.
        name="popularity in genre",
        family="classic",
        tasks=_ALL,
        about="how many ratings a movie's genres have among those a user watches; told genres",
        make=_genre_popularity,
    ),
    content_ridge(None),
    *(content_ridge(modality) for modality in MODALITIES),
    Contender(
        name="marec",
        family="classic",
        tasks=_ALL,
        about="MARec (Monteil et al., RecSys 2024) on all modalities; our code",
        make=_marec,
        space=(
            {"alignment": 10.0},
            {"alignment": 10.0, "percentile": 50.0},
            {"alignment": 10.0, "l2": 100.0},
            {"alignment": 1.0},
            {"alignment": 0.1},
            {"alignment": 10.0, "percentile": 70.0},
            {"alignment": 1.0, "l2": 1000.0},
            {"alignment": 0.1, "l2": 1000.0},
        ),
        source=(
            "Monteil et al., RecSys 2024, and its authors' notebooks: powers of ten of α, β and "
            "λ₁, δ 20, percentile 10; higher percentiles added"
        ),
        first_point="valid of cold-items 2020 to 2022",
    ),
    Contender(
        name="ease-content",
        family="classic",
        tasks=_ALL,
        about=f"EASE with the content of movies in its Gram matrix; {CONSTRUCTED}",
        make=_ease_content,
        space=(
            {"content": 20.0},
            {"content": 20.0, "l2": 1000.0},
            {"content": 5.0},
            {"content": 20.0, "others": 1.0, "l2": 500.0},
            {"content": 5.0, "l2": 1000.0},
            {"content": 40.0},
            {"content": 5.0, "l2": 3000.0},
            {"content": 40.0, "l2": 500.0},
        ),
        source="recsys.recommenders.closed_form.ease_content: around its defaults",
        first_point="valid of ro 2020 and 2021",
    ),
    vbpr(None),
    *(vbpr(modality) for modality in MODALITIES),
    Contender(
        name="clcrec",
        family="neural",
        tasks=_COLD,
        about="CLCRec (Wei et al., MM 2021) on all modalities; our code",
        make=_clcrec,
        space=(
            {"temperature": 0.5},
            {"temperature": 0.2},
            {"temperature": 1.0},
            {"temperature": 0.5, "balance": 0.9},
            {"temperature": 0.5, "balance": 0.1},
            {"temperature": 0.5, "mixing": 0.8},
            {"temperature": 0.5, "reg": 0.01},
            {"temperature": 2.0},
        ),
        source=(
            "the authors' runs (64 dimensions, 256 hidden units, λ 0.5 to 0.9, ρ 0.5, τ 1 and 2, "
            "η 0.001 to 0.1), τ widened downwards"
        ),
        first_point="4 settings on valid of cold-items 2020 and 2021",
        random=True,
        requires="torch",
        stops_early=True,
    ),
    Contender(
        name="dropoutnet",
        family="neural",
        tasks=_ALL,
        about="DropoutNet (Volkovs et al., NIPS 2017) on all modalities; our code",
        make=_dropoutnet,
        space=(
            {"dropout": 0.5},
            {"dropout": 0.8},
            {"dropout": 0.2},
            {"dropout": 0.5, "rank": 32},
            {"dropout": 0.5, "rank": 128},
            {"dropout": 0.5, "learning_rate": 0.003},
            {"dropout": 0.5, "hidden": 256},
            {"dropout": 0.8, "rank": 128},
        ),
        source="the authors' runs (dropout 0.5, rank 200, one or two tanh layers), smaller",
        first_point="3 sizes on valid of cold-items 2020 and 2021",
        random=True,
        requires="torch",
        stops_early=True,
    ),
)
"""Content kNN is with the classics."""

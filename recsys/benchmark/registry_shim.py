"""Models by name, until the registry of recommenders makes them all."""

from __future__ import annotations

from typing import Any

from recsys.recommenders.registry import make_baseline

_OTHERS = ("audio", "poster", "video")


def create(name: str, **options: Any) -> Any:
    """A fresh model."""
    kind, _, modality = name.partition(":")
    if kind == "joint":
        from recsys.benchmark.joint_shim import make_joint

        return make_joint(options)
    if kind == "item-knn":
        from recsys.recommenders.item_knn.model import ItemKNN, ItemKNNConfig
        from recsys.recommenders.item_knn.ranking import RankingConfig
        from recsys.recommenders.item_knn.rating import RatingConfig

        ranking, rating = RankingConfig(**options), RatingConfig(k=options.get("k", RatingConfig.k))
        return ItemKNN(ItemKNNConfig(ranking, rating))
    if kind == "content-ridge" and "metadata" in options:
        options["weights"] = {"metadata": options.pop("metadata")}
    if kind == "ease-content" and "others" in options:
        options["weights"] = dict.fromkeys(_OTHERS, options.pop("others"))
    if kind.startswith("myfm-"):
        from recsys.recommenders.myfm.model import MyFM, MyFMConfig

        _, likelihood, inputs = kind.split("-")
        return MyFM(MyFMConfig(**options, inputs=inputs, ordinal=likelihood == "ordinal"))  # type: ignore[arg-type]
    made = _classes().get(kind)
    if made is None:
        return make_baseline(
            "genre-popularity" if name == "popularity in genre" else name, **options
        )
    model, config = made
    return (
        model(config(**options, **({"modality": modality or None} if kind == "vbpr" else {})))
        if config
        else model()
    )


def _classes() -> dict[str, Any]:
    from recsys.recommenders.closed_form.low_rank import RankReducedEase, RankReducedEaseConfig
    from recsys.recommenders.global_mean import GlobalMean
    from recsys.recommenders.implicit_models import (
        ImplicitALS,
        ImplicitALSConfig,
        ImplicitBPR,
        ImplicitBPRConfig,
    )
    from recsys.recommenders.svd.svd import Svd, SvdConfig
    from recsys.recommenders.svd.svdpp import SvdPlusPlus, SvdPlusPlusConfig

    found: dict[str, Any] = {
        "global-mean": (GlobalMean, None),
        "svd": (Svd, SvdConfig),
        "svd++": (SvdPlusPlus, SvdPlusPlusConfig),
        "implicit-als": (ImplicitALS, ImplicitALSConfig),
        "implicit-bpr": (ImplicitBPR, ImplicitBPRConfig),
        "ease-low-rank": (RankReducedEase, RankReducedEaseConfig),
    }
    try:
        from recsys.recommenders.neural.clcrec import CLCRec, CLCRecConfig
        from recsys.recommenders.neural.dropoutnet import DropoutNet, DropoutNetConfig
        from recsys.recommenders.neural.vbpr import VBPR, VBPRConfig

        found |= {
            "vbpr": (VBPR, VBPRConfig),
            "clcrec": (CLCRec, CLCRecConfig),
            "dropoutnet": (DropoutNet, DropoutNetConfig),
        }
    except ImportError:
        pass
    return found

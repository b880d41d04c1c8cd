"""RecBole's models over the ranges its own documentation gives for tuning them.

The ranges are those of "Tuning Hyper Parameters" on each model's page, whole, but for DiffRec's
``w_min``, which does nothing without time. Each begins with RecBole's default where that is in the
range; ``_BEGINS`` names the others. Pop's page has no range. Models that stop early do so by what
lists are judged by here; RecBole's own choice is a point as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from recsys.benchmark.contender import DOCUMENTED, Contender, Options, Value, around
from recsys.benchmark.recbole.model import REQUIRED, RecBoleConfig, RecBoleModel

_PAGE: Final = "https://recbole.io/docs/user_guide/model/general/"


def _maker(model: str) -> Callable[[Options, int], RecBoleModel]:
    return lambda options, seed: RecBoleModel(RecBoleConfig(model, options, seed))


_STOPPED: Final = "its documentation, but for stopping by NDCG@10"
_BEGINS: Final = {
    "ADMMSLIM": "valid of ro 2020",
    "NeuMF": f"{_STOPPED}, and the larger network",
    "NCL": f"{_STOPPED}, and 100 clusters",
}


def _contender(model: str, space: tuple[Options, ...], *, random: bool = True) -> Contender:
    return Contender(
        name=f"{model} (RecBole)",
        family="recbole",
        tasks=frozenset({"warm"}),
        about=f"RecBole 1.2.1's {model}",
        make=_maker(model),
        space=space,
        source=f"{_PAGE}{model.lower()}.html",
        first_point=_BEGINS.get(model, _STOPPED if "valid_metric" in space[0] else DOCUMENTED),
        random=random,
        requires=REQUIRED,
    )


_RATES: Final = (1e-3, 5e-4, 5e-3, 1e-4, 1e-2)

_STOPS: Final[dict[str, tuple[Value, ...]]] = {"valid_metric": ("NDCG@10", "MRR@10")}

_NEUMF: Final = around(
    learning_rate=_RATES,
    dropout_prob=(0.1, 0.0, 0.2, 0.3, 0.4, 0.5),
    mlp_hidden_size=("[64, 32, 16]", "[32, 16, 8]"),
    **_STOPS,
)
_LIGHTGCN: Final = around(
    learning_rate=_RATES, n_layers=(2, 3, 1, 4), reg_weight=(1e-5, 1e-4, 1e-3, 1e-2), **_STOPS
)
_CONTRAST: Final[dict[str, tuple[Value, ...]]] = {
    "ssl_temp": (0.1, 0.07, 0.05),
    "ssl_reg": (1e-7, 1e-6),
    "proto_reg": (1e-7, 1e-8, 1e-6),
    **_STOPS,
}
# RecBole's default, a thousand clusters, cannot be made of fewer users than that: it comes last.
_NCL: Final = (
    *around(num_clusters=(100,), **_CONTRAST),
    *around(num_clusters=(1000,), **_CONTRAST),
)
_SIMPLEX: Final = around(
    margin=(0.5, 0.9, 0.0), negative_weight=(10, 50, 0), gamma=(0.5, 0.7, 0.3), **_STOPS
)
_ADMMSLIM: Final = around(
    lambda1=(0.1, 0.5, 5.0, 10.0),
    lambda2=(1000.0, 50.0, 5000.0, 5.0),
    alpha=(0.5, 0.75, 1.0, 0.25),
)
_RECVAE: Final = around(
    learning_rate=_RATES,
    latent_dimension=(200, 256, 150, 128, 300, 100, 400, 64, 512),
    **_STOPS,
)
_DIFFREC: Final = around(
    learning_rate=(1e-3, 1e-4, 1e-5),
    dims_dnn=("[300]", "[1000]", "[200, 600]"),
    steps=(5, 2, 10, 50),
    noise_scale=(1e-3, 1e-2, 1e-4, 1e-1, 1e-5, 0.0),
    noise_min=(5e-4, 1e-3, 5e-3),
    noise_max=(5e-3, 1e-2),
    **_STOPS,
)

# RecBole counts a movie once a batch, and sampled negatives with it: only the last is popularity.
_POP: Final[tuple[Options, ...]] = (
    {},
    {"train_neg_sample_args": None},
    {"train_neg_sample_args": None, "train_batch_size": 1},
)

RECBOLE: Final[tuple[Contender, ...]] = (
    _contender("Pop", _POP),
    _contender(
        "ItemKNN",
        around(k=(100, 50, 200, 250, 10, 300, 400, 500, 1000, 1500, 2000, 2500), shrink=(0.0, 1.0)),
        random=False,
    ),
    _contender("BPR", around(learning_rate=_RATES, **_STOPS)),
    _contender("NeuMF", _NEUMF),
    _contender("LightGCN", _LIGHTGCN),
    _contender("NCL", _NCL),
    _contender("SimpleX", _SIMPLEX),
    _contender("EASE", around(reg_weight=(250.0, 500.0, 100.0, 1000.0, 10.0, 1.0)), random=False),
    _contender(
        "SLIMElastic",
        around(alpha=(0.2, 0.5, 0.8, 1.0), l1_ratio=(0.02, 0.01, 0.05, 0.1, 0.5)),
    ),
    _contender("ADMMSLIM", _ADMMSLIM),
    _contender("MultiVAE", around(learning_rate=_RATES, **_STOPS)),
    _contender("RecVAE", _RECVAE),
    _contender("DiffRec", _DIFFREC),
)
"""Pop to DiffRec; a model that draws nothing has ``random`` False. Pop counts shuffled batches."""

"""RecBole's models over the ranges its own documentation gives for tuning them.

The ranges are those of "Tuning Hyper Parameters" on each model's page, whole, but for DiffRec's
``w_min``, which does nothing without time. Each begins with RecBole's default where that is in the
range; ``FIRST_FROM`` names the others. Pop's page has no range. Models that stop early do so by
what lists are evaluated by here; RecBole's own choice is a configuration as well.
"""

from __future__ import annotations

from typing import Final

from recsys.benchmark.spaces import Space, Value, around

PAGE: Final = "https://recbole.io/docs/user_guide/model/general/"
SOLVED: Final = frozenset({"ItemKNN", "EASE"})
"""Models that draw nothing; Pop counts shuffled batches."""

_RATES: Final = (1e-3, 5e-4, 5e-3, 1e-4, 1e-2)
_STOPS: Final[dict[str, tuple[Value, ...]]] = {"valid_metric": ("NDCG@10", "MRR@10")}
_CONTRAST: Final[dict[str, tuple[Value, ...]]] = {
    "ssl_temp": (0.1, 0.07, 0.05),
    "ssl_reg": (1e-7, 1e-6),
    "proto_reg": (1e-7, 1e-8, 1e-6),
    **_STOPS,
}
SPACES: Final[dict[str, Space]] = {
    # RecBole counts a movie once a batch, and sampled negatives with it: only the last is
    # popularity.
    "Pop": (
        {},
        {"train_neg_sample_args": None},
        {"train_neg_sample_args": None, "train_batch_size": 1},
    ),
    "ItemKNN": around(
        k=(100, 50, 200, 250, 10, 300, 400, 500, 1000, 1500, 2000, 2500), shrink=(0.0, 1.0)
    ),
    "BPR": around(learning_rate=_RATES, **_STOPS),
    "NeuMF": around(
        learning_rate=_RATES,
        dropout_prob=(0.1, 0.0, 0.2, 0.3, 0.4, 0.5),
        mlp_hidden_size=("[64, 32, 16]", "[32, 16, 8]"),
        **_STOPS,
    ),
    "LightGCN": around(
        learning_rate=_RATES, n_layers=(2, 3, 1, 4), reg_weight=(1e-5, 1e-4, 1e-3, 1e-2), **_STOPS
    ),
    # RecBole's default, a thousand clusters, cannot be made of fewer users than that: it comes
    # last.
    "NCL": (
        *around(num_clusters=(100,), **_CONTRAST),
        *around(num_clusters=(1000,), **_CONTRAST),
    ),
    "SimpleX": around(
        margin=(0.5, 0.9, 0.0), negative_weight=(10, 50, 0), gamma=(0.5, 0.7, 0.3), **_STOPS
    ),
    "EASE": around(reg_weight=(250.0, 500.0, 100.0, 1000.0, 10.0, 1.0)),
    "SLIMElastic": around(alpha=(0.2, 0.5, 0.8, 1.0), l1_ratio=(0.02, 0.01, 0.05, 0.1, 0.5)),
    "ADMMSLIM": around(
        lambda1=(0.1, 0.5, 5.0, 10.0),
        lambda2=(1000.0, 50.0, 5000.0, 5.0),
        alpha=(0.5, 0.75, 1.0, 0.25),
    ),
    "MultiVAE": around(learning_rate=_RATES, **_STOPS),
    "RecVAE": around(
        learning_rate=_RATES,
        latent_dimension=(200, 256, 150, 128, 300, 100, 400, 64, 512),
        **_STOPS,
    ),
    "DiffRec": around(
        learning_rate=(1e-3, 1e-4, 1e-5),
        dims_dnn=("[300]", "[1000]", "[200, 600]"),
        steps=(5, 2, 10, 50),
        noise_scale=(1e-3, 1e-2, 1e-4, 1e-1, 1e-5, 0.0),
        noise_min=(5e-4, 1e-3, 5e-3),
        noise_max=(5e-3, 1e-2),
        **_STOPS,
    ),
}
_STOPPED: Final = "its documentation, but for stopping by NDCG@10"
FIRST_FROM: Final[dict[str, str]] = {
    **{model: _STOPPED for model, space in SPACES.items() if "valid_metric" in space[0]},
    "ADMMSLIM": "valid of ro 2020",
    "NeuMF": f"{_STOPPED}, and the larger network",
    "NCL": f"{_STOPPED}, and 100 clusters",
}

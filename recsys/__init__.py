"""Movie recommendation: models of ratings and content, compared fairly, served as measured.

    import recsys

    dataset = recsys.load_dataset("ml-100k")
    split = recsys.make_split(dataset, "ro", seed=2020)
    model = recsys.models.create("ease", l2=300.0).fit(split)
    model.recommend(["42"], k=10)

Importing this package is cheap: what it offers is loaded when it is first used, and neither torch
nor transformers before a model is trained or a text is encoded.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys import errors as errors
    from recsys import models as models
    from recsys.api import encode as encode
    from recsys.api import evaluate as evaluate
    from recsys.api import train as train
    from recsys.data.dataset import Dataset as Dataset
    from recsys.data.sources import load_dataset as load_dataset
    from recsys.data.splits import make_split as make_split
    from recsys.engine import Engine as Engine
    from recsys.engine import Filters as Filters

# OpenMP's threads spin while they wait, so that two programs on two cores slow each other down more
# than tenfold (docs/decisions/0010-threads.md). Read when the library is loaded, hence set here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

_MODULES = ("errors", "models")
_OFFERED = {
    "Dataset": "recsys.data.dataset",
    "Engine": "recsys.engine",
    "Filters": "recsys.engine",
    "encode": "recsys.api",
    "evaluate": "recsys.api",
    "load_dataset": "recsys.data.sources",
    "make_split": "recsys.data.splits",
    "train": "recsys.api",
}
__all__ = [
    "Dataset",
    "Engine",
    "Filters",
    "encode",
    "errors",
    "evaluate",
    "load_dataset",
    "make_split",
    "models",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"recsys.{name}")
    if name not in _OFFERED:
        raise AttributeError(f"module 'recsys' has no attribute {name!r}")
    return getattr(import_module(_OFFERED[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

"""Makes torchvision, and with it transformers, importable beside a torch built for the CPU only.

torchvision's published Linux wheel is a CUDA build. Beside a CPU build of torch its native
library cannot load, and importing it, which transformers does wherever it is installed, fails
with ``operator torchvision::nms does not exist``: its Python code attaches implementations to two
operators that the library would have declared. Declaring them lets everything that does not call
them work. Where the library loads it declares them itself, and to have done so before it ends the
process: so only that very error says that it is needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")
_UNDECLARED = "operator torchvision::nms does not exist"


@cache
def declare_torchvision_operators() -> bool:
    """Try to import torchvision; declare its operators where that says that they are missing.

    Call before transformers. Any other reason for which torchvision cannot be imported is left to
    those who import it.

    Returns:
        Whether any was declared: False without torchvision, and where it imports as it is.
    """
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision") is None:
        return False
    try:
        importlib.import_module("torchvision")
    except (ImportError, OSError, RuntimeError) as error:
        if _UNDECLARED in str(error):
            _forget("torchvision")
            return _declare()
    return False


def _declare() -> bool:
    import torch

    missing = [name for name in _OPERATORS if not hasattr(torch.ops.torchvision, name)]
    for name in missing:
        torch.library.define(f"torchvision::{name}", _SCHEMA)
    return bool(missing)


def _forget(package: str) -> None:
    """Drop what a failed import leaves behind: its next parent would lack these modules' names."""
    for name in [n for n in sys.modules if n == package or n.startswith(f"{package}.")]:
        del sys.modules[name]

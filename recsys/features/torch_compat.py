"""Makes torchvision, and with it transformers, importable beside a torch built for the CPU only.

torchvision's published Linux wheel is a CUDA build. Beside a CPU build of torch its native
extension cannot load, and importing it, which transformers does wherever it is installed, fails
with ``operator torchvision::nms does not exist``: its Python code attaches implementations to two
operators that the extension would have declared. Declaring them lets everything that does not call
them work.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")


@cache
def declare_torchvision_operators() -> bool:
    """Declare torchvision's two operators where its extension cannot; call before transformers.

    Returns:
        Whether any was declared: False without torchvision, where its extension loads, and where
        they are declared already.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return False
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    if any(_loads(file) for folder in folders for file in sorted(folder.glob("_C.*"))):
        return False
    import torch

    missing = [name for name in _OPERATORS if not hasattr(torch.ops.torchvision, name)]
    for name in missing:
        torch.library.define(f"torchvision::{name}", _SCHEMA)
    return bool(missing)


def _loads(extension: Path) -> bool:
    import torch

    load: Callable[[Path], None] = torch.ops.load_library
    try:
        load(extension)
    except (ImportError, OSError):
        return False
    return True

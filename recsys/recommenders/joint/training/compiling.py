"""The forward pass of a training step, compiled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException
from torch._functorch import config as autograd_config

from recsys.errors import ConfigError

Forward = Callable[[Any, Any, float], dict[str, Tensor]]
"""(model, batch, share of the planned steps that are done) to loss parts by name."""


def compiled(forward: Forward) -> Forward:
    """The same, compiled by ``torch.compile`` when it is first called.

    Dropout draws the numbers it would draw uncompiled, so that the two differ by rounding alone.
    What cannot be compiled is refused: to go on uncompiled would hide that the speed asked for is
    not there.
    """

    def call(model: Any, batch: Any, progress: float) -> dict[str, Tensor]:
        return forward(model, batch, progress)

    fast = torch.compile(call, options={"fallback_random": True})

    def guarded(model: Any, batch: Any, progress: float) -> dict[str, Tensor]:
        try:
            return fast(model, batch, progress)
        except TorchDynamoException as error:
            raise _refusal(error) from error

    return guarded


def reusable_graphs() -> AbstractContextManager[Any]:
    """Within it gradients of compiled code can be taken part by part, as gradient norms need it.

    PyTorch up to 2.5 has no switch for that, and needs none.
    """
    if not hasattr(autograd_config, "donated_buffer"):
        return nullcontext()
    reusable: AbstractContextManager[Any] = autograd_config.patch(donated_buffer=False)
    return reusable


def _refusal(error: Exception) -> ConfigError:
    reason = " ".join(str(error).strip().splitlines()[:2]) or repr(error)
    return ConfigError(
        f"the model cannot be compiled here: {reason}",
        hint="set training.compile=false; torch.compile needs a C++ compiler on the CPU and "
        "Triton on a GPU",
    )

"""Where, and how exactly, a model is trained."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError
from recsys.seeding import seed_for

CPU = torch.device("cpu")

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def device_of(config: TrainingConfig) -> torch.device:
    """The device that ``training.device`` stands for here; ``auto`` is a GPU where there is one.

    Raises:
        ConfigError: cuda is asked for and cannot be used.
    """
    if config.device != "cpu" and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if config.device == "cuda":
        built = "finds no GPU" if torch.version.cuda else "is built without CUDA"
        raise ConfigError(
            f"training.device is cuda, and PyTorch {torch.__version__} {built}",
            hint="set training.device=auto or cpu; or install PyTorch for CUDA, and check the "
            "driver with nvidia-smi",
        )
    return CPU


def precision_of(config: TrainingConfig, device: torch.device) -> torch.dtype:
    """What the forward pass computes in; ``auto`` is bfloat16 on a GPU that has it."""
    if config.precision != "auto":
        return torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    short = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if short else torch.float32


def autocast(device: torch.device, precision: torch.dtype) -> AbstractContextManager[Any]:
    """Compute in ``precision`` where that is safe; weights and their updates stay float32."""
    if precision == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=precision)


@contextmanager
def deterministic(seed: int, threads: int, device: torch.device = CPU) -> Iterator[None]:
    """Run with torch seeded, its threads fixed and its kernels deterministic; restore all after.

    On a GPU an operation that has no deterministic kernel is warned about and not refused: there,
    results are the same within a tolerance only.
    """
    on_gpu = device.type == "cuda"
    threads_before = torch.get_num_threads()
    was_on = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=on_gpu)
    try:
        with _cublas_workspace(), torch.random.fork_rng(devices=[device] if on_gpu else []):
            torch.manual_seed(seed_for(seed, "training"))
            yield
    finally:
        torch.set_num_threads(threads_before)
        torch.use_deterministic_algorithms(was_on, warn_only=only_warned)


@contextmanager
def _cublas_workspace() -> Iterator[None]:
    """CuBLAS is deterministic only with a fixed workspace, which it reads when it is first used."""
    given = os.environ.get(_WORKSPACE)
    os.environ.setdefault(_WORKSPACE, ":4096:8")
    try:
        yield
    finally:
        if given is None:
            os.environ.pop(_WORKSPACE, None)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The state of torch's random streams, on the CPU and on the device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_random_state(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Put back what ``random_state`` gave; a stream that it did not know goes on as it is."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)

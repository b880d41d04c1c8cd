# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import os

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError
from recsys.recommenders.joint.training.devices import (
    autocast,
    deterministic,
    device_of,
    precision_of,
    random_state,
    restore_random_state,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def config(**options) -> TrainingConfig:
    return TrainingConfig(**options)


@pytest.fixture
def gpu(monkeypatch):
    """Torch says that it has one."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 0)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **_: True)
    return monkeypatch


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    return monkeypatch


def test_a_gpu_is_used_if_present(gpu):
    assert device_of(config()) == GPU
    assert device_of(config(device="cuda")) == GPU
    assert device_of(config(device="cpu")) == CPU


def test_a_gpu_is_never_needed(no_gpu):
    assert device_of(config()) == device_of(config(device="cpu")) == CPU


@pytest.mark.parametrize(("cuda", "named"), [(None, "built without CUDA"), ("12", "finds no GPU")])
def test_a_gpu_that_is_not_there_is_refused(no_gpu, cuda, named):
    no_gpu.setattr("torch.version.cuda", cuda)
    with pytest.raises(ConfigError, match=named) as caught:
        device_of(config(device="cuda"))
    assert "training.device=auto or cpu" in caught.value.hint


def test_bfloat16_is_for_gpus_that_have_it(gpu):
    assert precision_of(config(), GPU) == torch.bfloat16
    assert precision_of(config(), CPU) == torch.float32
    assert precision_of(config(precision="float32"), GPU) == torch.float32
    assert precision_of(config(precision="bfloat16"), CPU) == torch.bfloat16
    gpu.setattr("torch.cuda.is_bf16_supported", lambda **_: False)
    assert precision_of(config(), GPU) == torch.float32


def test_matrices_are_multiplied_in_the_precision_asked_for():
    one = torch.ones(2, 2)
    with autocast(CPU, torch.bfloat16):
        assert (one @ one).dtype == torch.bfloat16
    with autocast(CPU, torch.float32):
        assert (one @ one).dtype == torch.float32


def test_random_streams_go_on_where_they_were():
    with torch.random.fork_rng(devices=[]):
        state = random_state(CPU)
        drawn = torch.rand(3)
        restore_random_state(state, CPU)
        assert torch.equal(torch.rand(3), drawn)


def test_cublas_is_given_a_fixed_workspace_meanwhile(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with deterministic(0, threads=1):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with deterministic(0, threads=1):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@pytest.fixture
def torch_state():
    """Puts torch back as the tests found it."""
    threads, on = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=[]):
        yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(on, warn_only=warn)


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("mode", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("failing", [False, True])
def test_torch_is_left_as_it_was(torch_state, mode, failing):
    torch.use_deterministic_algorithms(mode[0], warn_only=mode[1])
    torch.set_num_threads(1)
    before = torch.get_rng_state()
    try:
        with deterministic(0, threads=2):
            assert torch.get_num_threads() == 2
            assert torch.are_deterministic_algorithms_enabled()
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
            torch.rand(3)
            if failing:
                raise StoppedError
    except StoppedError:
        pass
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled() is mode[0]
    assert torch.is_deterministic_algorithms_warn_only_enabled() is mode[1]


def test_the_seed_alone_decides_what_is_drawn(torch_state):
    drawn = []
    for outside, seed in ((1, 5), (2, 5), (1, 6)):
        torch.manual_seed(outside)
        with deterministic(seed, threads=1):
            drawn.append(torch.rand(4).tolist())
    assert drawn[0] == drawn[1] != drawn[2]

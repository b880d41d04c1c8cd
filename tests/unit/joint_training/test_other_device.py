"""A whole training on another device than the CPU, where there is no other.

Tensors say that they are on the device "meta", hold their numbers on the CPU, and refuse to meet a
tensor that is on the CPU, as a GPU's tensors would. So whatever was forgotten on one side is found,
and the results can be compared: they must be those of the CPU to the last bit.
"""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from support.joint import toy_experiment, toy_joint
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from recsys.config.experiment import (
    AlignmentConfig,
    FusionConfig,
    ModelConfig,
    SharingConfig,
    UserConfig,
)
from recsys.recommenders.joint.training.log import RunOptions
from recsys.testing.contract import fit
from recsys.testing.worlds import two_genre_world

ELSEWHERE = torch.device("meta")
MOVES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class Elsewhere(torch.Tensor):
    """A tensor of the other device, which holds one of the CPU."""

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=ELSEWHERE,
            requires_grad=held.requires_grad,
        )

    def __init__(self, held):
        self.held = held

    def tolist(self):
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return computed(func, args, kwargs or {})


class OtherDevice(TorchDispatchMode):
    """Within it, ``device="meta"`` is the other device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return computed(func, args, kwargs or {})


def computed(func, args, kwargs):
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    here = [tensor for tensor in tensors if not isinstance(tensor, Elsewhere)]
    there = len(here) < len(tensors)
    # A single number may come from the CPU, as on a GPU.
    if there and func not in MOVES and any(tensor.dim() for tensor in here):
        raise RuntimeError(f"{func} mixes tensors of two devices")
    if kwargs.get("device") is not None:
        there, kwargs = torch.device(kwargs["device"]) == ELSEWHERE, kwargs | {"device": "cpu"}
    held = tree_map_only(Elsewhere, lambda tensor: tensor.held, (args, kwargs))
    result = func(*held[0], **held[1])
    if func._schema.name.endswith("_"):
        return args[0]
    return tree_map_only(torch.Tensor, Elsewhere, result) if there else result


def test_the_other_device_is_apart():
    with OtherDevice():
        moved = torch.ones(3).to(ELSEWHERE)
        assert (2 * moved).device == ELSEWHERE
        assert (moved + torch.tensor(1.0)).cpu().tolist() == [2, 2, 2]
        with pytest.raises(RuntimeError, match="mixes tensors of two devices"):
            moved + torch.ones(3)
        with pytest.raises(RuntimeError, match="numpy"):
            moved.numpy()


@pytest.fixture(scope="module")
def world():
    """With a second modality, so that there is something to fuse and to align."""
    world = two_genre_world()
    table = world.catalogue.modalities["metadata"]
    other = replace(table, name="text", vectors=table.vectors[:, ::-1])
    return replace(world, catalogue=world.catalogue.with_modality(other))


CASES = {
    "default": {},
    "concat": {"fusion": FusionConfig(kind="concat", dim=8)},
    "gated": {"fusion": FusionConfig(kind="gated", dim=8)},
    "sparse": {"fusion": FusionConfig(kind="sparse", dim=8)},
    "sp": {"sharing": SharingConfig(scheme="sp", shared_dim=8, private_dim=4)},
    "asp": {"sharing": SharingConfig(scheme="asp", shared_dim=8, private_dim=4)},
    "ordinal": {"model": ModelConfig(ranking_dim=8, rating_dim=4, rating_likelihood="ordinal")},
    "users": {"user": UserConfig(liked_min_rating=1, rating_slope=0.3)},
    "aligned": {"alignment": AlignmentConfig(epochs=2, anchor="text", target="metadata")},
}


@pytest.mark.filterwarnings("ignore:.*to a meta parameter in the current model")
@pytest.mark.parametrize("case", CASES)
def test_training_never_mixes_devices_and_learns_the_same(world, monkeypatch, tmp_path, case):
    experiment = toy_experiment(epochs=2, evaluate_every=1, checkpoint_seconds=0).model_copy(
        update=CASES[case]
    )
    here = fit(toy_joint(experiment), world)
    monkeypatch.setattr("recsys.recommenders.joint.training.fitting.device_of", lambda _: ELSEWHERE)
    with OtherDevice():
        there = fit(toy_joint(experiment, RunOptions(checkpoint=tmp_path)), world)
        again = fit(toy_joint(experiment, RunOptions(checkpoint=tmp_path, resume=True)), world)
    assert there.log.records == again.log.records
    if case == "asp":  # its layers are made on the device "meta", which draws numbers here
        assert there.log.epochs == 2
        return
    assert there.log.records == here.log.records
    arrays = [
        subject.model.movies.arrays() | dict(subject.tower.weights) for subject in (here, there)
    ]
    for name, array in arrays[0].items():
        np.testing.assert_array_equal(array, arrays[1][name])


def last_losses(subject):
    return {k: v for k, v in subject.log.records[-1].items() if k.startswith("loss/")}


@pytest.mark.parametrize("case", CASES)
def test_bfloat16_changes_little(world, case):
    found = []
    for precision in ("float32", "bfloat16"):
        experiment = toy_experiment(epochs=4, evaluate_every=4, precision=precision, device="cpu")
        found.append(fit(toy_joint(experiment.model_copy(update=CASES[case])), world))
    exact, short = map(last_losses, found)
    assert short == pytest.approx(exact, rel=0.1, abs=0.05)
    assert short != exact


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_gpu_ends_where_the_cpu_does(world, case, precision):
    """Roughly: what is held back of a history is drawn from another stream there."""
    still = {"feature_dropout": 0, "modality_dropout": 0, "offset_dropout": 0}
    found = []
    for device in ("cpu", "cuda"):
        experiment = toy_experiment(
            epochs=10,
            evaluate_every=10,
            device=device,
            precision=precision,
            **still,
        )
        found.append(fit(toy_joint(experiment.model_copy(update=CASES[case])), world))
    expected, on_gpu = map(last_losses, found)
    assert on_gpu == pytest.approx(expected, rel=0.25, abs=0.1)

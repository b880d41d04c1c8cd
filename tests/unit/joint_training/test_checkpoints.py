# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import ExperimentConfig
from recsys.errors import AlignmentError, ConfigError, DataError, RecsysError
from recsys.recommenders.joint.training.checkpoints import (
    DOCUMENT,
    Checkpoints,
    Identity,
    Snapshot,
    discard_checkpoint,
    read_document,
)
from recsys.testing.worlds import two_genre_world

IDENTITY = Identity({"seed": 0, "training": {"epochs": 3}}, {"training ratings": "abc"})


def snapshot(value=1.0) -> Snapshot:
    tensors = {
        "a": torch.full((3, 2), value),
        "none": torch.zeros(0, 4),
        "scalar": torch.tensor(value),
        "state": torch.arange(5, dtype=torch.uint8),
        "half": torch.tensor([value], dtype=torch.bfloat16),
        "turned": torch.arange(6.0).reshape(2, 3).T,
    }
    return Snapshot(tensors, {"epoch": 2, "rate": 0.1 + value, "best": None, "sums": {"x": 1 / 3}})


def checkpoints(folder, identity=IDENTITY, seconds=0.0) -> Checkpoints:
    return Checkpoints(folder, identity, seconds)


def equal(one: Snapshot, other: Snapshot) -> bool:
    same = all(
        torch.equal(tensor, other.tensors[name]) and tensor.dtype == other.tensors[name].dtype
        for name, tensor in one.tensors.items()
    )
    return same and one.state == other.state and one.tensors.keys() == other.tensors.keys()


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    checkpoints(tmp_path / "c").write(snapshot())
    found = checkpoints(tmp_path / "c").read()
    assert equal(found, snapshot())


def test_tensors_that_share_memory_are_written_apart(tmp_path):
    whole = torch.arange(6.0)
    checkpoints(tmp_path).write(Snapshot({"whole": whole, "part": whole[2:4]}, {}))
    assert checkpoints(tmp_path).read().tensors["part"].tolist() == [2, 3]


def test_the_last_one_counts_and_nothing_else_is_kept(tmp_path):
    for value in (1.0, 2.0, 3.0):
        checkpoints(tmp_path).write(snapshot(value))
    assert equal(checkpoints(tmp_path).read(), snapshot(3.0))
    assert len(list(tmp_path.iterdir())) == 2


def test_nothing_there_is_nothing_read(tmp_path):
    assert checkpoints(tmp_path / "none").read() is None
    assert not discard_checkpoint(tmp_path / "none")


@pytest.mark.parametrize("stage", ["tensors", "document"])
def test_a_write_that_is_cut_off_leaves_the_last_one(tmp_path, monkeypatch, stage):
    """Whatever moment the process ends at, only a rename has happened or has not."""
    checkpoints(tmp_path).write(snapshot(1.0))
    torn = tmp_path / f".{DOCUMENT}.abc.tmp" if stage == "document" else tmp_path / ".state-0.tmp"
    torn.write_bytes(b"{half")
    if stage == "document":
        (tmp_path / "state-0123.safetensors").write_bytes(b"whole, but not named yet")
    assert equal(checkpoints(tmp_path).read(), snapshot(1.0))
    checkpoints(tmp_path).write(snapshot(2.0))
    assert equal(checkpoints(tmp_path).read(), snapshot(2.0))
    assert len(list(tmp_path.iterdir())) == 2


def test_every_altered_byte_of_the_tensors_is_found(tmp_path):
    checkpoints(tmp_path).write(snapshot())
    (path,) = tmp_path.glob("state-*")
    data = path.read_bytes()
    for position in range(0, len(data), 7):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(DataError, match=path.name):
            checkpoints(tmp_path).read()


def test_every_altered_byte_of_the_document_is_found(tmp_path):
    checkpoints(tmp_path).write(snapshot())
    path = tmp_path / DOCUMENT
    data = path.read_bytes()
    for position in range(len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(RecsysError) as caught:
            checkpoints(tmp_path).read()
        assert str(path) in str(caught.value)
        assert "--resume" in caught.value.hint


@pytest.mark.parametrize("name", [DOCUMENT, "state-*"])
def test_a_torn_file_names_itself_and_what_to_do(tmp_path, name):
    checkpoints(tmp_path).write(snapshot())
    (path,) = tmp_path.glob(name)
    data = path.read_bytes()
    for length in (0, 1, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(DataError, match="torn or altered") as caught:
            checkpoints(tmp_path).read()
        assert str(path) in caught.value.what
        assert "without --resume" in caught.value.hint


def test_tensors_that_are_missing_are_named(tmp_path):
    checkpoints(tmp_path).write(snapshot())
    (path,) = tmp_path.glob("state-*")
    path.unlink()
    with pytest.raises(DataError, match=f"{path.name} is missing"):
        checkpoints(tmp_path).read()


def test_another_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("recsys.recommenders.joint.training.checkpoints._FORMAT", 99)
    checkpoints(tmp_path).write(snapshot())
    monkeypatch.undo()
    with pytest.raises(DataError, match="format 99, 1 is needed"):
        checkpoints(tmp_path).read()


def test_another_configuration_is_refused_and_what_differs_is_said(tmp_path):
    checkpoints(tmp_path).write(snapshot())
    other = replace(IDENTITY, config={"seed": 1, "training": {"epochs": 3, "new": True}})
    with pytest.raises(ConfigError) as caught:
        checkpoints(tmp_path, other).read()
    said = caught.value.what
    assert "seed: 0 there, 1 here; training.new: absent there, true here" in said
    assert "epochs" not in said


def test_other_data_are_refused_and_what_differs_is_said(tmp_path):
    checkpoints(tmp_path).write(snapshot())
    other = replace(IDENTITY, data={"training ratings": "abd"})
    with pytest.raises(AlignmentError, match="of other data: training ratings differ"):
        checkpoints(tmp_path, other).read()


def test_an_identity_is_of_everything_that_training_reads():
    world, config = two_genre_world(), ExperimentConfig()
    parts = {"train": world.train, "valid": world.valid, "catalogue": world.catalogue}
    whole = Identity.of(config, **parts)
    table = world.catalogue.modalities["metadata"]
    bare = replace(table, present=table.present & (np.arange(len(table.present)) > 0))
    changes = {
        "training ratings": {"train": replace(world.train, rating=6 - world.train.rating)},
        "validation ratings": {"valid": world.valid.select(np.arange(3))},
        "modality metadata": {"catalogue": world.catalogue.with_modality(bare)},
        "genres": {"catalogue": replace(world.catalogue, genres=~world.catalogue.genres)},
        "movies": {"catalogue": replace(world.catalogue, years=world.catalogue.years + 1)},
    }
    assert whole == Identity.of(config.model_copy(update={"name": "other"}), **parts)
    for name, change in changes.items():
        found = Identity.of(config, **(parts | change))
        assert {key for key in whole.data if whole.data[key] != found.data[key]} == {name}


def test_it_is_due_after_so_many_seconds(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    subject = checkpoints(tmp_path, seconds=30)
    assert not subject.due()
    now[0] += 30
    assert subject.due()
    subject.write(snapshot())
    assert not subject.due()
    assert checkpoints(tmp_path, seconds=0).due()


def test_what_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    checkpoints(tmp_path).write(snapshot())
    assert discard_checkpoint(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    (tmp_path / "thesis.tex").unlink()
    checkpoints(tmp_path).write(snapshot())
    discard_checkpoint(tmp_path)
    assert not tmp_path.exists()


def test_the_document_is_plain_json(tmp_path):
    checkpoints(tmp_path).write(snapshot())
    document = json.loads((tmp_path / DOCUMENT).read_text())
    assert document["identity"]["config"] == IDENTITY.config
    assert read_document(tmp_path)["state"] == snapshot().state

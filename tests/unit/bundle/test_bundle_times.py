"""The times of histories travel with them, for models that read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from safetensors import numpy as safetensors
from support.served import timed_world

from recsys.bundle import write_bundle
from recsys.bundle.arrays import histories_from_bytes, histories_to_bytes
from recsys.bundle.manifest import SEEN
from recsys.recommenders.saving import load, restore


@pytest.fixture
def timed():
    return timed_world().contents


@pytest.fixture
def folder(tmp_path, timed):
    write_bundle(tmp_path / "timed", timed, restore)
    return tmp_path / "timed"


def test_times_come_back_with_their_ratings(folder, timed):
    loaded, written = load(folder).contents.context.histories, timed.context.histories
    assert loaded.time.dtype == np.int64
    np.testing.assert_array_equal(loaded.times().data, written.times().data)
    np.testing.assert_array_equal(loaded.matrix().data, written.matrix().data)


def test_a_time_of_zero_is_a_time(timed):
    context = timed.context
    nothing = np.zeros(len(context.histories), dtype=np.int64)
    histories = replace(context.histories, time=nothing)
    data = histories_to_bytes(histories, context.seen)
    again, _ = histories_from_bytes(data, histories.users, histories.items)
    assert again.time.tolist() == [0] * len(histories)


def test_a_bundle_without_times_loads_and_has_none(bundle_dir, contents):
    assert contents.context.histories.time is None
    assert load(bundle_dir).contents.context.histories.time is None
    assert "history/time" not in safetensors.load((bundle_dir / SEEN).read_bytes())


def test_saving_what_was_loaded_gives_the_same_bytes(folder, tmp_path):
    write_bundle(tmp_path / "again", load(folder).contents, restore)
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_users_are_the_same_after_loading(folder, timed):
    loaded, query = load(folder).model, timed.context.everyone
    before, after = (model.score(query) for model in (timed_world().model, loaded))
    np.testing.assert_array_equal(before, after)

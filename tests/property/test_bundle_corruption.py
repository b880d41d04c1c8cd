"""Whatever happens to a file of a bundle, loading says so: never a crash, never a wrong answer."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.bundle import write_bundle
from recsys.bundle.manifest import FILES
from recsys.errors import BundleError
from recsys.evaluation.report import EvaluationDocument, SplitReference
from recsys.recommenders.saving import load, restore
from recsys.testing.served import served_world


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    from dataclasses import replace

    contents = served_world().contents
    split = SplitReference(name="ro", seed=0, fingerprint="0")
    metrics = EvaluationDocument(
        split=split, rating=None, ranking={"ndcg@10": 0.3}, genre=None, n_users=1, model="toy"
    )
    folder = tmp_path_factory.mktemp("bundles") / "bundle"
    write_bundle(folder, replace(contents, metrics=metrics), restore)
    load(folder)
    return folder


NAMES = st.sampled_from(sorted(FILES))
POSITIONS = st.floats(0, 1, exclude_max=True)


def refused(intact, damage):
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "bundle"
        shutil.copytree(intact, folder)
        damage(folder)
        with pytest.raises(BundleError):
            load(folder)


@given(name=NAMES, where=POSITIONS, bits=st.integers(1, 255))
def test_any_changed_byte(intact, name, where, bits):
    def damage(folder):
        data = bytearray((folder / name).read_bytes())
        data[int(where * len(data))] ^= bits
        (folder / name).write_bytes(data)

    refused(intact, damage)


@given(name=NAMES, where=POSITIONS)
def test_any_truncation(intact, name, where):
    def damage(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(where * len(data))])

    refused(intact, damage)


@given(name=NAMES, more=st.binary(min_size=1, max_size=64))
def test_any_appended_bytes(intact, name, more):
    def damage(folder):
        (folder / name).write_bytes((folder / name).read_bytes() + more)

    refused(intact, damage)


@pytest.mark.parametrize("name", sorted(FILES))
def test_any_removed_file(intact, name):
    refused(intact, lambda folder: (folder / name).unlink())


@given(name=st.text("abc.-_ é", min_size=1).filter(lambda n: n not in {".", ".."}))
def test_any_added_file(intact, name):
    refused(intact, lambda folder: (folder / name).write_bytes(b"{}"))


@given(pair=st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_any_two_files_exchanged(intact, pair):
    def damage(folder):
        one, other = (folder / name for name in pair)
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second)
        other.write_bytes(first)

    refused(intact, damage)

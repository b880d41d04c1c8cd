"""Whatever happens to a file of a bundle, loading says so: never a crash, never a wrong answer."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.served import served_world

from recsys.bundle import BundleContents, write_bundle
from recsys.bundle.manifest import FILES
from recsys.errors import BundleError
from recsys.evaluation.report import EvaluationDocument, SplitReference
from recsys.recommenders.registry import create
from recsys.recommenders.saving import contents_of, load, restore
from recsys.testing.worlds import two_genre_world


def ease() -> BundleContents:
    """A model of item weights: no vectors, no index."""
    return contents_of(create("ease").fit(two_genre_world().data))


def joint() -> BundleContents:
    return served_world().contents


@pytest.fixture(scope="module", params=[joint, ease], ids=["joint", "ease"])
def intact(request, tmp_path_factory):
    split = SplitReference(name="ro", seed=0, fingerprint="0")
    metrics = EvaluationDocument(
        split=split, rating=None, ranking={"ndcg@10": 0.3}, genre=None, n_users=1, model="toy"
    )
    folder = tmp_path_factory.mktemp("bundles") / "bundle"
    write_bundle(folder, replace(request.param(), metrics=metrics), restore)
    load(folder)
    return folder


PLACES = st.integers(0, len(FILES) - 1)
POSITIONS = st.floats(0, 1, exclude_max=True)


def file_of(folder, place):
    """One of the files of a bundle; not every bundle has every file."""
    files = sorted(folder.iterdir())
    return files[place % len(files)]


def refused(intact, damage):
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "bundle"
        shutil.copytree(intact, folder)
        damage(folder)
        with pytest.raises(BundleError):
            load(folder)


@given(place=PLACES, where=POSITIONS, bits=st.integers(1, 255))
def test_any_changed_byte(intact, place, where, bits):
    def damage(folder):
        file = file_of(folder, place)
        data = bytearray(file.read_bytes())
        data[int(where * len(data))] ^= bits
        file.write_bytes(data)

    refused(intact, damage)


@given(place=PLACES, where=POSITIONS)
def test_any_truncation(intact, place, where):
    def damage(folder):
        file = file_of(folder, place)
        data = file.read_bytes()
        file.write_bytes(data[: int(where * len(data))])

    refused(intact, damage)


@given(place=PLACES, more=st.binary(min_size=1, max_size=64))
def test_any_appended_bytes(intact, place, more):
    def damage(folder):
        file = file_of(folder, place)
        file.write_bytes(file.read_bytes() + more)

    refused(intact, damage)


def test_any_removed_file(intact):
    for file in intact.iterdir():
        refused(intact, lambda folder, name=file.name: (folder / name).unlink())


@given(
    name=st.text("abc.-_ é", min_size=1).filter(lambda n: n not in {".", ".."})
    | st.sampled_from(sorted(FILES))
)
def test_any_added_file(intact, name):
    if not (intact / name).exists():
        refused(intact, lambda folder: (folder / name).write_bytes(b"{}"))


@given(places=st.lists(PLACES, min_size=2, max_size=2, unique=True))
def test_any_two_files_exchanged(intact, places):
    one, other = (file_of(intact, place).name for place in places)

    def damage(folder):
        first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
        (folder / one).write_bytes(second)
        (folder / other).write_bytes(first)

    if one != other:
        refused(intact, damage)

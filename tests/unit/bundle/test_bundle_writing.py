import os
from pathlib import Path

import pytest
from support.served import served_world

from recsys.bundle import write_bundle
from recsys.errors import BundleError
from recsys.recommenders.saving import load, restore


def snapshot(folder):
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


class Interrupted(BaseException):
    """Stands for Ctrl-C, and for whatever else is no ordinary error."""


@pytest.mark.parametrize("error", [OSError("disk full"), Interrupted()])
@pytest.mark.parametrize("calls", [0, 4, 10])
def test_a_failure_midway_changes_nothing(bundle_dir, tmp_path, monkeypatch, error, calls):
    before = snapshot(tmp_path)
    left = iter(range(calls))

    def fsync(_handle):
        if next(left, None) is None:
            raise error

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises((BundleError, Interrupted)):
        write_bundle(bundle_dir, served_world(1).contents, restore)
    assert snapshot(tmp_path) == before


def test_a_bundle_that_does_not_verify_changes_nothing(bundle_dir, tmp_path, monkeypatch):
    def refuse(*_):
        raise BundleError("does not verify")

    before = snapshot(tmp_path)
    monkeypatch.setattr("recsys.bundle.writing.load_bundle", refuse)
    with pytest.raises(BundleError, match="does not verify"):
        write_bundle(bundle_dir, served_world(1).contents, restore)
    assert snapshot(tmp_path) == before


def test_a_failed_swap_puts_the_old_bundle_back(bundle_dir, tmp_path, monkeypatch):
    before, rename = snapshot(tmp_path), Path.rename

    def refuse_staging(self, target):
        if self.suffix == ".tmp":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_staging)
    with pytest.raises(BundleError, match="cannot write"):
        write_bundle(bundle_dir, served_world(1).contents, restore)
    assert snapshot(tmp_path) == before


def test_a_bundle_is_replaced(bundle_dir, tmp_path):
    other = served_world(1).contents
    manifest = write_bundle(bundle_dir, other, restore)
    assert load(bundle_dir).manifest == manifest
    assert manifest.label == other.label
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_damaged_bundle_is_replaced(bundle_dir, contents):
    (bundle_dir / "index.faiss").write_bytes(b"")
    write_bundle(bundle_dir, contents, restore)
    load(bundle_dir)


def test_missing_parents_and_empty_folders_are_filled(tmp_path, contents):
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "a" / "b"):
        write_bundle(target, contents, restore)
        load(target)


@pytest.mark.parametrize("name", ["thesis.tex", "manifest.json"])
def test_what_is_not_a_bundle_is_never_replaced(tmp_path, contents, name):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / name).write_text("years of it")
    (tmp_path / "work" / "more.txt").write_text("and more")
    before = snapshot(tmp_path)
    with pytest.raises(BundleError, match="not a bundle"):
        write_bundle(tmp_path / "work", contents, restore)
    assert snapshot(tmp_path) == before


def test_a_file_is_never_replaced(tmp_path, contents):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="not a bundle"):
        write_bundle(tmp_path / "file", contents, restore)
    assert (tmp_path / "file").read_text() == "mine"

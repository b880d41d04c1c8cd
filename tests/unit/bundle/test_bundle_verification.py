import json
import shutil

import faiss
import pyarrow.parquet
import pytest
import safetensors.numpy
from support.served import served_world

from recsys.bundle import SCHEMA_VERSION, write_bundle
from recsys.bundle.manifest import REQUIRED
from recsys.errors import BundleError
from recsys.recommenders.saving import load, restore

VERSION_ALONE = json.dumps({"schema_version": SCHEMA_VERSION}).encode()
PARSED = sorted(REQUIRED - {"README.md"})


def test_a_folder_without_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match=r"no manifest\.json") as caught:
        load(tmp_path / "nowhere")
    assert "train --out" in caught.value.hint


@pytest.mark.parametrize("name", [*sorted(REQUIRED), "manifest.sha256"])
def test_missing_files_are_named(bundle_dir, name):
    (bundle_dir / name).unlink()
    with pytest.raises(BundleError, match=name):
        load(bundle_dir)


def test_unknown_files_are_named(bundle_dir):
    (bundle_dir / "notes.txt").write_text("mine")
    (bundle_dir / "more").mkdir()
    with pytest.raises(BundleError, match=r"2 files are unknown: more, notes\.txt"):
        load(bundle_dir)


def test_a_folder_in_the_place_of_a_file(bundle_dir):
    (bundle_dir / "golden.json").unlink()
    (bundle_dir / "golden.json").mkdir()
    with pytest.raises(BundleError, match=r"golden\.json"):
        load(bundle_dir)


def test_altered_files_never_reach_a_native_reader(bundle_dir, monkeypatch):
    def reader(*_args, **_kwargs):
        raise AssertionError("a native reader saw unverified bytes")

    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", reader)
    monkeypatch.setattr(faiss, "deserialize_index", reader)
    monkeypatch.setattr(safetensors.numpy, "load", reader)
    monkeypatch.setattr("recsys.bundle.arrays.load", reader)
    data = bytearray((bundle_dir / "index.faiss").read_bytes())
    data[-1] ^= 1
    (bundle_dir / "index.faiss").write_bytes(data)
    with pytest.raises(BundleError, match=r"1 files were altered: index\.faiss"):
        load(bundle_dir)


@pytest.mark.parametrize("version", [3, SCHEMA_VERSION + 1])
def test_another_schema_version_says_what_to_do(bundle_dir, sign, version):
    sign(bundle_dir, schema_version=version)
    said = f"schema version {version}, this program reads {SCHEMA_VERSION}"
    with pytest.raises(BundleError, match=said) as caught:
        load(bundle_dir)
    assert "recsys train --out" in caught.value.hint
    assert caught.value.exit_code == 4


def test_a_bundle_of_the_layout_before_this_one(bundle_dir, sign):
    """Its files had other names too: the version is what is said."""
    manifest = json.loads((bundle_dir / "manifest.json").read_bytes())
    for name in ("vectors.safetensors", "weights.safetensors"):
        shutil.copy(bundle_dir / "model.safetensors", bundle_dir / name)
        manifest["files"][name] = manifest["files"]["model.safetensors"]
    (bundle_dir / "model.safetensors").unlink()
    del manifest["files"]["model.safetensors"], manifest["about"]
    (bundle_dir / "manifest.json").write_text(json.dumps(manifest))
    sign(bundle_dir, schema_version=3)
    with pytest.raises(BundleError, match="schema version 3"):
        load(bundle_dir)


@pytest.mark.parametrize("manifest", [b"[]", b"{}", b"\xff", VERSION_ALONE])
def test_a_signed_but_malformed_manifest(bundle_dir, manifest):
    from recsys.bundle.loading import hash_line

    (bundle_dir / "manifest.json").write_bytes(manifest)
    (bundle_dir / "manifest.sha256").write_bytes(hash_line(manifest))
    with pytest.raises(BundleError, match="malformed"):
        load(bundle_dir)


def test_a_manifest_that_forgets_a_file(bundle_dir, sign):
    files = json.loads((bundle_dir / "manifest.json").read_bytes())["files"]
    del files["golden.json"]
    sign(bundle_dir, files=files)
    with pytest.raises(BundleError, match=r"not in the manifest: golden\.json"):
        load(bundle_dir)


@pytest.mark.parametrize("data", [b"", b"\x00" * 64, b"PAR1", b"[{}]"])
@pytest.mark.parametrize("name", PARSED)
def test_signed_nonsense_is_a_bundle_error(bundle_dir, sign, name, data):
    (bundle_dir / name).write_bytes(data)
    sign(bundle_dir)
    with pytest.raises(BundleError):
        load(bundle_dir)


@pytest.mark.parametrize("name", ["index.faiss", "model.safetensors"])
def test_parts_of_another_model_are_noticed(bundle_dir, tmp_path, sign, name):
    write_bundle(tmp_path / "other", served_world(1).contents, restore)
    shutil.copy(tmp_path / "other" / name, bundle_dir / name)
    sign(bundle_dir)
    with pytest.raises(BundleError):
        load(bundle_dir)


def edit_golden(folder, change):
    golden = json.loads((folder / "golden.json").read_bytes())
    change(golden["queries"][0])
    (folder / "golden.json").write_text(json.dumps(golden))


def test_a_wrong_golden_score_is_noticed(bundle_dir, sign):
    def change(query):
        query["scores"][3] += 0.01

    edit_golden(bundle_dir, change)
    sign(bundle_dir)
    with pytest.raises(BundleError, match="golden query 0"):
        load(bundle_dir)


def test_a_wrong_golden_order_is_noticed(bundle_dir, sign):
    def change(query):
        query["items"][:2] = query["items"][1::-1]

    edit_golden(bundle_dir, change)
    sign(bundle_dir)
    with pytest.raises(BundleError, match="golden query 0"):
        load(bundle_dir)


def test_a_shorter_golden_list_is_noticed(bundle_dir, sign):
    def change(query):
        query["items"].pop()
        query["scores"].pop()

    edit_golden(bundle_dir, change)
    sign(bundle_dir)
    with pytest.raises(BundleError, match="golden query 0"):
        load(bundle_dir)
